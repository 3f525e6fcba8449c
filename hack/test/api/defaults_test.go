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
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const smallestApp = `
apiVersion: kubedirector.bluedata.io/v1alpha1
kind: KubeDirectorApp
metadata:
  name: smallest
spec:
  label:
    name: Smallest
  defaultImageRepoTag: registry.example.com/smallest:1.0
  roles:
  - id: server
    cardinality: "1"
  config:
    roleServices: []
`

const smallestCluster = `
apiVersion: kubedirector.bluedata.io/v1alpha1
kind: KubeDirectorCluster
metadata:
  name: smallest
spec:
  app: smallest
  roles:
  - id: server
`

// thriftyCluster has the optional objects in which something has a default, and nothing in them that has.
const thriftyCluster = smallestCluster + `
  elastic:
    role: server
  recovery:
    nodeDown: {}
`

// defaults of each kind, by path. What depends on the app or on the controller's
// configuration is decided there and never written into a spec.
var defaults = map[string]map[string]any{
	"KubeDirectorApp":     {"spec.configSchemaVersion": int64(7)},
	"KubeDirectorCluster": {"spec.elastic.members": int64(1), "spec.recovery.nodeDown.action": "Wait"},
}

// TestDefaults demands that the server adds the defaults to the objects that are
// there, and no field beside them.
func TestDefaults(t *testing.T) {
	t.Parallel()
	space := newNamespace(t)
	for name, manifest := range map[string]string{"smallest app": smallestApp, "smallest cluster": smallestCluster, "thrifty cluster": thriftyCluster} {
		sent, err := parseObject([]byte(manifest))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			got, err := resourceOf(t, sent, space).Create(t.Context(), sent, metav1.CreateOptions{
				DryRun:          []string{metav1.DryRunAll},
				FieldValidation: metav1.FieldValidationStrict,
			})
			if err != nil {
				t.Fatal(err)
			}
			want := sent
			for path, value := range defaults[sent.GetKind()] {
				if hasParent(sent, path) {
					want = with(want, path, value)
				}
			}
			if diff := cmp.Diff(want.Object["spec"], got.Object["spec"]); diff != "" {
				t.Errorf("spec, with defaults (-want +got):\n%s", diff)
			}
		})
	}
}

// hasParent is true if object has the object that the field at path belongs to.
func hasParent(object *unstructured.Unstructured, path string) bool {
	fields := strings.Split(path, ".")
	_, found, err := unstructured.NestedMap(object.Object, fields[:len(fields)-1]...)
	return found && err == nil
}

// TestDefaultsAreListed demands that the table knows every default of the CRDs.
func TestDefaultsAreListed(t *testing.T) {
	for kind, want := range defaults {
		got := map[string]any{}
		visit("", definitionOf(t, kind).schema(), func(path string, schema map[string]any) {
			if value, ok := schema["default"]; ok && !isKubernetesOwn(path) {
				got[path] = value
			}
		})
		if !maps.Equal(want, got) {
			t.Errorf("defaults of %s: the CRD has %v, the table %v", kind, got, want)
		}
	}
}

// TestUnknownFields demands that a misspelt field is refused by name where the
// client asks for it, as kubectl does.
func TestUnknownFields(t *testing.T) {
	t.Parallel()
	space := newNamespace(t)
	for manifest, path := range map[string]string{
		smallestApp:     "spec.roles[0].cardinalty",
		smallestCluster: "spec.roles[0].storage.storageClas",
	} {
		object, err := parseObject([]byte(manifest))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(object.GetKind(), func(t *testing.T) {
			_, err := resourceOf(t, object, space).Create(t.Context(), misspelt(object, path), metav1.CreateOptions{
				DryRun:          []string{metav1.DryRunAll},
				FieldValidation: metav1.FieldValidationStrict,
			})
			if says := `unknown field "` + path + `"`; !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), says) {
				t.Errorf("must be refused with code 400 and %q, but got: %v", says, err)
			}
		})
	}
}

func misspelt(object *unstructured.Unstructured, path string) *unstructured.Unstructured {
	if strings.Contains(path, "storage") {
		object = with(object, "spec.roles[0].storage.size", "1Gi")
	}
	return with(object, path, "x")
}
