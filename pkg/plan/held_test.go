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
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// edit gives the cluster another spec.
func (w *world) edit(change func(*v1alpha1.KubeDirectorClusterSpec)) {
	cluster := w.Cluster.DeepCopy()
	change(&cluster.Spec)
	cluster.Generation++
	w.Cluster = cluster
}

func TestAHeldEditDoesNotChangeHowMembersAreConfigured(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.KubeDirectorClusterSpec){
		"storage taken away": func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Roles[1].Storage = nil },
		"role taken away":    func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Roles = spec.Roles[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			w := readyWorld(t, withStorage(testCluster()))
			w.edit(change)
			w.settle()
			if valid := w.condition(v1alpha1.ConditionValid); valid.Status != "False" {
				t.Fatalf("Valid is %s: %s", valid.Status, valid.Message)
			}
			w.start("c-worker-0", 2)
			w.pass()
			for _, action := range Make(w.Observed).Actions {
				if visit, ok := action.(VisitGuest); ok {
					if event := visit.Step.Event; !visit.Step.KeepsLedger || event.Once != OncePerMember {
						t.Errorf("a member with a volume would run %s once per %s, its ledger kept: %t", event.Name, event.Once, visit.Step.KeepsLedger)
					}
					return
				}
			}
			t.Error("the new container is not visited")
		})
	}
}

func TestAClusterWithMembersOfAnUnknownRoleIsNotReady(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	w.settle()
	app := w.App.DeepCopy()
	app.Spec.Roles = app.Spec.Roles[:1]
	w.App = app
	w.settle()
	w.succeed("c-controller-0")
	w.settle()
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonInvalidSpec)
	if w.Cluster.Status.FirstReadyTime != nil {
		t.Error("it counts as having been ready")
	}
}

func TestASpecEditStartsAnExhaustedScriptOfAReadyClusterAgain(t *testing.T) {
	w := readyWorld(t, testCluster())
	w.start("c-worker-0", 2)
	w.settle()
	for range 4 {
		w.fail("c-worker-0", 1)
		w.settle()
		w.after(2 * time.Minute)
		w.settle()
	}
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonScriptFailed)
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.ServiceType = "NodePort" })
	w.settle()
	if event := w.member("c-worker-0").Event; event.Attempt != 5 {
		t.Errorf("the attempt is number %d, want 5", event.Attempt)
	}
}

func TestAClusterMadeAgainAtOnceWaitsForWhatTheEarlierOneLeft(t *testing.T) {
	earlier := readyWorld(t, testCluster())
	w := newWorld(t, testCluster(), testApp())
	w.Cluster.UID = "another-uid"
	w.Services, w.Sets = earlier.Services, earlier.Sets
	w.settle()
	w.expect(v1alpha1.ClusterNew, v1alpha1.ReasonNameTaken)
	if valid := w.condition(v1alpha1.ConditionValid); strings.Contains(valid.Message, "delete or rename") || !strings.Contains(valid.Message, "earlier cluster") {
		t.Errorf("Valid says: %s", valid.Message)
	}
	clear(w.Services)
	clear(w.Sets)
	w.settle()
	w.expect(v1alpha1.ClusterCreating, v1alpha1.ReasonCreating)
}

func TestAClusterIsNotReadyWithPodsOfACorrectedTemplate(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	w.settle()
	w.succeed("c-controller-0", "c-worker-1")
	w.settle()
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles[1].Env = []corev1.EnvVar{{Name: "A", Value: "b"}}
	})
	w.pass() // records
	w.pass() // patches the set, which Kubernetes does not take up yet
	w.Sets["c-worker"].Status.ObservedGeneration--
	w.settle()
	w.succeed("c-controller-0", "c-worker-0", "c-worker-1")
	w.settle()
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonConfiguring)
	if w.Cluster.Status.FirstReadyTime != nil {
		t.Fatal("it counts as having been ready, and its pods stay as they are for ever")
	}
	w.Sets["c-worker"].Status.ObservedGeneration++
	w.settle()
	if len(w.Pods) != 1 {
		t.Errorf("%d pods are left, want the controller's alone", len(w.Pods))
	}
}

func TestAHeldClusterIsNotFirstReady(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	w.settle()
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Roles[0].Members = ptr.To[int32](9) })
	w.settle()
	w.succeed("c-controller-0", "c-worker-0", "c-worker-1")
	w.settle()
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonInvalidSpec)
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles[0].Members = nil
		spec.Roles[0].Env = []corev1.EnvVar{{Name: "A", Value: "b"}} // as is supported until the cluster is first ready
	})
	w.settle()
	if valid := w.condition(v1alpha1.ConditionValid); valid.Status != "True" {
		t.Errorf("the corrected spec is refused: %s", valid.Message)
	}
}
