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

package validate

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// What the catalog offers works as it stands.
func TestTheCatalogIsValid(t *testing.T) {
	entries, err := filepath.Glob("../../artifacts/catalog/*/app.yaml")
	if err != nil || len(entries) == 0 {
		t.Fatalf("no catalog found: %v", err)
	}
	for _, entry := range entries {
		app, cluster := &v1alpha1.KubeDirectorApp{}, &v1alpha1.KubeDirectorCluster{}
		read(t, entry, app)
		read(t, filepath.Join(filepath.Dir(entry), "cluster.yaml"), cluster)
		if faults := App(app); len(faults) > 0 {
			t.Errorf("%s: %s", entry, lines(faults))
		}
		if cluster.Spec.App != app.Name {
			t.Errorf("%s: the cluster beside it uses app %q", entry, cluster.Spec.App)
		}
		in := Input{Cluster: cluster, App: catalog.New(app.Name, &app.Spec), ClusterDomain: "cluster.local"}
		if faults := Cluster(in); len(faults) > 0 {
			t.Errorf("the cluster beside %s: %s", entry, lines(faults))
		}
	}
}
