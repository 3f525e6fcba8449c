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
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

const (
	addNodes = " --nodegroup 1 --role worker --fqdns "
	peers    = v1alpha1.EventAddNodes
)

// resizable is a ready cluster of a controller and two workers whose package takes every event.
func resizable(t *testing.T, cluster *v1alpha1.KubeDirectorCluster) *world {
	t.Helper()
	w := newWorld(t, cluster, testApp())
	w.takes(v1alpha1.EventAddNodes, v1alpha1.EventDelNodes, v1alpha1.EventDecommission, v1alpha1.EventStop, v1alpha1.EventStart, v1alpha1.EventDelete)
	w.converge(noFailure)
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	w.callsSince()
	w.lines = nil
	return w
}

func (w *world) wantCalls(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.callsSince()); diff != "" {
		w.t.Errorf("scripts called (-want +got):\n%s", diff)
	}
}

func (w *world) wantReady(members string) {
	w.t.Helper()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	if w.Cluster.Status.Membership != members || len(w.Cluster.Status.PendingEvents) > 0 {
		w.t.Errorf("membership %s, pending %+v; want %s", w.Cluster.Status.Membership, w.Cluster.Status.PendingEvents, members)
	}
}

func TestScaleUp(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(4)
	w.converge(noFailure)
	w.golden("scale-up")
	w.wantReady("5/5")
	w.wantCalls(
		"c-controller-0: --addnodes"+addNodes+"c-worker-2,c-worker-3",
		"c-worker-0: --addnodes"+addNodes+"c-worker-2,c-worker-3",
		"c-worker-1: --addnodes"+addNodes+"c-worker-2,c-worker-3",
		"c-worker-2: --configure",
		"c-worker-3: --configure",
	)
	if id := w.member("c-worker-3").NodeID; id != 5 {
		t.Errorf("node ID %d", id)
	}
}

func TestScaleDown(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(1)
	w.converge(noFailure)
	w.golden("scale-down")
	w.wantReady("2/2")
	w.wantCalls(
		"c-controller-0: --delnodes"+addNodes+"c-worker-1",
		"c-worker-0: --delnodes"+addNodes+"c-worker-1",
		"c-worker-1: --decommission"+addNodes+"c-worker-1",
	)
	w.scale(2)
	w.converge(noFailure)
	if id := w.member("c-worker-1").NodeID; id != 4 {
		t.Errorf("node ID %d was given to the member that came later", id)
	}
}

// TestNewMembersWaitForThePeersMetadata has the guest of one peer not answer.
func TestNewMembersWaitForThePeersMetadata(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	for range 10 {
		w.settle()
		for _, pod := range []string{"c-worker-2"} {
			if set := w.Sets["c-worker"]; int(*set.Spec.Replicas) == 3 && w.Pods[pod] == nil {
				w.start(pod, 1)
			}
		}
		for _, pod := range []string{"c-controller-0", "c-worker-0"} {
			if w.Outcomes[w.Pods[pod].UID].Phase == PhaseUnderway {
				w.succeed(pod)
			}
		}
	}
	if pod := w.Pods["c-worker-2"]; w.Outcomes[pod.UID].Phase != "" {
		t.Errorf("the new member was visited before c-worker-1 held the metadata that names it")
	}
	w.converge(noFailure)
	w.wantReady("4/4")
}

func TestALaterEditOverridesAnEarlierOne(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(6)
	w.settle()
	w.pass()
	w.scale(3)
	w.converge(noFailure)
	w.wantReady("4/4")
	w.wantCalls(
		"c-controller-0: --addnodes"+addNodes+"c-worker-2",
		"c-worker-0: --addnodes"+addNodes+"c-worker-2",
		"c-worker-1: --addnodes"+addNodes+"c-worker-2",
		"c-worker-2: --configure",
	)
}

func TestEditsCloseTogetherAreOneAnnouncement(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	w.settle()
	w.scale(4)
	w.converge(noFailure)
	w.wantReady("5/5")
	if calls := w.callsSince(); !slices.Contains(calls, "c-worker-0: --addnodes"+addNodes+"c-worker-2,c-worker-3") || len(calls) != 5 {
		t.Errorf("scripts called: %q", calls)
	}
}

// TestAStuckMemberHoldsNoOtherUp has one of two new members fail for good.
func TestAStuckMemberHoldsNoOtherUp(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(4)
	broken := true
	fails := func(step Step) int32 {
		if broken && step.Container.Pod.Name == "c-worker-3" {
			return 7
		}
		return 0
	}
	w.wearOut(fails, 6)
	w.expect(v1alpha1.ClusterResizing, v1alpha1.ReasonScriptFailed)
	calls := w.callsSince()
	if !slices.Contains(calls, "c-worker-0: --addnodes"+addNodes+"c-worker-2") {
		t.Errorf("the peers were not told of the member that is configured: %q", calls)
	}
	broken = false
	w.annotate(names.AnnotationRetry, "now")
	w.converge(fails)
	w.wantReady("5/5")
	w.wantCalls(
		"c-controller-0: --addnodes"+addNodes+"c-worker-3",
		"c-worker-0: --addnodes"+addNodes+"c-worker-3",
		"c-worker-1: --addnodes"+addNodes+"c-worker-3",
		"c-worker-3: --configure", // c-worker-2 knows it by the metadata it was configured with
	)
	if w.Cluster.Status.ObservedRetry != "now" {
		t.Errorf("observedRetry is %q", w.Cluster.Status.ObservedRetry)
	}
}

func refuses(step Step) int32 {
	if step.Event.Name == v1alpha1.EventDecommission {
		return vetoes
	}
	return 0
}

func TestVeto(t *testing.T) {
	w := resizable(t, testCluster())
	pod := w.Pods["c-worker-1"].UID
	w.scale(1)
	w.wearOut(refuses, 8)
	w.expect(v1alpha1.ClusterResizing, v1alpha1.ReasonScaleDownBlocked)
	if progressing := w.condition(v1alpha1.ConditionProgressing); !strings.Contains(progressing.Message, "no such disk") || !strings.Contains(progressing.Message, "force-remove=3") {
		t.Errorf("Progressing says: %s", progressing.Message)
	}
	if w.Pods["c-worker-1"].UID != pod {
		t.Fatal("its pod is gone")
	}
	w.callsSince()

	w.scale(2) // called off
	w.converge(noFailure)
	w.wantReady("3/3")
	if w.Pods["c-worker-1"].UID == pod || w.member("c-worker-1").NodeID != 3 {
		t.Errorf("a member that may have been decommissioned goes on in pod %s with node ID %d", pod, w.member("c-worker-1").NodeID)
	}
	w.wantCalls(
		"c-controller-0: --addnodes"+addNodes+"c-worker-1",
		"c-worker-0: --addnodes"+addNodes+"c-worker-1",
		"c-worker-1: --configure",
	)
}

func TestForceRemove(t *testing.T) {
	w := resizable(t, testCluster())
	w.annotate(names.AnnotationForceRemove, "3")
	w.converge(noFailure)
	w.wantReady("3/3") // it names no leaving member
	if told := strings.Join(w.lines, ""); strings.Count(told, "RequestWithoutEffect") != 1 || !strings.Contains(told, `force-remove: "3": member c-worker-1 does not leave`) {
		t.Errorf("of a request without effect is told: %s", told)
	}
	w.annotate("", "")
	w.scale(1)
	w.converge(refuses)
	w.annotate(names.AnnotationForceRemove, "3")
	w.converge(refuses)
	w.wantReady("2/2")
}

func TestReplace(t *testing.T) {
	w := resizable(t, withStorage(testCluster()))
	w.giveVolume("c-worker-0")
	pod, claim := w.Pods["c-worker-0"].UID, w.Claims[names.Claim("c-worker-0")].UID
	w.annotate(names.AnnotationReplace, "2+volume")
	w.converge(noFailure)
	w.golden("replace")
	w.wantReady("3/3")
	if w.Pods["c-worker-0"].UID == pod || w.member("c-worker-0").NodeID != 4 {
		t.Errorf("pod %s, node ID %d", w.Pods["c-worker-0"].UID, w.member("c-worker-0").NodeID)
	}
	if left := w.Claims[names.Claim("c-worker-0")]; left != nil && left.UID == claim {
		t.Error("its volume is left")
	}
	w.wantCalls(
		"c-controller-0: --addnodes"+addNodes+"c-worker-0",
		"c-controller-0: --delnodes"+addNodes+"c-worker-0",
		"c-worker-0: --configure",
		"c-worker-1: --addnodes"+addNodes+"c-worker-0",
		"c-worker-1: --delnodes"+addNodes+"c-worker-0",
	)
}

// giveVolume gives a member the volume that its StatefulSet would.
func (w *world) giveVolume(pod string) {
	w.Claims[names.Claim(pod)] = &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Name: names.Claim(pod), Namespace: "ns", UID: w.uid(), Labels: map[string]string{names.LabelCluster: "c"}}}
}

func TestVolumesOnScaleDown(t *testing.T) {
	for name, policy := range map[string]v1alpha1.VolumeReclaim{"retain": "", "delete": v1alpha1.VolumeDelete} {
		t.Run(name, func(t *testing.T) {
			cluster := withStorage(testCluster())
			cluster.Spec.DeletionPolicy = &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnScaleDown: policy}}
			w := resizable(t, cluster)
			w.giveVolume("c-worker-0")
			w.giveVolume("c-worker-1")
			w.scale(1)
			w.converge(noFailure)
			w.wantReady("2/2")
			if kept := w.Claims[names.Claim("c-worker-1")] != nil; kept != (policy == "") {
				t.Errorf("the volume of the member that left is kept: %t", kept)
			}
			if w.Claims[names.Claim("c-worker-0")] == nil {
				t.Error("the volume of a member that stays is gone")
			}
		})
	}
}

func TestRenew(t *testing.T) {
	w := resizable(t, testCluster())
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles[1].Env = []corev1.EnvVar{{Name: "A", Value: "b"}}
	})
	resized := false
	for range 20 {
		w.settle()
		resized = resized || w.Cluster.Status.State == v1alpha1.ClusterResizing
		if len(w.Pods) < 2 {
			t.Fatalf("%d pods run; want one at a time made anew", len(w.Pods))
		}
		w.advance(noFailure)
	}
	if !resized {
		t.Error("it was never resizing")
	}
	w.golden("renew")
	w.wantReady("3/3")
	w.wantCalls("c-worker-0: --configure", "c-worker-1: --configure")
}

func TestRoleRemovedAndAdded(t *testing.T) {
	app := testApp()
	app.Spec.Roles[1].Cardinality = "0+"
	w := newWorld(t, testCluster(), app)
	w.takes(peers, v1alpha1.EventDelNodes)
	w.converge(noFailure)
	w.callsSince()
	worker := w.Cluster.Spec.Roles[1]
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Roles = spec.Roles[:1] })
	w.converge(noFailure)
	w.wantReady("1/1")
	if w.Sets["c-worker"] != nil || len(w.Cluster.Status.Roles) != 1 {
		t.Errorf("the role is left: %+v", w.Cluster.Status.Roles)
	}
	w.wantCalls("c-controller-0: --delnodes" + addNodes + "c-worker-0,c-worker-1")
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Roles = append(spec.Roles[:1:1], worker) })
	w.converge(noFailure)
	w.wantReady("3/3")
	w.wantCalls("c-controller-0: --addnodes"+addNodes+"c-worker-0,c-worker-1", "c-worker-0: --configure", "c-worker-1: --configure")
}

func TestConfigureAfter(t *testing.T) {
	app := testApp()
	app.Spec.Roles[1].ConfigureAfter = []string{"controller"}
	w := newWorld(t, testCluster(), app)
	w.settle()
	w.startAll()
	w.settle()
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonWaitingForRole)
	for _, pod := range []string{"c-worker-0", "c-worker-1"} {
		if _, visited := w.Outcomes[w.Pods[pod].UID]; visited {
			t.Errorf("%s was visited before the controller was configured", pod)
		}
	}
	w.converge(noFailure)
	w.wantReady("3/3")
}

func TestALostPeerIsToldWhenItReturns(t *testing.T) {
	for name, cluster := range map[string]*v1alpha1.KubeDirectorCluster{"with a volume": withStorage(testCluster()), "without": testCluster()} {
		t.Run(name, func(t *testing.T) {
			w := resizable(t, cluster)
			delete(w.Pods, "c-controller-0")
			w.down = "c-controller-0"
			w.scale(1)
			w.converge(noFailure)
			if w.Pods["c-worker-1"] != nil {
				t.Fatal("a peer that is down holds up the removal")
			}
			w.down = ""
			w.converge(noFailure)
			w.wantReady("2/2")
			calls := w.callsSince()
			told := slices.Contains(calls, "c-controller-0: --delnodes"+addNodes+"c-worker-1")
			anew := slices.Contains(calls, "c-controller-0: --configure")
			if !told || anew == (name == "with a volume") {
				t.Errorf("scripts called: %q", calls)
			}
		})
	}
}

// TestManyLeaveAtOnce would not end if what holds a member back were found anew for each above it.
func TestManyLeaveAtOnce(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.takes(peers, v1alpha1.EventDelNodes, v1alpha1.EventDecommission)
	w.scale(200)
	w.converge(noFailure)
	w.callsSince()
	w.scale(1)
	w.converge(noFailure)
	w.wantReady("2/2")
	if calls := w.callsSince(); len(calls) != 2+199 {
		t.Errorf("%d scripts ran", len(calls))
	}
}
