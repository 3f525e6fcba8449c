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
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// sparkPatience bounds waits for Spark: its parts are JVMs, and machines are small.
const sparkPatience = 4 * time.Minute

// TestSpark runs the catalog's Spark: a notebook's job must run on both workers,
// and again after one of them and the notebook server have lost their containers.
// Tests of Spark are not parallel: a machine may be too small for two.
func TestSpark(t *testing.T) {
	f := newFixture(t, "spark")
	cluster := catalogSpark(f)
	for i := range cluster.Spec.Roles {
		if cluster.Spec.Roles[i].ID == "jupyter" {
			cluster.Spec.Roles[i].Storage = &v1alpha1.Storage{Size: resource.MustParse("100Mi")}
		}
	}
	deletesVolumes(&cluster.Spec)
	f.apply(cluster)
	f.within(sparkPatience, "spark", "Ready", isReady)
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

// catalogSpark is the catalog's cluster, whose app is applied.
func catalogSpark(f *fixture) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	f.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "spark-jupyter"}, StringData: map[string]string{"token": "of-a-test"}})
	f.applyFile("artifacts/catalog/spark/package.yaml")
	f.applyFile("artifacts/catalog/spark/app.yaml")
	manifest, err := os.ReadFile(root + "/artifacts/catalog/spark/cluster.yaml")
	f.must(err)
	cluster := &v1alpha1.KubeDirectorCluster{}
	f.must(yaml.UnmarshalStrict(manifest, cluster))
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
	wantAliveWorkers(f, 2)
}

func wantAliveWorkers(f *fixture, want int) {
	f.Helper()
	f.eventually(patience, fmt.Sprintf("the Spark master lists %d workers as ALIVE", want), func(context.Context) (bool, string) {
		alive, err := aliveWorkers(f)
		return alive == want, fmt.Sprint(alive, err)
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
