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

package plan

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// crashes is true once, after the actions that were to be carried out before.
func (w *world) crashes() bool {
	if w.crashAfter != 0 {
		w.crashAfter--
		return false
	}
	w.crashAfter = -1
	clear(w.Outcomes)
	return true
}

// operations are what users ask of a ready cluster.
var operations = map[string]func(*world){
	"up":      func(w *world) { w.scale(4) },
	"down":    func(w *world) { w.scale(1) },
	"replace": func(w *world) { w.annotate(names.AnnotationReplace, "2") },
	"suspend": func(w *world) { w.suspend(true) },
	"template": func(w *world) {
		w.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.Roles[1].Env = []corev1.EnvVar{{Name: "A"}} })
	},
	"up and template": func(w *world) {
		w.scale(3)
		w.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.Roles[0].Env = []corev1.EnvVar{{Name: "A"}} })
	},
}

// TestCrashAfterEveryAction has the controller end after its Nth action, for
// every N, and after every status it writes, for the next one to go on. Members, scripts
// that ran and the state come to be the same.
func TestCrashAfterEveryAction(t *testing.T) {
	for name, operate := range operations {
		for _, volumes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, volumes %t", name, volumes), func(t *testing.T) {
				want := afterCrash(t, operate, volumes, -1)
				crashes := 0
				for n := 0; ; n++ {
					got := afterCrash(t, operate, volumes, n)
					if !got.crashed {
						break
					}
					crashes++
					got.crashed = false
					if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
						t.Errorf("a crash after action %d makes a difference (-want +got):\n%s", n, diff)
					}
				}
				if crashes < 5 {
					t.Errorf("only %d crashes", crashes)
				}
			})
		}
	}
}

// outcome is what an operation comes to.
type outcome struct {
	state   v1alpha1.ClusterState
	roster  string
	calls   []string
	crashed bool
}

func afterCrash(t *testing.T, operate func(*world), volumes bool, n int) outcome {
	t.Helper()
	cluster := testCluster()
	if volumes {
		cluster = withStorage(cluster)
	}
	w := resizable(t, cluster)
	operate(w)
	w.crashAfter = n
	w.converge(noFailure)
	return outcome{w.Cluster.Status.State, rosterOf(&w.Cluster.Status), w.callsSince(), n >= 0 && w.crashAfter < 0}
}
