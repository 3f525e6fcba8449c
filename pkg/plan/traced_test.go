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
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// failing has the scripts of an event fail, on one pod or on all.
func failing(event v1alpha1.LifecycleEvent, pod string) func(Step) int32 {
	return func(step Step) int32 {
		if step.Event != nil && step.Event.Name == event && (pod == "" || pod == step.Container.Pod.Name) {
			return 7
		}
		return 0
	}
}

func TestAPeerInErrorHoldsUpNoScaleUp(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	fails := failing(peers, "c-controller-0")
	w.wearOut(fails, 6)
	w.callsSince()
	w.scale(4)
	w.wearOut(fails, 10)
	if w.member("c-worker-3").MetadataGeneration == 0 {
		t.Error("the new member was never configured")
	}
}

func TestAnEditOfTheRosterStartsFailedScriptsAgain(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	fails := failing(peers, "c-controller-0")
	w.wearOut(fails, 6)
	w.callsSince()
	w.scale(4)
	w.converge(noFailure)
	w.wantReady("5/5")
}

func TestMembersInErrorOverTheirPeersAreMadeAnewOneByOne(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	fails := failing(peers, "")
	w.wearOut(fails, 6)
	w.edit(func(s *v1alpha1.KubeDirectorClusterSpec) {
		s.Roles[0].Env = []corev1.EnvVar{{Name: "A"}}
		s.Roles[1].Env = []corev1.EnvVar{{Name: "A"}}
	})
	w.settle()
	if len(w.Pods) < 3 {
		t.Errorf("%d pods left of 4", len(w.Pods))
	}
}

func TestAFailedAnnouncementHoldsUpNoSuspension(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	fails := failing(peers, "c-controller-0")
	w.wearOut(fails, 6)
	w.suspend(true)
	w.wearOut(fails, 10)
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonSuspended)
}

func TestAFailedConfigurationHoldsUpNoSuspension(t *testing.T) {
	w := resizable(t, testCluster())
	w.start("c-worker-0", 77)
	fails := failing(v1alpha1.EventConfigure, "c-worker-0")
	w.wearOut(fails, 6)
	w.suspend(true)
	w.wearOut(fails, 10)
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonSuspended)
}

func TestAScaledSuspendedClusterStaysSuspended(t *testing.T) {
	for _, to := range []int32{1, 3} {
		t.Run(fmt.Sprint(to), func(t *testing.T) {
			w := resizable(t, withStorage(testCluster()))
			w.suspend(true)
			w.converge(noFailure)
			w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonSuspended)
			w.scale(to)
			w.converge(noFailure)
			w.after(time.Hour)
			w.converge(noFailure)
			w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonSuspended)
		})
	}
}

func TestANewMemberHearsOfThoseThatJoinAfterIt(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(4)
	// c-worker-2 is configured, the script of c-worker-3 runs on.
	slow := true
	for range 40 {
		w.settle()
		moved := false
		for _, set := range sorted(w.Sets) {
			for n := range int(*set.Spec.Replicas) {
				if pod := names.Pod(set.Name, n); w.Pods[pod] == nil {
					w.uids++
					w.start(pod, 100+w.uids)
					moved = true
				}
			}
		}
		for _, pod := range sorted(w.Pods) {
			if o := w.Outcomes[pod.UID]; o.Phase == PhaseUnderway {
				if slow && pod.Name == "c-worker-3" {
					continue
				}
				if w.steps[pod.UID].Event != nil {
					w.calls = append(w.calls, pod.Name+": "+strings.Join(w.steps[pod.UID].Event.Args, " "))
				}
				w.succeed(pod.Name)
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	if w.member("c-worker-2").State != v1alpha1.MemberReady {
		t.Fatal("setup")
	}
	w.scale(5)
	w.converge(noFailure)
	w.wantReady("6/6")
	calls := w.callsSince()
	told := slices.ContainsFunc(calls, func(c string) bool {
		return strings.HasPrefix(c, "c-worker-2: --addnodes") && strings.Contains(c, "c-worker-4")
	})
	if !told {
		t.Error("c-worker-2, configured before c-worker-4 was known, is never called with addnodes for it")
	}
}

func TestWhoLeavesAfterAllIsTold(t *testing.T) {
	w := resizable(t, withStorage(testCluster()))
	delete(w.Pods, "c-controller-0")
	w.down = "c-controller-0"
	w.scale(1)
	w.converge(refuses)
	w.scale(2)
	w.settle() // called off, its pod is made anew
	w.scale(1)
	w.converge(noFailure)
	w.down = ""
	w.converge(noFailure)
	calls := w.callsSince()
	if !slices.Contains(calls, "c-controller-0: --delnodes"+addNodes+"c-worker-1") {
		t.Error("the controller, which knows c-worker-1, is never told that it leaves")
	}
}

func TestAnotherControllerKeepsTheOrderOfMetadata(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	w.settle()
	w.start("c-worker-2", 1)
	w.settle()
	if w.Outcomes[w.Pods["c-worker-2"].UID].Phase != "" {
		t.Fatal("setup")
	}
	clear(w.Outcomes) // another controller
	w.settle()
	if o := w.Outcomes[w.Pods["c-worker-2"].UID]; o.Phase != "" {
		t.Errorf("c-worker-2 is visited: %+v, no peer has the metadata: %+v", o.Key, w.Outcomes[w.Pods["c-worker-1"].UID])
	}
}

func TestVetoesUseUpNoRetries(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(1)
	w.wearOut(refuses, 8)
	w.converge(failing(v1alpha1.EventDecommission, "")) // once
	w.after(15 * time.Minute)
	w.wearOut(noFailure, 5)
	w.wantReady("2/2")
}

func TestAMemberBeingMadeAnewIsRescheduled(t *testing.T) {
	cluster := testCluster()
	cluster.Spec.Recovery = &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownReschedule}}
	w := resizable(t, cluster)
	w.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.Roles[1].Env = []corev1.EnvVar{{Name: "A"}} })
	for range 4 {
		w.pass()
		if r := w.member("c-worker-0").Retired; r != nil {
			break
		}
	}
	// the pod is deleted, its node dies
	p := w.Pods["c-worker-0"].DeepCopy()
	for range 3 {
		w.pass()
	}
	now := metav1.NewTime(w.Now)
	p.DeletionTimestamp = &now
	p.Status.ContainerStatuses[0].Ready = true
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: now}}
	w.Pods["c-worker-0"] = p
	w.settle()
	w.after(24 * time.Hour)
	w.settle()
	if w.Pods["c-worker-0"] != nil && w.Pods["c-worker-0"].UID == p.UID {
		t.Error("never rescheduled")
	}
}

func TestAMemberThatStaysAfterAllHearsWhatHappenedMeanwhile(t *testing.T) {
	w := resizable(t, withStorage(testCluster()))
	w.scale(1)
	w.converge(refuses) // c-worker-1 refuses to leave
	w.annotate(names.AnnotationReplace, "1")
	w.converge(refuses) // the controller is another now: 4
	w.callsSince()
	w.scale(2)
	w.converge(noFailure)
	calls := w.callsSince()
	ok := false
	for _, c := range calls {
		if strings.HasPrefix(c, "c-worker-1: --addnodes") && strings.Contains(c, "controller") || c == "c-worker-1: --configure" {
			ok = true
		}
	}
	if !ok {
		t.Error("c-worker-1 goes on without ever having been told of the new controller, and is not configured anew after it was decommissioned")
	}
}

func TestARemovalIsCalledOffWhileThePodIsGone(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(1)
	w.converge(refuses)
	delete(w.Pods, "c-worker-1") // its pod is lost
	w.scale(2)
	w.pass() // called off, on record; the controller ends here, the pod comes back meanwhile
	clear(w.Outcomes)
	w.uids++
	w.start("c-worker-1", 100+w.uids)
	for range 5 {
		w.converge(noFailure)
		w.after(time.Hour)
	}
	w.wantReady("3/3")
}

func TestAFailedAnnouncementOfAMemberThatLeftIsDropped(t *testing.T) {
	w := resizable(t, withStorage(testCluster()))
	w.scale(3)
	fails := failing(peers, "c-controller-0")
	w.wearOut(fails, 6)
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonScriptFailed)
	w.scale(2)
	w.converge(fails)
	w.wantReady("3/3")
}

// TestRemovedBelowReplaced has the highest member replaced, both of the highest
// removed, and the places wanted again before they are gone.
func TestRemovedBelowReplaced(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(3)
	w.converge(noFailure)
	w.annotate(names.AnnotationReplace, "4")
	w.settle()
	w.scale(1)
	for range 3 {
		w.settle()
		w.advance(noFailure)
	}
	w.scale(3)
	w.converge(noFailure)
	w.wantReady("4/4")
}

// TestLostStatusCallsNobodyForItself loses the status while peers are told that
// a member leaves in whose place there is another already.
func TestLostStatusCallsNobodyForItself(t *testing.T) {
	w := resizable(t, testCluster())
	delete(w.Pods, "c-controller-0")
	w.down = "c-controller-0" // holds delnodes of the old member back
	w.annotate(names.AnnotationReplace, "2")
	w.converge(noFailure)
	w.callsSince()
	w.loseStatus()
	w.Cluster.Annotations = nil
	for pod := range w.Pods {
		w.turnReady(pod)
	}
	w.down = ""
	w.converge(noFailure)
	w.wantReady("3/3")
	for _, call := range w.callsSince() {
		if pod, rest, _ := strings.Cut(call, ": "); strings.HasPrefix(rest, "--delnodes") && strings.Contains(rest, pod) {
			t.Errorf("called for itself: %s", call)
		}
	}
}

func TestAMemberInErrorHoldsUpNoNewOnesOfAnotherController(t *testing.T) {
	w := resizable(t, testCluster())
	w.start("c-worker-0", 77)
	fails := failing(v1alpha1.EventConfigure, "c-worker-0")
	w.down = "c-worker-2"
	w.scale(3)
	w.wearOut(fails, 6)
	clear(w.Outcomes)
	w.down = ""
	w.wearOut(fails, 10)
	if w.member("c-worker-2").MetadataGeneration == 0 {
		t.Error("the new member is never configured")
	}
}

func TestWhoStaysAfterAllHearsOfANewcomer(t *testing.T) {
	app := testApp()
	w := newWorld(t, testCluster(), app)
	w.takes(peers, v1alpha1.EventDelNodes)
	w.converge(noFailure)
	w.callsSince()
	w.scale(1)
	w.settle() // delnodes is on its way
	w.scale(3)
	w.converge(noFailure)
	w.wantReady("4/4")
	calls := w.callsSince()
	if !slices.ContainsFunc(calls, func(c string) bool {
		return strings.HasPrefix(c, "c-worker-1: --addnodes") && strings.Contains(c, "c-worker-2")
	}) {
		t.Error("c-worker-1 never hears of c-worker-2")
	}
}

func TestAnAnnouncementForgetsWhoLeft(t *testing.T) {
	w := resizable(t, testCluster())
	w.scale(4)
	gone := false
	fails := func(step Step) int32 { // as a script that asks each new node for something
		if step.Event != nil && step.Event.Name == peers && step.Container.Pod.Name == "c-controller-0" && (!gone || strings.Contains(step.Event.Args[len(step.Event.Args)-1], "c-worker-3")) {
			return 7
		}
		return 0
	}
	w.wearOut(fails, 6)
	w.scale(3)
	gone = true
	w.wearOut(fails, 8)
	w.annotate(names.AnnotationForceRemove, "5")
	w.wearOut(fails, 8)
	w.wantReady("4/4")
}

func TestOneOfTwoStaysAfterAllAndHearsOfTheOther(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.takes(peers, v1alpha1.EventDelNodes)
	w.scale(3)
	w.converge(noFailure)
	w.callsSince()
	w.scale(1)
	w.settle()
	w.scale(2)
	w.converge(noFailure)
	w.wantReady("3/3")
	calls := w.callsSince()
	if !slices.ContainsFunc(calls, func(c string) bool {
		return strings.HasPrefix(c, "c-worker-1: --delnodes") || strings.HasPrefix(c, "c-worker-1: --configure")
	}) {
		t.Error("c-worker-1 never hears that c-worker-2 left")
	}
}

func TestTheVolumeOfAReplacedMemberThatLeavesGoesByThePolicy(t *testing.T) {
	cluster := withStorage(testCluster())
	cluster.Spec.DeletionPolicy = &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnScaleDown: v1alpha1.VolumeDelete}}
	w := resizable(t, cluster)
	w.giveVolume("c-worker-0")
	w.giveVolume("c-worker-1")
	w.scale(1)
	w.annotate(names.AnnotationReplace, "3")
	w.converge(noFailure)
	w.wantReady("2/2")
	if w.Claims[names.Claim("c-worker-1")] != nil {
		t.Error("its volume is kept, without an Event, though the policy says Delete")
	}
}
