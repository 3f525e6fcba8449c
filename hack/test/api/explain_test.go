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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxDefinitionSize is the bytes a CRD may have: kubectl apply keeps a copy in an
// annotation, and all annotations together may have 256 KiB.
const maxDefinitionSize = 200 << 10

// TestExplain demands that kubectl explain has a description for every field.
func TestExplain(t *testing.T) {
	for _, kind := range []string{"KubeDirectorApp", "KubeDirectorCluster"} {
		published, err := publishedSchema(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		visit("", published, func(path string, schema map[string]any) {
			properties, _ := schema["properties"].(map[string]any)
			for name, field := range properties {
				description, _ := field.(map[string]any)["description"].(string)
				if strings.TrimSpace(description) == "" {
					t.Errorf("%s: field %s has no description", kind, join(path, name))
				}
			}
		})
	}
}

// columns are what kubectl get shows; those with priority 1 only with -o wide.
var columns = map[string][]string{
	"KubeDirectorApp":     {"Name", "Label", "Version", "Valid", "Age", "Distro (wide)"},
	"KubeDirectorCluster": {"Name", "App", "State", "Members", "Ready", "Reason", "Age", "Dashboard (wide)", "Suspended (wide)", "Message (wide)"},
}

// TestColumns demands that a table of objects, as kubectl get asks for it, has these columns.
func TestColumns(t *testing.T) {
	for kind, want := range columns {
		plural := strings.ToLower(kind) + "s"
		table := &metav1.Table{}
		err := server.discovery.RESTClient().Get().
			AbsPath("/apis", group, version, plural).
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").
			Do(t.Context()).Into(table)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, column := range table.ColumnDefinitions {
			name := column.Name
			if column.Priority > 0 {
				name += " (wide)"
			}
			got = append(got, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("columns of %s (-want +got):\n%s", kind, diff)
		}
	}
}

// TestNames demands the names by which kubectl finds the kinds.
func TestNames(t *testing.T) {
	list, err := server.discovery.ServerResourcesForGroupVersion(group + "/" + version)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, resource := range list.APIResources {
		got[resource.Name] = append(resource.ShortNames, resource.Categories...)
	}
	want := map[string][]string{
		"kubedirectorapps":            {"kdapp", "kubedirector"},
		"kubedirectorapps/status":     nil,
		"kubedirectorclusters":        {"kdcluster", "kdc", "kubedirector"},
		"kubedirectorclusters/scale":  nil,
		"kubedirectorclusters/status": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resources, with short names and categories (-want +got):\n%s", diff)
	}
}

// TestDefinitionSize demands that kubectl apply can carry the CRDs.
func TestDefinitionSize(t *testing.T) {
	found, err := definitions()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		info, err := os.Stat(d.file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > maxDefinitionSize {
			t.Errorf("%s has %d bytes, more than %d", d.file, info.Size(), maxDefinitionSize)
		}
	}
}
