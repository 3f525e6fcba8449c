//go:build real

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

package real

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestSpark runs the catalog's Spark: a notebook's job must run on both workers,
// and again after one of them and the notebook server have lost their containers.
func TestSpark(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "spark")
	f.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "spark-jupyter"}, StringData: map[string]string{"token": "of-a-test"}})
	f.applyFile("artifacts/catalog/spark/package.yaml")
	f.applyFile("artifacts/catalog/spark/app.yaml")
	f.apply(sparkWithStorage(t))
	f.untilReady("spark")
	f.exec("spark-jupyter-0", "sh", "-c", "echo mine >/home/spark/notebooks/note")
	wantJobOnBothWorkers(f)

	f.killContainer("spark-worker-0")
	f.killContainer("spark-jupyter-0")
	f.untilReadyAgain("spark", "spark-worker-0")
	f.untilReadyAgain("spark", "spark-jupyter-0")
	wantJobOnBothWorkers(f)
	if got := f.exec("spark-jupyter-0", "cat", "/home/spark/notebooks/note"); got != "mine\n" {
		t.Errorf("what was kept among the notebooks is now %q", got)
	}
}

// sparkWithStorage is the catalog's cluster, with a volume for the notebooks.
func sparkWithStorage(t *testing.T) *v1alpha1.KubeDirectorCluster {
	t.Helper()
	manifest, err := os.ReadFile(root + "/artifacts/catalog/spark/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cluster := &v1alpha1.KubeDirectorCluster{}
	if err := yaml.UnmarshalStrict(manifest, cluster); err != nil {
		t.Fatal(err)
	}
	for i := range cluster.Spec.Roles {
		if cluster.Spec.Roles[i].ID == "jupyter" {
			cluster.Spec.Roles[i].Storage = &v1alpha1.Storage{Size: resource.MustParse("100Mi")}
		}
	}
	deletesVolumes(&cluster.Spec)
	return cluster
}

func wantJobOnBothWorkers(f *fixture) {
	f.Helper()
	out := f.exec("spark-jupyter-0", "jupyter", "nbconvert", "--to", "markdown", "--execute", "--stdout", "/home/spark/notebooks/executors.ipynb")
	var hosts []string
	for _, line := range lines(out) {
		// "executor: HOST COUNT"
		if words := strings.Fields(line); len(words) > 1 && words[0] == "executor:" {
			host, _, _ := strings.Cut(words[1], ".")
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	if want := []string{"spark-worker-0", "spark-worker-1"}; !slices.Equal(slices.Compact(hosts), want) {
		f.Errorf("the job ran on %v, want %v; the notebook says:\n%s", hosts, want, out)
	}
	f.eventually(patience, "the Spark master lists two workers as ALIVE", func(context.Context) (bool, string) {
		alive, err := aliveWorkers(f)
		return alive == 2, fmt.Sprint(alive, err)
	})
}

// aliveWorkers asks the master's page, by its member Service, from another member.
func aliveWorkers(f *fixture) (int, error) {
	const ask = "import urllib.request; print(urllib.request.urlopen('http://spark-controller-0-svc:8080/json/', timeout=5).read().decode())"
	content, err := f.tryExec(f.Context(), "spark-jupyter-0", "python3", "-c", ask)
	if err != nil {
		return 0, err
	}
	var master struct{ Workers []struct{ State string } }
	if err := json.Unmarshal([]byte(content), &master); err != nil {
		return 0, err
	}
	alive := 0
	for _, worker := range master.Workers {
		if worker.State == "ALIVE" {
			alive++
		}
	}
	return alive, nil
}
