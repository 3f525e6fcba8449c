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
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// walk is a life in which anything may happen at any time; the invariants are
// looked at after every pass.
type walk struct {
	*world
	rng        *rand.Rand
	ids        map[string]int64 // node IDs once given, by pod
	containers int
	// realised is the last spec for which the cluster was Ready.
	realised *v1alpha1.KubeDirectorClusterSpec
}

// walkApp takes every event.
func walkApp() *v1alpha1.KubeDirectorApp {
	app := testApp()
	app.Spec.DefaultEventList = append(app.Spec.DefaultEventList, v1alpha1.EventAddNodes, v1alpha1.EventDelNodes,
		v1alpha1.EventDecommission, v1alpha1.EventStop, v1alpha1.EventStart, v1alpha1.EventDelete)
	return app
}

func (w *walk) anyPod() string {
	var pods []string
	for _, role := range w.Cluster.Status.Roles {
		for _, m := range role.Members {
			pods = append(pods, m.Pod)
		}
	}
	if len(pods) == 0 {
		return ""
	}
	return pods[w.rng.IntN(len(pods))]
}

// happen changes the world in one way.
func (w *walk) happen() {
	pod := w.anyPod()
	switch w.rng.IntN(13) {
	case 0, 1, 2: // containers start, or are replaced
		if set, _, _ := names.ParsePod(pod); w.Sets[set] != nil {
			w.containers++
			w.start(pod, w.containers)
		}
	case 3:
		delete(w.Pods, pod)
	case 4:
		if p := w.Pods[pod]; p != nil {
			p = p.DeepCopy()
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: names.ContainerName, State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}
			w.Pods[pod] = p
		}
	case 5, 6, 7, 8:
		w.conclude(pod)
	case 9:
		w.after(time.Duration(w.rng.IntN(120)) * time.Second)
	case 10:
		w.mutate()
	case 11:
		w.harm(pod)
	case 12:
		if w.Pods[pod] != nil && w.Cluster.Status.FirstReadyTime != nil {
			w.turnReady(pod)
		}
	}
}

// harm is what people do to a cluster behind the controller's back.
func (w *walk) harm(pod string) {
	switch w.rng.IntN(6) {
	case 0:
		if set, _, _ := names.ParsePod(pod); w.Sets[set] != nil {
			w.do(DeleteSet{Object{Name: set}})
		}
	case 1:
		delete(w.Services, names.MemberService(pod))
	case 2:
		delete(w.Services, "c")
	case 3:
		w.App = nil
	case 4:
		w.App = walkApp()
	case 5:
		if len(w.Sets) == 2 && w.bearsRecord() { // together with a StatefulSet, its role's members would be lost
			w.loseStatus()
		}
	}
}

// bearsRecord is true while the objects tell of the members that status records.
func (w *walk) bearsRecord() bool {
	for _, role := range w.Cluster.Status.Roles {
		var ids []int64
		for _, m := range role.Members {
			ids = append(ids, m.NodeID)
		}
		if w.Sets[role.StatefulSet] == nil || w.Sets[role.StatefulSet].Annotations[names.AnnotationNodeIDs] != names.FormatNodeIDs(ids) {
			return false
		}
	}
	return w.Services["c"] != nil && w.Services["c"].Annotations[names.AnnotationLastNodeID] == fmt.Sprint(w.Cluster.Status.LastNodeID)
}

// conclude gives the visit to a pod some outcome.
func (w *walk) conclude(pod string) {
	p := w.Pods[pod]
	if p == nil {
		return
	}
	outcome, asked := w.Outcomes[p.UID]
	if !asked || outcome.Phase == PhaseDone {
		return
	}
	switch w.rng.IntN(8) {
	case 0:
		w.answer(pod, PhaseRunning, &EventResult{State: v1alpha1.EventRunning, StartedAt: w.Now, Deadline: w.Now.Add(time.Hour)})
	case 1:
		w.fail(pod, int32(w.rng.IntN(200)+1))
	case 2:
		w.answer(pod, PhaseUnreachable, nil)
	case 3:
		w.answer(pod, PhaseFaulted, nil)
	case 4:
		delete(w.Outcomes, p.UID) // the controller was started again
	default:
		w.answer(pod, PhaseDone, &EventResult{State: EventSucceeded, Here: w.rng.IntN(2) == 0, StartedAt: w.Now, FinishedAt: w.Now})
	}
}

func (w *walk) mutate() {
	cluster := w.Cluster.DeepCopy()
	switch w.rng.IntN(12) {
	case 6, 7, 8:
		cluster.Spec.Roles[1].Members = ptr.To(int32(w.rng.IntN(5) + 1))
	case 9:
		cluster.Spec.Suspend = !cluster.Spec.Suspend
	case 10:
		cluster.Spec.Paused = !cluster.Spec.Paused
	case 11:
		w.ask()
		return
	case 0:
		cluster.Spec.Roles[1].Members = ptr.To(int32(w.rng.IntN(4)))
	case 1:
		cluster.Spec.ServiceType = []corev1.ServiceType{"ClusterIP", "NodePort"}[w.rng.IntN(2)]
	case 2:
		cluster.Spec.Roles[0].Env = []corev1.EnvVar{{Name: "A", Value: fmt.Sprint(w.rng.IntN(3))}}
	case 3:
		storage := withStorage(testCluster()).Spec.Roles[0].Storage
		cluster.Spec.Roles[0].Storage = []*v1alpha1.Storage{nil, storage}[w.rng.IntN(2)]
	case 4:
		cluster.Spec.Roles[1].ID = []string{"worker", "boss"}[w.rng.IntN(2)]
	case 5:
		if w.App == nil {
			return
		}
		app := w.App.DeepCopy()
		app.Spec.DefaultImageRepoTag = fmt.Sprintf("example/app:%d", w.rng.IntN(3))
		w.App = app
		return
	}
	cluster.Generation++
	w.Cluster = cluster
}

// ask has a user ask for something once.
func (w *walk) ask() {
	id := w.rng.Int64N(max(w.Cluster.Status.LastNodeID, 1)) + 1
	switch w.rng.IntN(4) {
	case 0:
		w.annotate(names.AnnotationReplace, fmt.Sprint(id))
	case 1:
		w.annotate(names.AnnotationReplace, fmt.Sprintf("%d+volume", id))
	case 2:
		w.annotate(names.AnnotationForceRemove, fmt.Sprint(id))
	case 3:
		w.annotate(names.AnnotationRetry, fmt.Sprint(w.rng.IntN(100)))
	}
}

// crash carries out a part of a plan: the controller ends between two writes,
// and the next one knows only what is written.
func (w *walk) crash(p *Plan) {
	defer clear(w.Outcomes)
	if p.Record != "" {
		return
	}
	for _, action := range p.Actions[:w.rng.IntN(len(p.Actions)+1)] {
		w.do(action)
	}
}

// check is what must hold after every pass.
func (w *walk) check() {
	w.t.Helper()
	status := &w.Cluster.Status
	suspended := w.condition(v1alpha1.ConditionSuspended).Status == metav1.ConditionTrue
	for _, role := range status.Roles {
		for _, m := range role.Members {
			if id, known := w.ids[m.Pod]; known && id > m.NodeID {
				w.t.Fatalf("node ID of %s went from %d to %d", m.Pod, id, m.NodeID)
			}
			w.ids[m.Pod] = m.NodeID
			if m.NodeID > status.LastNodeID {
				w.t.Fatalf("node ID %d of %s is beyond lastNodeID %d", m.NodeID, m.Pod, status.LastNodeID)
			}
			if status.State == v1alpha1.ClusterReady && !suspended && (m.State != v1alpha1.MemberReady || m.MetadataGeneration != status.MetadataGeneration || m.Event != nil) {
				w.t.Fatalf("the cluster is ready, its member is %+v", m)
			}
		}
	}
	ready := w.condition(v1alpha1.ConditionReady)
	if ready.Status != metav1.ConditionTrue {
		return
	}
	if status.State != v1alpha1.ClusterReady {
		w.t.Fatalf("Ready is True in state %q", status.State)
	}
	if ready.ObservedGeneration == w.Cluster.Generation {
		w.realised = w.Cluster.Spec.DeepCopy()
	}
	for _, service := range w.Services {
		asked := w.Cluster.Spec.ServiceType
		if ready.ObservedGeneration == w.Cluster.Generation && asked != "" && service.Spec.ClusterIP == "" && service.Spec.Type != asked {
			w.t.Fatalf("Ready is True for a spec that asks for %s, Service %s has type %s", asked, service.Name, service.Spec.Type)
		}
	}
}

// visitsAreSound: a container is visited only while it is the one that runs, and nobody before it is recorded.
func (w *walk) visitsAreSound(p *Plan) {
	w.t.Helper()
	for _, action := range p.Actions {
		w.deletionIsSound(action)
		visit, ok := action.(VisitGuest)
		if !ok {
			continue
		}
		if on := visit.Step.Event; on != nil && isPending(on.Name) {
			w.callIsSound(visit.Step)
		}
		pod := w.Pods[visit.Step.Container.Pod.Name]
		if pod == nil || pod.UID != visit.Step.Container.PodUID || pod.Status.ContainerStatuses[0].ContainerID != visit.Step.Container.ID || pod.Status.ContainerStatuses[0].State.Running == nil {
			w.t.Fatalf("%s: its container does not run", action)
		}
		if on := visit.Step.Event; on != nil && on.Attempt > 1 {
			recorded := w.member(visit.Step.Container.Pod.Name).Event
			if recorded == nil || recorded.Attempt != on.Attempt {
				w.t.Fatalf("%s: the attempt is not on record: %+v", action, recorded)
			}
		}
		if _, err := visit.Step.Metadata(); err != nil {
			w.t.Fatalf("%s: %v", action, err)
		}
	}
}

// callIsSound: a member is called for what is on record, named to the end, and still due to it.
func (w *walk) callIsSound(step Step) {
	w.t.Helper()
	for _, event := range w.Cluster.Status.PendingEvents {
		if event.Number == step.Event.Generation {
			if event.Open || event.Event != step.Event.Name || slices.Contains(event.NodeIDs, step.NodeID) != (event.Event == v1alpha1.EventDecommission) {
				w.t.Fatalf("%s: %+v", step.String(), event)
			}
			return
		}
	}
	w.t.Fatalf("%s: no such event is on record: %+v", step.String(), w.Cluster.Status.PendingEvents)
}

// deletionIsSound: what works is deleted for a reason that is on record, and data by the user's word alone.
func (w *walk) deletionIsSound(action Action) {
	w.t.Helper()
	status := &w.Cluster.Status
	switch a := action.(type) {
	case DeletePod:
		retired := w.member(a.Pod.Name).Retired
		if status.FirstReadyTime != nil && (retired == nil || retired.UID != a.Pod.UID) {
			w.t.Fatalf("%s: its member has not left it: %+v", action, retired)
		}
	case DeleteClaim:
		pod := strings.TrimPrefix(a.Claim.Name, names.ClaimTemplate+"-")
		if retired := w.member(pod).Retired; status.FirstReadyTime != nil && (retired == nil || retired.ClaimUID != a.Claim.UID) {
			w.t.Fatalf("%s: nobody said so: %+v", action, retired)
		}
	case PatchSet:
		set := w.Sets[a.Set.Name]
		after := patched(w.t, set, a.Patch)
		for n := *after.Spec.Replicas; n < *set.Spec.Replicas; n++ {
			pod := w.Pods[names.Pod(set.Name, int(n))]
			if pod == nil {
				continue
			}
			if m := w.member(names.Pod(set.Name, int(n))); m.State == v1alpha1.MemberLeaving && m.MetadataGeneration == 0 {
				continue // nothing was ever done in its pod
			} else if m.Retired == nil || m.Retired.UID != pod.UID && m.Retired.Why != v1alpha1.RetiredSuspended && m.State != v1alpha1.MemberDeleting {
				w.t.Fatalf("%s: member %s has not left: %+v", action, m.Pod, m)
			}
		}
	}
}

// walks is how many lives are walked: more by the environment variable WALKS.
func walks(usual uint64) uint64 {
	if asked, err := strconv.ParseUint(os.Getenv("WALKS"), 10, 64); err == nil {
		return asked
	}
	return usual
}

func TestPropertyAnyLifeSettlesAndHoldsItsInvariants(t *testing.T) {
	for seed := range walks(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cluster := testCluster()
			if seed%2 == 0 {
				cluster = withStorage(cluster)
			}
			w := &walk{world: newWorld(t, cluster, walkApp()), rng: rand.New(rand.NewPCG(seed, 1)), ids: map[string]int64{}}
			w.settle()
			for range 150 {
				w.happen()
				frozen := w.Cluster.DeepCopy()
				p := Make(w.Observed)
				if diff := cmp.Diff(frozen, w.Cluster); diff != "" {
					t.Fatalf("Make changed its observation: %s", diff)
				}
				if again := Make(w.Observed); again.String() != p.String() {
					t.Fatalf("equal observations gave different plans:\n%s\nand\n%s", p, again)
				}
				w.visitsAreSound(p)
				if w.rng.IntN(8) == 0 {
					w.crash(p)
				} else {
					w.pass()
				}
				w.check()
			}
			w.recover()
		})
	}
}

// recover ends all faults: the last spec that can be realised, containers that
// run, scripts that succeed. The cluster must become ready, and then be silent.
func (w *walk) recover() {
	w.t.Helper()
	cluster := w.Cluster.DeepCopy()
	switch {
	case w.realised != nil && cluster.Status.FirstReadyTime != nil:
		cluster.Spec = *w.realised
	default:
		cluster.Spec.Roles[1].ID = "worker"
		for _, role := range cluster.Status.Roles {
			roleSpec(cluster, role.ID).Members = ptr.To(role.Desired)
		}
	}
	w.App = walkApp()
	cluster.Spec.Suspend, cluster.Spec.Paused = false, false
	cluster.Generation++
	w.Cluster = cluster
	w.settle()
	for range 12 {
		for name, pod := range w.Pods {
			if len(pod.Status.ContainerStatuses) == 0 || pod.Status.ContainerStatuses[0].State.Running == nil {
				w.containers++
				w.start(name, w.containers)
			}
			if outcome, asked := w.Outcomes[pod.UID]; asked && outcome.Phase != PhaseDone && outcome.Phase != PhaseUnderway {
				w.succeed(name)
			}
		}
		w.converge(noFailure)
		key := catalog.ConfigMapKey{Namespace: "ns", Name: "setup", Key: "setup.tgz"}
		w.after(11 * time.Minute)
		w.Packages[key] = PackageCheck{Version: fmt.Sprint(w.containers, w.Now), At: w.Now}
		w.converge(noFailure)
	}
	if w.Cluster.Status.State != v1alpha1.ClusterReady {
		w.t.Fatalf("after all faults stopped, the cluster is %q:\n%s", w.Cluster.Status.State, strings.Join(w.lines[max(0, len(w.lines)-6):], "--\n"))
	}
}
