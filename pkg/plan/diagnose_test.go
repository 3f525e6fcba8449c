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
	"encoding/json"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func TestFaultsNameThePackage(t *testing.T) {
	for _, c := range []struct{ reason, message, want string }{
		{"PackageNotTgz", "invalid header", "member c-worker-0: config package configmap://setup/setup.tgz of role worker: PackageNotTgz: invalid header; correct the package, or what the app says of it: it is fetched again by itself"},
		{"DiskFull", "no space left", "member c-worker-0: DiskFull: no space left"},
	} {
		w := newWorld(t, testCluster(), testApp())
		w.settle()
		w.startAll()
		w.settle()
		uid := w.Pods["c-worker-0"].UID
		outcome := w.Outcomes[uid]
		outcome.Phase, outcome.At, outcome.Tries, outcome.Reason, outcome.Message = PhaseFaulted, w.Now, 1, c.reason, c.message
		w.Outcomes[uid] = outcome
		w.pass()
		w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonPackageFault)
		if got := w.condition(v1alpha1.ConditionReady).Message; got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestAnswersWithoutTimesAreShown(t *testing.T) {
	for _, state := range []v1alpha1.EventState{v1alpha1.EventRunning, v1alpha1.EventTimedOut, v1alpha1.EventLost} {
		w := newWorld(t, testCluster(), testApp())
		w.settle()
		w.startAll()
		w.settle()
		phase := PhaseDone
		if state == v1alpha1.EventRunning {
			phase = PhaseRunning
		}
		w.answer("c-worker-0", phase, &EventResult{State: state, Attempt: 1})
		w.settle()
		if message := w.condition(v1alpha1.ConditionReady).Message; !strings.Contains(message, "--configure") {
			t.Errorf("%s is shown as: %s", state, message)
		}
	}
}

func TestAStatusWrittenByHandDoesNotStopTheController(t *testing.T) {
	w := readyWorld(t, testCluster())
	for _, state := range []v1alpha1.EventState{v1alpha1.EventFailed, v1alpha1.EventTimedOut, v1alpha1.EventPending} {
		for _, attempt := range []int32{-1, 0, 1, 99} {
			w.Cluster = w.Cluster.DeepCopy()
			member := w.member("c-worker-0")
			member.State, member.Event = v1alpha1.MemberError, &v1alpha1.MemberEvent{Name: "configure", Generation: 1, Attempt: attempt, State: state}
			Make(w.Observed)
		}
	}
}

func TestAClockAheadDoesNotDelayTheNextAttempt(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	w.settle()
	w.answer("c-worker-0", PhaseDone, &EventResult{State: v1alpha1.EventFailed, Attempt: 1, StartedAt: w.Now, FinishedAt: w.Now.Add(time.Hour)})
	w.settle()
	if again := Make(w.Observed).Again; again <= 0 || again > time.Minute {
		t.Errorf("the next attempt is looked for in %s", again)
	}
}

func TestAPassingUnschedulablePodIsNoNews(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	pod := w.Pods["c-worker-0"]
	pod.Status = corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
		Reason: corev1.PodReasonUnschedulable, Message: "no room", LastTransitionTime: metav1.NewTime(w.Now)}}}
	w.settle()
	w.expect(v1alpha1.ClusterCreating, v1alpha1.ReasonCreating)
	if again := Make(w.Observed).Again; again <= 0 {
		t.Error("nobody looks again")
	}
	w.after(unschedulableFor)
	w.settle()
	w.expect(v1alpha1.ClusterCreating, v1alpha1.ReasonUnschedulable)
}

func TestTheStatusOfAThousandFailingMembersIsSmall(t *testing.T) {
	cluster := testCluster()
	cluster.Spec.Roles[1].Members = ptr.To[int32](999)
	w := newWorld(t, cluster, testApp())
	w.settle()
	w.startAll()
	w.settle()
	for pod := range w.Pods {
		w.answer(pod, PhaseDone, &EventResult{State: v1alpha1.EventFailed, Attempt: 1, Here: true, ExitCode: ptr.To[int32](7),
			StartedAt: w.Now, FinishedAt: w.Now, OutputTail: strings.Repeat("x", 256)})
	}
	w.settle()
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonRetrying)
	raw, err := json.Marshal(w.Cluster.Status)
	if err != nil {
		t.Fatal(err)
	}
	if size := len(raw); size > 256<<10 {
		t.Errorf("the status has %d KiB", size>>10)
	}
	if p := Make(w.Observed); p.Status != nil || p.Again <= 0 {
		t.Errorf("again in %s, status %v", p.Again, p.Status)
	}
}

func TestAVolumeThatCannotBeFilledIsShown(t *testing.T) {
	w := newWorld(t, withStorage(testCluster()), testApp())
	w.settle()
	w.startAll()
	pod := w.Pods["c-worker-0"]
	pod.Status = corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{{
		Name:  "kubedirector-persist",
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: "/data is no directory"}},
	}}}
	w.settle()
	w.expect(v1alpha1.ClusterCreating, v1alpha1.ReasonPersistFailed)
	if message := w.condition(v1alpha1.ConditionReady).Message; !strings.Contains(message, "/data is no directory") {
		t.Errorf("its words are not shown: %s", message)
	}
}
