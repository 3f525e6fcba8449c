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
)

// TestStatusSubresource demands that a write of status leaves spec and its
// generation as they are, and a write of spec leaves status.
func TestStatusSubresource(t *testing.T) {
	for manifest, field := range map[string]struct{ spec, status string }{
		"testdata/app.yaml":     {"spec.label.name", "status.conditions[0].message"},
		"testdata/cluster.yaml": {"spec.roles[0].members", "status.membership"},
	} {
		t.Run(manifest, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(manifest)
			if err != nil {
				t.Fatal(err)
			}
			c := newCourt(t, content)
			objects := resourceOf(t, c.stored, c.space)
			both := with(with(c.stored, field.spec, specValue(c.stored)), field.status, "0/3")

			updated, err := objects.UpdateStatus(t.Context(), both, metav1.UpdateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			requirePart(t, "a write of status", "spec", c.stored, updated)
			requirePart(t, "a write of status", "status", both, updated)
			if updated.GetGeneration() != c.stored.GetGeneration() {
				t.Errorf("a write of status changed generation %d to %d", c.stored.GetGeneration(), updated.GetGeneration())
			}

			both = with(with(updated, field.spec, specValue(c.stored)), field.status, "3/3")
			changed, err := objects.Update(t.Context(), both, metav1.UpdateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			requirePart(t, "a write of spec", "spec", both, changed)
			requirePart(t, "a write of spec", "status", updated, changed)
			if want := updated.GetGeneration() + 1; changed.GetGeneration() != want {
				t.Errorf("after a write of spec the generation is %d, want %d", changed.GetGeneration(), want)
			}
		})
	}
}

// specValue is another value for the field of spec that the test changes.
func specValue(object *unstructured.Unstructured) any {
	if object.GetKind() == "KubeDirectorCluster" {
		return int64(3)
	}
	return "Renamed"
}

func requirePart(t *testing.T, write, part string, want, got *unstructured.Unstructured) {
	t.Helper()
	if diff := cmp.Diff(want.Object[part], got.Object[part]); diff != "" {
		t.Errorf("%s of %s: after %s (-want +got):\n%s", part, want.GetKind(), write, diff)
	}
}
