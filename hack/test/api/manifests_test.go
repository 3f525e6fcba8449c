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
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// TestExampleManifests demands that the manifests of catalog, examples and the
// project's talk are taken as written: nothing in them is unknown or wrong.
func TestExampleManifests(t *testing.T) {
	t.Parallel()
	space := newNamespace(t)
	for _, folder := range []string{"../../../artifacts/catalog", "../../../artifacts/examples", "testdata/talk"} {
		kinds := map[string]int{}
		for _, file := range manifests(t, folder) {
			for _, object := range objectsOf(t, file) {
				kinds[object.GetKind()]++
				t.Run(filepath.Base(filepath.Dir(file))+"/"+object.GetKind()+"/"+object.GetName(), func(t *testing.T) {
					requireAccepted(t, object, space)
				})
			}
		}
		for _, kind := range []string{"KubeDirectorApp", "KubeDirectorCluster"} {
			if kinds[kind] == 0 {
				t.Errorf("no %s among the manifests of %s", kind, folder)
			}
		}
	}
}

func requireAccepted(t *testing.T, object *unstructured.Unstructured, space string) {
	t.Helper()
	object.SetNamespace(space)
	_, err := resourceOf(t, object, space).Create(t.Context(), object, metav1.CreateOptions{
		DryRun:          []string{metav1.DryRunAll},
		FieldValidation: metav1.FieldValidationStrict,
	})
	if err != nil {
		t.Errorf("must be accepted as written, but: %v", err)
	}
}

func manifests(t *testing.T, folder string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".yaml" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// objectsOf are the objects of a manifest that may have several documents.
func objectsOf(t *testing.T, file string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), len(content))
	for {
		object := &unstructured.Unstructured{}
		err := documents.Decode(object)
		if err == io.EOF {
			return objects
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if object.Object != nil {
			objects = append(objects, object)
		}
	}
}
