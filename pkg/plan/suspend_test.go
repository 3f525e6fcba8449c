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
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func (w *world) suspend(suspend bool) {
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Suspend = suspend })
}

func TestSuspendAndStart(t *testing.T) {
	for name, cluster := range map[string]*v1alpha1.KubeDirectorCluster{"with volumes": withStorage(testCluster()), "without": testCluster()} {
		t.Run(name, func(t *testing.T) {
			w := resizable(t, cluster)
			w.suspend(true)
			w.converge(noFailure)
			w.golden("suspend")
			w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonSuspended)
			if len(w.Pods) > 0 || len(w.Services) != 2 || w.Cluster.Status.Membership != "0/3" {
				t.Errorf("%d pods, %d Services, membership %s", len(w.Pods), len(w.Services), w.Cluster.Status.Membership)
			}
			w.wantCalls("c-controller-0: --stop", "c-worker-0: --stop", "c-worker-1: --stop")

			w.suspend(false)
			w.converge(noFailure)
			w.wantReady("3/3")
			if name == "without" {
				w.wantCalls("c-controller-0: --configure", "c-worker-0: --configure", "c-worker-1: --configure")
			}
			if suspended := w.condition(v1alpha1.ConditionSuspended); suspended.Status != metav1.ConditionFalse {
				t.Errorf("Suspended is %s/%s", suspended.Status, suspended.Reason)
			}
		})
	}
}

func TestCreatedSuspended(t *testing.T) {
	cluster := testCluster()
	cluster.Spec.Suspend = true
	w := newWorld(t, cluster, testApp())
	w.converge(noFailure)
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonSuspended)
	if len(w.Pods) > 0 || w.Cluster.Status.FirstReadyTime != nil {
		t.Errorf("%d pods; first ready %v", len(w.Pods), w.Cluster.Status.FirstReadyTime)
	}
	w.suspend(false)
	w.converge(noFailure)
	w.wantReady("3/3")
}

func TestASuspensionThatBeganIsCarriedThrough(t *testing.T) {
	w := resizable(t, testCluster())
	pod := w.Pods["c-worker-0"].UID
	w.suspend(true)
	w.settle() // the scripts stop
	w.suspend(false)
	w.converge(noFailure)
	w.wantReady("3/3")
	if w.Pods["c-worker-0"].UID == pod {
		t.Error("a member whose script for stop has run goes on in the same pod")
	}
}

func TestAScriptThatFailsHoldsUpNoSuspension(t *testing.T) {
	w := resizable(t, testCluster())
	w.suspend(true)
	for range 6 {
		w.converge(func(step Step) int32 { return map[bool]int32{true: 1}[step.Event.Name == v1alpha1.EventStop] })
		w.after(15 * time.Minute)
	}
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonSuspended)
}

func TestPausedClusterIsLeftAlone(t *testing.T) {
	w := resizable(t, testCluster())
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Paused = true
		spec.Roles[1].Members = ptr.To[int32](4)
	})
	w.start("c-worker-0", 50)
	w.lines = nil
	w.converge(noFailure)
	w.golden("paused")
	w.wantCalls()
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Paused = false })
	w.converge(noFailure)
	w.wantReady("5/5")
}

func TestDeleteScripts(t *testing.T) {
	never := func(step Step) int32 { return map[bool]int32{true: 1}[step.Event.Name == v1alpha1.EventDelete] }
	for name, fails := range map[string]func(Step) int32{"succeed": noFailure, "fail": never} {
		t.Run(name, func(t *testing.T) {
			w := resizable(t, testCluster())
			w.Cluster.DeletionTimestamp = ptr.To(metav1.NewTime(w.Now))
			for range 4 {
				for range 20 {
					w.settle()
					if len(w.Sets) == 0 || !w.advance(fails) {
						break
					}
				}
				w.after(2 * time.Minute)
			}
			if len(w.Cluster.Finalizers) > 0 {
				t.Error("it is not gone after 8 minutes")
			}
			if name == "succeed" {
				w.wantCalls("c-controller-0: --delete", "c-worker-0: --delete", "c-worker-1: --delete")
			}
		})
	}
}
