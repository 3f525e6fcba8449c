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
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
)

var namespaceResource = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// newNamespace makes a namespace that goes, and is gone, with the test.
func newNamespace(t *testing.T) string {
	t.Helper()
	namespaces := server.objects.Resource(namespaceResource)
	made, err := namespaces.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Namespace",
		"metadata":   map[string]any{"generateName": "api-test-"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeNamespace(t, made.GetName()) })
	return made.GetName()
}

func removeNamespace(t *testing.T, name string) {
	// The context of the test is over by the time it cleans up.
	ctx := context.Background()
	namespaces := server.objects.Resource(namespaceResource)
	if err := namespaces.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Errorf("deleting namespace %s: %v", name, err)
		return
	}
	err := wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		_, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	if err != nil {
		t.Errorf("namespace %s is still there: %v", name, err)
	}
}

func resourceOf(t *testing.T, object *unstructured.Unstructured, namespace string) dynamic.ResourceInterface {
	t.Helper()
	objects, err := server.resource(object, namespace)
	if err != nil {
		t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
	return objects
}

func definitionOf(t *testing.T, kind string) definition {
	t.Helper()
	found, err := definitions()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		if d.kind() == kind {
			return d
		}
	}
	t.Fatalf("no CRD of kind %s in %s", kind, crdFolder)
	return definition{}
}
