//go:build api

/*
Copyright The KubeDirector Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package api

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// TestScale demands that the scale subresource tells and sets the members of the
// elastic role, and nothing else.
func TestScale(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := newCourt(t, content)
	clusters := resourceOf(t, c.stored, c.space)

	told, err := clusters.Get(t.Context(), c.stored.GetName(), metav1.GetOptions{}, "scale")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"spec": map[string]any{"replicas": int64(4)},
		"status": map[string]any{
			"replicas": int64(2),
			"selector": "kubedirector.bluedata.io/cluster=complete,kubedirector.bluedata.io/role=r0",
		},
	}
	if diff := cmp.Diff(want, map[string]any{"spec": told.Object["spec"], "status": told.Object["status"]}); diff != "" {
		t.Errorf("scale (-want +got):\n%s", diff)
	}

	// As an autoscaler does it, and as kubectl scale does.
	if _, err := clusters.Update(t.Context(), with(told, "spec.replicas", int64(5)), metav1.UpdateOptions{}, "scale"); err != nil {
		t.Fatal(err)
	}
	requireScaled(t, clusters, c.stored, 5)
	if err := scale(t, clusters, c.stored.GetName(), `6`); err != nil {
		t.Fatal(err)
	}
	requireScaled(t, clusters, c.stored, 6)

	requireRefusal(t, scale(t, clusters, c.stored.GetName(), `1001`), "spec.elastic.members", "should be less than or equal to 1000")
	requireRefusal(t, scale(t, clusters, c.stored.GetName(), `-1`), "spec.elastic.members", "should be greater than or equal to 0")
	requireScaled(t, clusters, c.stored, 6)
}

// TestScaleWithoutElastic demands that a cluster that says of no role that it is
// elastic is not scaled, and that the refusal names what is missing.
func TestScaleWithoutElastic(t *testing.T) {
	t.Parallel()
	object, err := parseObject([]byte(smallestCluster))
	if err != nil {
		t.Fatal(err)
	}
	clusters := resourceOf(t, object, newNamespace(t))
	stored, err := clusters.Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	requireRefusal(t, scale(t, clusters, stored.GetName(), `2`), "spec.elastic.role", "Required value")
	present, err := clusters.Get(t.Context(), stored.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	requirePart(t, "a refused scale", "spec", stored, present)
}

// TestApplyKeepsScale demands that a manifest without the number of elastic
// members, applied again, leaves the number to which others scaled.
func TestApplyKeepsScale(t *testing.T) {
	t.Parallel()
	manifest, err := parseObject([]byte(thriftyCluster))
	if err != nil {
		t.Fatal(err)
	}
	clusters := resourceOf(t, manifest, newNamespace(t))
	apply := func() *unstructured.Unstructured {
		applied, err := clusters.Apply(t.Context(), manifest.GetName(), manifest, metav1.ApplyOptions{FieldManager: "user"})
		if err != nil {
			t.Fatal(err)
		}
		return applied
	}
	if members, _, _ := unstructured.NestedInt64(apply().Object, "spec", "elastic", "members"); members != 1 {
		t.Errorf("applied at first, the elastic role has %d members, want 1", members)
	}
	if err := scale(t, clusters, manifest.GetName(), `5`); err != nil {
		t.Fatal(err)
	}
	if members, _, _ := unstructured.NestedInt64(apply().Object, "spec", "elastic", "members"); members != 5 {
		t.Errorf("applied again, the elastic role has %d members, want 5", members)
	}
}

// scale asks for so many replicas as kubectl scale does.
func scale(t *testing.T, clusters dynamic.ResourceInterface, name, replicas string) error {
	patch := []byte(`{"spec":{"replicas":` + replicas + `}}`)
	_, err := clusters.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}, "scale")
	return err
}

func requireScaled(t *testing.T, clusters dynamic.ResourceInterface, before *unstructured.Unstructured, members int64) {
	t.Helper()
	present, err := clusters.Get(t.Context(), before.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := with(before, "spec.elastic.members", members)
	requirePart(t, "scaling", "spec", want, present)
	requirePart(t, "scaling", "status", want, present)
}
