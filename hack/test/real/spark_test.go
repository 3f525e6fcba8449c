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
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSpark runs the catalog's Spark: a notebook's job must run on both workers,
// and again after one has lost its container.
func TestSpark(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "spark")
	f.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "spark-jupyter"}, StringData: map[string]string{"token": "of-a-test"}})
	for _, manifest := range []string{"package.yaml", "app.yaml", "cluster.yaml"} {
		f.applyFile("artifacts/catalog/spark/" + manifest)
	}
	f.untilReady("spark")
	wantJobOnBothWorkers(f)

	f.killContainer("spark-worker-0")
	f.untilReadyAgain("spark", "spark-worker-0")
	wantJobOnBothWorkers(f)
}

func wantJobOnBothWorkers(f *fixture) {
	f.Helper()
	out := f.exec("spark-jupyter-0", "run-notebook", "executors.ipynb")
	var hosts []string
	for _, line := range lines(out) {
		if list, found := strings.CutPrefix(line, "executors:"); found {
			for host := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
				name, _, _ := strings.Cut(host, ".")
				hosts = append(hosts, name)
			}
		}
	}
	slices.Sort(hosts)
	if want := []string{"spark-worker-0", "spark-worker-1"}; !slices.Equal(slices.Compact(hosts), want) {
		f.Errorf("the job ran on %v, want %v; the notebook says:\n%s", hosts, want, out)
	}
	alive, err := aliveWorkers(f)
	if err != nil || alive != 2 {
		f.Errorf("the Spark master lists %d workers as ALIVE, want 2 (%v)", alive, err)
	}
}

// aliveWorkers asks the master's page, through the API server's proxy of its Service.
func aliveWorkers(f *fixture) (int, error) {
	content, err := server.kube.CoreV1().Services(f.namespace).ProxyGet("http", "spark-controller-0-svc", "8080", "json/", nil).DoRaw(f.Context())
	if err != nil {
		return 0, err
	}
	var master struct{ Workers []struct{ State string } }
	if err := json.Unmarshal(content, &master); err != nil {
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
