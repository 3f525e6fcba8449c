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

package kube

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/pkg/names"
)

func TestASetComesUpMoveByMove(t *testing.T) {
	inWorld(t, func(w *world) {
		w.due()
		w.disks.slow = true
		set := newSet()
		set.Spec.Replicas = ptr.To[int32](1)
		must(apiserver.Create(w.api, set))
		w.due("statefulset ns/c-worker")
		w.do("statefulset ns/c-worker")
		w.due("bind ns/persist-c-worker-0", "schedule ns/c-worker-0", "statefulset ns/c-worker")
		w.do("schedule ns/c-worker-0") // its claim is not bound
		w.do("bind ns/persist-c-worker-0")
		w.do("schedule ns/c-worker-0")
		w.due("start ns/c-worker-0", "statefulset ns/c-worker")
		w.told("")
		w.do("start ns/c-worker-0")
		w.told("starts c-worker-0")
		w.isReady("c-worker-0", false)
		if c := w.container("c-worker-0"); c.State.Running == nil || c.Ready || *c.Started || c.Name != names.ContainerName {
			t.Errorf("the container that has started: %v", c)
		}
		w.do("statefulset ns/c-worker")
		w.due()
		w.disks.configured[w.pod("c-worker-0").UID] = true
		w.due("ready ns/c-worker-0")
		w.settle()
		w.isReady("c-worker-0", true)
		if status := w.set().Status; status.ReadyReplicas != 1 || status.Replicas != 1 || status.ObservedGeneration != w.set().Generation {
			t.Errorf("the set's status: %+v", status)
		}
		if w.kube.Do("ready ns/c-worker-0") {
			t.Error("a move was made that is not due")
		}
	})
}

func TestPodsAndClaimsAreLikeTheRealControllers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		pod := w.pod("c-worker-1")
		for label, want := range map[string]string{
			names.LabelCluster: "c", appsv1.PodIndexLabel: "1", appsv1.StatefulSetPodNameLabel: "c-worker-1",
			appsv1.StatefulSetRevisionLabel: w.set().Status.UpdateRevision,
		} {
			if got := pod.Labels[label]; got != want || got == "" {
				t.Errorf("label %s is %q, want %q", label, got, want)
			}
		}
		if !metav1.IsControlledBy(pod, w.set()) || pod.Spec.Hostname != "c-worker-1" || pod.Spec.Subdomain != "c" || pod.Spec.NodeName == "" {
			t.Errorf("pod: %+v", pod)
		}
		made, _ := apiserver.Get[*corev1.PersistentVolumeClaim](w.api, "ns", pod.Spec.Volumes[0].PersistentVolumeClaim.ClaimName)
		if made == nil || made.Labels[names.LabelApp] != "app" || made.Labels[names.LabelRole] != "worker" || len(made.OwnerReferences) > 0 || made.Status.Phase != corev1.ClaimBound {
			t.Errorf("claim: %+v", made)
		}
		if _, stored := apiserver.Get[*appsv1.ControllerRevision](w.api, "ns", w.set().Status.UpdateRevision); !stored {
			t.Error("the template's revision is not stored")
		}
	})
}

func TestScaleDownTakesTheHighestAndKeepsItsClaim(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		w.scale(1)
		w.do("statefulset ns/c-worker")
		if w.pod("c-worker-1").DeletionTimestamp == nil || w.pod("c-worker-0").DeletionTimestamp != nil {
			t.Error("not the highest ordinal is deleted")
		}
		w.settle()
		w.told("ends c-worker-1, gone c-worker-1")
		w.podExists("c-worker-1", false)
		w.claimExists("persist-c-worker-1", true)
		if status := w.set().Status; status.Replicas != 1 {
			t.Errorf("the set's status: %+v", status)
		}
	})
}

func TestADeletedPodIsMadeAnewOnceItHasEnded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		before := w.pod("c-worker-0").UID
		w.deletePod("c-worker-0", metav1.DeleteOptions{})
		w.do("statefulset ns/c-worker") // counts it as terminating, and waits
		w.due("end ns/c-worker-0")
		w.settle()
		w.told("ends c-worker-0, gone c-worker-0, starts c-worker-0")
		if w.pod("c-worker-0").UID == before {
			t.Error("the pod is the same")
		}
	})
}

func TestAContainerIsEndedWhosePodWasDeletedByForce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		old := w.pod("c-worker-0")
		w.deletePod("c-worker-0", byForce)
		w.podExists("c-worker-0", false)
		orphan := "orphan ns/c-worker-0/" + string(old.UID)
		w.due(orphan, "statefulset ns/c-worker")
		w.do("statefulset ns/c-worker")
		w.do("schedule ns/c-worker-0")
		w.do("start ns/c-worker-0")
		w.told("starts c-worker-0") // beside the old
		w.do(orphan)
		w.told("ends c-worker-0, gone c-worker-0")
	})
}

func TestACutOffNodeRunsOnWhatWasDeletedByForce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		old := w.pod("c-worker-0")
		w.kube.Partition(old.Spec.NodeName)
		if w.kube.Reachable("ns", "c-worker-0") {
			t.Error("a container on a node that is cut off can be reached")
		}
		w.pass(nodeGrace)
		w.do("node-lifecycle " + old.Spec.NodeName)
		w.isReady("c-worker-0", false)
		if !w.container("c-worker-0").Ready {
			t.Error("the kubelet's last word, that the container is ready, is gone")
		}
		w.deletePod("c-worker-0", byForce)
		w.settle()
		w.told("starts c-worker-0") // on another node, and nobody has ended the old
		w.isReady("c-worker-0", true)
		if w.pod("c-worker-0").Spec.NodeName == old.Spec.NodeName {
			t.Error("a pod was scheduled to a node that does not answer")
		}
		w.kube.StartNode(old.Spec.NodeName)
		w.settle()
		w.told("ends c-worker-0, gone c-worker-0")
		w.isReady("c-worker-0", true)
	})
}

func TestACutOffNodeReturnsToPodsThatWaited(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up(forEver)
		node := w.pod("c-worker-0").Spec.NodeName
		before := w.container("c-worker-0").ContainerID
		w.kube.Partition(node)
		w.pass(nodeGrace)
		w.settle()
		time.Sleep(time.Hour)
		w.settle()
		w.isReady("c-worker-0", false)
		w.kube.StartNode(node)
		w.settle()
		w.told("")
		w.isReady("c-worker-0", true)
		if w.container("c-worker-0").ContainerID != before {
			t.Error("its container is another")
		}
	})
}

var forEver = corev1.Toleration{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}

func TestANodeWithoutPowerLosesItsPodsAfterTheirToleration(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		node := w.pod("c-worker-0").Spec.NodeName
		w.kube.StopNode(node)
		w.disks.told()
		w.isReady("c-worker-0", true) // nobody has noticed
		w.due()
		w.pass(nodeGrace)
		w.do("node-lifecycle " + node)
		w.isReady("c-worker-0", false)
		w.settle()
		w.pass(defaultToleration)
		w.do("evict ns/c-worker-0")
		w.settle()
		if w.pod("c-worker-0").DeletionTimestamp == nil {
			t.Error("it does not wait for its kubelet")
		}
		w.kube.StartNode(node)
		w.settle()
		if told := w.disks.told(); !slices.Contains([]string{"gone c-worker-0, starts c-worker-0", "gone c-worker-0, gone c-worker-1, starts c-worker-0, starts c-worker-1"}, told) {
			t.Errorf("the disks were told %q", told)
		}
		w.isReady("c-worker-0", true)
	})
}

func TestContainersStartAnewAfterAPowerCut(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		before := w.container("c-worker-0")
		w.scale(1)
		w.settle()
		w.disks.told()
		node := w.pod("c-worker-0").Spec.NodeName
		w.kube.StopNode(node)
		w.told("ends c-worker-0")
		w.kube.StartNode(node)
		w.due("report ns/c-worker-0", "restart ns/c-worker-0")
		w.do("restart ns/c-worker-0")
		w.told("starts c-worker-0")
		after := w.container("c-worker-0")
		if after.ContainerID == before.ContainerID || after.RestartCount != 1 || after.LastTerminationState.Terminated == nil {
			t.Errorf("the container after a power cut: %+v", after)
		}
	})
}

func TestPodsOfADeletedNodeAreCollected(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up(forEver)
		w.scale(1)
		w.settle()
		node := w.pod("c-worker-0").Spec.NodeName
		if w.kube.DeleteNode(node) {
			t.Error("a node with power was deleted")
		}
		w.kube.StopNode(node)
		w.kube.DeleteNode(node)
		w.disks.told()
		w.due()
		w.pass(quarantine)
		w.do("pod-gc ns/c-worker-0")
		w.podExists("c-worker-0", false)
		w.settle()
		w.told("starts c-worker-0")
		if w.pod("c-worker-0").Spec.NodeName == node || w.kube.StartNode(node) || !w.kube.AddNode(node) || w.kube.AddNode(node) {
			t.Error("the deleted node is in use")
		}
		w.due()
	})
}

func TestPodsOfANodeOutOfServiceAreCollected(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up(forEver)
		w.scale(1)
		w.settle()
		node := w.pod("c-worker-0").Spec.NodeName
		w.kube.StopNode(node)
		w.pass(nodeGrace)
		w.settle()
		if !w.kube.OutOfService(node, true) || w.kube.OutOfService(node, true) {
			t.Error("the taint was not set once")
		}
		w.disks.told()
		w.do("evict ns/c-worker-0")
		w.do("pod-gc ns/c-worker-0")
		w.settle()
		w.told("starts c-worker-0")
		w.kube.OutOfService(node, false)
		w.kube.StartNode(node)
		w.settle()
		w.told("gone c-worker-0")
	})
}

func TestACrashLoopWaitsLongerEachTime(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		w.kube.CrashContainer("ns", "c-worker-0", true)
		w.do("report ns/c-worker-0")
		if ended := w.container("c-worker-0").State.Terminated; ended == nil || ended.ExitCode != 137 || ended.Reason != "OOMKilled" {
			t.Errorf("how it ended: %v", ended)
		}
		w.settle()
		w.isReady("c-worker-0", true)
		for _, wait := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
			w.kube.CrashContainer("ns", "c-worker-0", false)
			w.settle()
			waiting := w.container("c-worker-0").State.Waiting
			if waiting == nil || waiting.Reason != "CrashLoopBackOff" {
				t.Fatalf("it does not wait: %v", w.container("c-worker-0").State)
			}
			if next, waits := w.kube.Next(); !waits || next != wait*time.Second {
				t.Errorf("it waits for %v, want %v s", next, int(wait))
			}
			time.Sleep(wait * time.Second)
			w.settle()
			w.isReady("c-worker-0", true)
		}
		time.Sleep(steady)
		w.kube.CrashContainer("ns", "c-worker-0", false)
		w.settle()
		w.isReady("c-worker-0", true)
		if got := w.container("c-worker-0").RestartCount; got != 9 {
			t.Errorf("it was restarted %d times", got)
		}
	})
}

func TestAClaimIsProtectedWhileAPodUsesIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		must(0, apiserver.Delete[*corev1.PersistentVolumeClaim](w.api, "ns", "persist-c-worker-1", metav1.DeleteOptions{}))
		w.due()
		w.claimExists("persist-c-worker-1", true)
		w.deletePod("c-worker-1", metav1.DeleteOptions{})
		w.do("end ns/c-worker-1")
		w.do("statefulset ns/c-worker") // waits for the claim to go
		w.podExists("c-worker-1", false)
		events := apiserver.List[*corev1.Event](w.api, "ns")
		if len(events) != 1 || events[0].Reason != "FailedCreate" || events[0].InvolvedObject.UID != w.set().UID {
			t.Errorf("events: %v", events)
		}
		w.do("claim-protection ns/persist-c-worker-1")
		w.told("ends c-worker-1, gone c-worker-1, removed persist-c-worker-1")
		w.settle()
		w.pass(firstRetry)
		w.settle()
		w.told("starts c-worker-1")
	})
}

func TestAVolumeGoesWithItsClaimWhoeverRemovesIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		claim, _ := apiserver.Get[*corev1.PersistentVolumeClaim](w.api, "ns", "persist-c-worker-0")
		unprotected := claim.DeepCopy()
		unprotected.Finalizers = nil
		must(apiserver.Update(w.api, unprotected))
		must(0, apiserver.Delete[*corev1.PersistentVolumeClaim](w.api, "ns", claim.Name, metav1.DeleteOptions{}))
		w.due("reclaim ns/persist-c-worker-0/" + string(claim.UID))
		w.settle()
		w.told("removed persist-c-worker-0")
	})
}

func TestAClaimWaitsForItsClass(t *testing.T) {
	inWorld(t, func(w *world) {
		set := newSet()
		set.Spec.Replicas = ptr.To[int32](1)
		set.Spec.VolumeClaimTemplates[0].Spec.StorageClassName = ptr.To("fast")
		must(apiserver.Create(w.api, set))
		w.settle()
		w.told("")
		claim, _ := apiserver.Get[*corev1.PersistentVolumeClaim](w.api, "ns", "persist-c-worker-0")
		if events := apiserver.List[*corev1.Event](w.api, "ns"); len(events) != 1 || events[0].Reason != "ProvisioningFailed" || events[0].InvolvedObject.UID != claim.UID {
			t.Errorf("events: %v", events)
		}
		if c := podCondition(w.pod("c-worker-0"), corev1.PodScheduled); c == nil || c.Reason != corev1.PodReasonUnschedulable {
			t.Errorf("scheduled: %v", c)
		}
		must(apiserver.Create(w.api, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "fast"}}))
		w.settle()
		w.told("starts c-worker-0")
	})
}

func TestANameThatIsTakenHoldsUpASet(t *testing.T) {
	inWorld(t, func(w *world) {
		other := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c-worker-1"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "other", Image: "other"}}}}
		must(apiserver.Create(w.api, other))
		must(apiserver.Create(w.api, newSet()))
		w.settle()
		w.told("starts c-worker-0, starts c-worker-1")
		w.isReady("c-worker-1", true)
		if status := w.set().Status; status.Replicas != 1 {
			t.Errorf("the set's status: %+v", status)
		}
		w.deletePod("c-worker-1", metav1.DeleteOptions{})
		w.settle()
		time.Sleep(longestRetry)
		w.settle()
		w.told("ends c-worker-1, gone c-worker-1, starts c-worker-1")
	})
}

func TestAPodWithAFinalizerIsEndedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		held := w.pod("c-worker-0").DeepCopy()
		held.Finalizers = []string{"example.com/held"}
		must(apiserver.Update(w.api, held))
		w.deletePod("c-worker-0", metav1.DeleteOptions{})
		w.settle()
		w.told("ends c-worker-0, gone c-worker-0")
		freed := w.pod("c-worker-0").DeepCopy()
		freed.Finalizers = nil
		must(apiserver.Update(w.api, freed))
		w.settle()
		w.told("starts c-worker-0")
	})
}

func TestGarbageOfADeletedSet(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		must(0, apiserver.Delete[*appsv1.StatefulSet](w.api, "ns", "c-worker", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}))
		due := w.kube.Due()
		if len(due) != 3 || due[0] != "gc pod ns/c-worker-0" || due[1] != "gc pod ns/c-worker-1" {
			t.Errorf("due: %q", due)
		}
		w.settle()
		w.told("ends c-worker-0, ends c-worker-1, gone c-worker-0, gone c-worker-1")
		if pods, revisions := apiserver.List[*corev1.Pod](w.api, ""), apiserver.List[*appsv1.ControllerRevision](w.api, ""); len(pods)+len(revisions) > 0 {
			t.Errorf("left: %v %v", pods, revisions)
		}
		w.claimExists("persist-c-worker-0", true)
	})
}

func TestASetDeletedWithoutItsPodsIsSucceeded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		before := w.pod("c-worker-0").UID
		must(0, apiserver.Delete[*appsv1.StatefulSet](w.api, "ns", "c-worker", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}))
		w.settle()
		must(apiserver.Create(w.api, newSet()))
		w.settle()
		w.told("")
		if pod := w.pod("c-worker-0"); pod.UID != before || !metav1.IsControlledBy(pod, w.set()) {
			t.Error("the pod was not adopted")
		}
	})
}

func TestASetDeletedInTheForegroundGoesLast(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up()
		must(0, apiserver.Delete[*appsv1.StatefulSet](w.api, "ns", "c-worker", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}))
		w.do("gc pod ns/c-worker-0")
		w.do("end ns/c-worker-0")
		w.set() // is still there
		w.settle()
		if _, found := apiserver.Get[*appsv1.StatefulSet](w.api, "ns", "c-worker"); found {
			t.Error("the set is still there")
		}
	})
}

func TestRefusedPodsAreToldAndTriedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.kube.RefusePods(true)
		must(apiserver.Create(w.api, newSet()))
		w.settle()
		w.podExists("c-worker-0", false)
		events := apiserver.List[*corev1.Event](w.api, "ns")
		if len(events) != 1 || events[0].Reason != "FailedCreate" || events[0].Type != corev1.EventTypeWarning {
			t.Fatalf("events: %v", events)
		}
		w.pass(firstRetry)
		w.settle()
		if again := apiserver.List[*corev1.Event](w.api, "ns"); len(again) != 1 || again[0].Count <= events[0].Count {
			t.Errorf("events: %v", again)
		}
		w.kube.RefusePods(false)
		w.due() // until its next try
		w.pass(2 * firstRetry)
		w.settle()
		w.told("starts c-worker-0, starts c-worker-1")
	})
}

func TestTheSameMovesGiveTheSameWorld(t *testing.T) {
	run := func(t *testing.T) (log []string) {
		inWorld(t, func(w *world) {
			must(apiserver.Create(w.api, newSet()))
			for i := range 200 {
				due := w.kube.Due()
				if len(due) == 0 {
					switch i % 3 {
					case 0:
						w.kube.CrashContainer("ns", "c-worker-0", false)
					case 1:
						w.kube.StopNode("node-2")
					case 2:
						w.kube.StartNode("node-2")
					}
					time.Sleep(time.Minute)
					continue
				}
				move := due[i%len(due)]
				w.do(move)
				log = append(log, move)
			}
			log = append(log, w.disks.lines...)
		})
		return log
	}
	if first, second := run(t), run(t); !slices.Equal(first, second) {
		t.Errorf("once %q, then %q", first, second)
	}
}

func BenchmarkDue(b *testing.B) {
	disks := &ledger{pods: map[types.UID]string{}, claims: map[types.UID]string{}}
	api := apiserver.New()
	k := New(api, disks, "node-1", "node-2", "node-3")
	set := newSet()
	set.Spec.Replicas = ptr.To[int32](10)
	must(apiserver.Create(api, set))
	for due := k.Due(); len(due) > 0; due = k.Due() {
		k.Do(due[0])
	}
	for b.Loop() {
		k.stale = true
		k.Due()
	}
}
