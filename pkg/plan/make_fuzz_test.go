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
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// FuzzMake has decisions made about observations that nobody has thought of: a
// world in some stage of a cluster's life, and then whatever may be wrong with
// any of its objects. The first byte is the stage, the others are the dice.
func FuzzMake(f *testing.F) {
	for stage := range 10 {
		f.Add([]byte{byte(stage)})
		f.Add(append([]byte{byte(stage)}, bytes.Repeat([]byte{10, 3, 7, 1}, 8)...))
	}
	var once sync.Once
	var all []*world
	f.Fuzz(func(t *testing.T, input []byte) {
		once.Do(func() { all = stages(t) })
		d := &dice{input[:min(len(input), 400)]}
		w := &disorder{dice: d, world: all[d.throw(len(all))].copied(t)}
		w.live()
	})
}

// live has everything happen that the dice hold, and then nothing more: soon there must be nothing left to do.
func (w *disorder) live() {
	w.t.Helper()
	for w.left() {
		w.strike()
	}
	for range 30 {
		if !w.act() {
			return
		}
	}
	if len(w.refused) > 0 || w.forged {
		return // what is refused is tried for ever
	}
	w.t.Fatalf("no fixpoint after 30 passes:\n%s", strings.Join(w.lines[len(w.lines)-4:], "--\n"))
}

// stages are worlds in which much is going on, each in another part of a cluster's life.
func stages(t *testing.T) []*world {
	fresh := newWorld(t, testCluster(), walkApp())
	recorded := newWorld(t, testCluster(), walkApp())
	recorded.settle()
	configuring := newWorld(t, withStorage(testCluster()), walkApp())
	configuring.settle()
	configuring.startAll()
	configuring.settle()
	failed := configuring.copied(t)
	failed.fail("c-worker-0", 1)
	failed.settle()
	growing := resizable(t, testCluster())
	growing.scale(4)
	growing.settle()
	growing.advance(noFailure)
	growing.settle()
	shrinking := resizable(t, withStorage(testCluster()))
	shrinking.scale(1)
	shrinking.settle()
	vetoed := shrinking.copied(t)
	vetoed.converge(func(s Step) int32 {
		if s.Event.Name == v1alpha1.EventDecommission {
			return vetoes
		}
		return 0
	})
	suspended := resizable(t, withStorage(testCluster()))
	suspended.suspend(true)
	suspended.converge(noFailure)
	deleting := resizable(t, deletingVolumes(withStorage(testCluster())))
	for _, pod := range sorted(deleting.Pods) {
		deleting.claim(names.Claim(pod.Name), "c")
	}
	deleting.Cluster.DeletionTimestamp = ptr.To(metav1.NewTime(deleting.Now))
	deleting.settle()
	return []*world{resizable(t, withStorage(testCluster())), fresh, recorded, configuring, failed, growing, shrinking, vetoed, suspended, deleting}
}

// copied is a world of its own that is equal.
func (w *world) copied(t *testing.T) *world {
	return &world{t: t, Observed: copyOf(w.Observed), uids: w.uids, steps: maps.Clone(w.steps), marked: maps.Clone(w.marked), ledger: maps.Clone(w.ledger),
		crashAfter: w.crashAfter, refuse: w.refuse}
}

// copyOf shares nothing with an observation that a decision could change.
func copyOf(o *Observed) *Observed {
	c := *o
	c.Cluster, c.App = o.Cluster.DeepCopy(), o.App.DeepCopy()
	c.Services, c.Sets, c.Claims, c.Pods = copies(o.Services), copies(o.Sets), copies(o.Claims), copies(o.Pods)
	c.Revisions = slices.Clone(o.Revisions)
	for i := range c.Revisions {
		c.Revisions[i] = c.Revisions[i].DeepCopy()
	}
	if o.StorageClasses != nil {
		classes := *o.StorageClasses
		classes.Names = maps.Clone(classes.Names)
		c.StorageClasses = &classes
	}
	c.Outcomes, c.Warnings, c.Refusals, c.Packages = maps.Clone(o.Outcomes), maps.Clone(o.Warnings), maps.Clone(o.Refusals), maps.Clone(o.Packages)
	for uid, outcome := range c.Outcomes {
		if outcome.Event != nil {
			result := *outcome.Event
			outcome.Event = &result
			c.Outcomes[uid] = outcome
		}
	}
	return &c
}

func copies[O interface{ DeepCopy() O }](objects map[string]O) map[string]O {
	all := make(map[string]O, len(objects))
	for name, object := range objects {
		all[name] = object.DeepCopy()
	}
	return all
}

// act makes one plan, judges it and carries it out; it returns whether anything was asked for.
func (w *disorder) act() bool {
	w.t.Helper()
	w.lookAtPods()
	frozen := copyOf(w.Observed)
	p := Make(w.Observed)
	if !reflect.DeepEqual(frozen, w.Observed) {
		w.t.Fatalf("Make changed its observation:\n%s", cmp.Diff(frozen, w.Observed))
	}
	w.repeats(p)
	w.lines = append(w.lines, w.describe(p))
	w.statusIsSound(p)
	for _, action := range p.Actions {
		if w.known(action) {
			return false
		}
		w.isSound(action)
	}
	if p.Status != nil {
		w.Cluster.Status = readBack(w.t, p.Status)
	}
	if p.Record != "" {
		if len(p.Actions) > 0 {
			w.t.Fatalf("it acts on what is not recorded:\n%s", p)
		}
		return true
	}
	w.Refusals = map[string]string{}
	for _, action := range p.Actions {
		if text := action.String(); slices.ContainsFunc(w.refused, func(begins string) bool { return strings.HasPrefix(text, begins) }) {
			w.Refusals[text] = "no"
			continue
		}
		w.do(action)
	}
	return p.Status != nil || len(p.Actions) > 0
}

// readBack is a status as the API server gives it back.
func readBack(t *testing.T, written *v1alpha1.KubeDirectorClusterStatus) (read v1alpha1.KubeDirectorClusterStatus) {
	t.Helper()
	raw, err := json.Marshal(written)
	if err == nil {
		err = json.Unmarshal(raw, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// lookAtPods leaves out the pods that an observation never holds: those of StatefulSets that are somebody else's.
func (w *disorder) lookAtPods() {
	maps.DeleteFunc(w.Pods, func(_ string, pod *corev1.Pod) bool { return !w.ownsPod(pod) })
}

// repeats fails unless the same is decided again.
func (w *disorder) repeats(p *Plan) {
	w.t.Helper()
	again := Make(w.Observed)
	if diff := cmp.Diff(p.String(), again.String()); diff != "" {
		w.t.Fatalf("equal observations gave different plans:\n%s", diff)
	}
	if diff := cmp.Diff(p.Status, again.Status); diff != "" {
		w.t.Fatalf("equal observations gave different statuses:\n%s", diff)
	}
	for i, action := range p.Actions {
		if a, b := body(w.t, action), body(w.t, again.Actions[i]); !bytes.Equal(a, b) {
			w.t.Fatalf("%s: %s and %s", action, a, b)
		}
	}
}

// body is what a patch or a new object sends; nil for other actions.
func body(t *testing.T, action Action) []byte {
	t.Helper()
	var patch resources.Patch
	switch a := action.(type) {
	case PatchService:
		patch = a.Patch
	case PatchSet:
		patch = a.Patch
	default:
		return nil
	}
	sent, err := patch.MergePatch("uid", "1")
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return sent
}

// statusIsSound fails for a status that the API server would refuse, or that takes back a number.
func (w *disorder) statusIsSound(p *Plan) {
	w.t.Helper()
	for _, note := range p.Notes {
		if len(note.Message) > 1024 || note.Reason == "" || note.Type == "" {
			w.t.Fatalf("no Event of Kubernetes is so: %d bytes, %s", len(note.Message), note)
		}
	}
	if p.Again < 0 {
		w.t.Fatalf("again after %s", p.Again)
	}
	if p.Status == nil {
		return
	}
	before, after := &w.Cluster.Status, p.Status
	if after.LastNodeID < before.LastNodeID || after.LastEvent < before.LastEvent || after.MetadataGeneration < before.MetadataGeneration {
		w.t.Fatalf("numbers go back: node IDs %d -> %d, events %d -> %d, metadata %d -> %d",
			before.LastNodeID, after.LastNodeID, before.LastEvent, after.LastEvent, before.MetadataGeneration, after.MetadataGeneration)
	}
	if !slices.Contains(clusterStates, after.State) {
		w.t.Fatalf("state %q", after.State)
	}
	seen := map[string]bool{}
	for _, c := range after.Conditions {
		if seen[c.Type] || c.Reason == "" || c.Status == "" || c.LastTransitionTime.IsZero() || len(c.Message) > maxMessage {
			w.t.Fatalf("condition %+v", c)
		}
		seen[c.Type] = true
	}
	numbers := map[int64]bool{}
	for _, event := range after.PendingEvents {
		if numbers[event.Number] || event.Event == "" {
			w.t.Fatalf("pending events %+v", after.PendingEvents)
		}
		numbers[event.Number] = true
	}
	for _, role := range after.Roles {
		for _, m := range role.Members {
			if !slices.Contains(memberStates, m.State) {
				w.t.Fatalf("member %+v", m)
			}
			if m.Event != nil && (m.Event.State == EventSucceeded || m.Event.State == "" || m.Event.Name == "") {
				w.t.Fatalf("member %s: event %+v", m.Pod, m.Event)
			}
		}
	}
}

// isSound fails for an action on an object that is not there, has been replaced, or is somebody else's.
func (w *disorder) isSound(action Action) {
	w.t.Helper()
	fail := func(why string) {
		w.t.Helper()
		w.t.Fatalf("%s: %s\n%s", action, why, strings.Join(w.lines[max(0, len(w.lines)-3):], "--\n"))
	}
	own := func(there bool, o metav1.Object, named Object) {
		w.t.Helper()
		switch {
		case !there:
			fail("there is none")
		case o.GetUID() != named.UID || o.GetResourceVersion() != named.Version:
			fail("it is not the one observed")
		case !metav1.IsControlledBy(o, w.Cluster):
			fail("it is somebody else's")
		}
	}
	switch a := action.(type) {
	case AddFinalizer:
		if slices.Contains(w.Cluster.Finalizers, names.Finalizer) || w.Cluster.DeletionTimestamp != nil {
			fail("it is there, or too late")
		}
	case RemoveFinalizer:
		if !slices.Contains(w.Cluster.Finalizers, names.Finalizer) || w.Cluster.DeletionTimestamp == nil {
			fail("it is not there, or the cluster stays")
		}
	case CreateRevision:
		for _, r := range w.Revisions {
			if r.Name == a.Revision.Name {
				fail("it is there")
			}
		}
	case DeleteRevision:
		for _, r := range w.Revisions {
			if objectOf(r) == a.Revision {
				return
			}
		}
		fail("there is none")
	case CreateService:
		if w.Services[a.Service.Name] != nil || a.Service.Namespace != w.Cluster.Namespace || !metav1.IsControlledBy(a.Service, w.Cluster) {
			fail("it is there, or would be somebody else's")
		}
	case PatchService:
		service, there := w.Services[a.Service.Name]
		own(there, service, a.Service)
	case DeleteService:
		service, there := w.Services[a.Service.Name]
		own(there, service, a.Service)
	case CreateSet:
		if w.Sets[a.Set.Name] != nil && !w.forged || a.Set.Namespace != w.Cluster.Namespace || !metav1.IsControlledBy(a.Set, w.Cluster) {
			fail("it is there, or would be somebody else's")
		}
	case PatchSet:
		set, there := w.Sets[a.Set.Name]
		own(there, set, a.Set)
	case DeleteSet:
		set, there := w.Sets[a.Set.Name]
		own(there, set, a.Set)
	case DeletePod:
		if pod := w.Pods[a.Pod.Name]; pod == nil || pod.UID != a.Pod.UID || !w.ownsPod(pod) {
			fail("it is not there, or somebody else's")
		}
	case DeleteClaim:
		if claim := w.Claims[a.Claim.Name]; claim == nil || claim.UID != a.Claim.UID || claim.Labels[names.LabelCluster] != w.Cluster.Name || !w.isMembers(claim) {
			fail("it is not there, or no member's")
		}
	case VisitGuest:
		w.visitIsSound(a.Step, fail)
	}
}

// known is true for an action on what stands, somebody else's, under the name of
// a member that leaves. Such a world is judged no further.
func (w *disorder) known(action Action) bool {
	switch a := action.(type) {
	case PatchService:
		service := w.Services[a.Service.Name]
		return service != nil && !metav1.IsControlledBy(service, w.Cluster)
	case PatchSet:
		set := w.Sets[a.Set.Name]
		return set != nil && !metav1.IsControlledBy(set, w.Cluster)
	case DeleteClaim:
		claim := w.Claims[a.Claim.Name]
		return claim != nil && claim.Labels[names.LabelCluster] != w.Cluster.Name
	}
	return false
}

func (w *disorder) visitIsSound(step Step, fail func(string)) {
	w.t.Helper()
	pod := w.Pods[step.Container.Pod.Name]
	if pod == nil || pod.UID != step.Container.PodUID || !w.ownsPod(pod) || pod.DeletionTimestamp != nil {
		fail("its pod is not there, or somebody else's")
	}
	c := containerStatus(pod.Status.ContainerStatuses, names.ContainerName)
	if c == nil || c.State.Running == nil || c.ContainerID != step.Container.ID || c.ContainerID == "" {
		fail("its container does not run")
	}
	if step.Event != nil && step.Package == nil {
		fail("nothing says what is to be run")
	}
	if _, err := step.Metadata(); err != nil && !strings.Contains(err.Error(), "has no role") {
		fail(err.Error())
	}
}

// ownsPod is true for a pod of a StatefulSet of the cluster.
func (w *disorder) ownsPod(pod *corev1.Pod) bool {
	for _, set := range w.Sets {
		if metav1.IsControlledBy(pod, set) && metav1.IsControlledBy(set, w.Cluster) {
			return true
		}
	}
	return false
}

// isMembers is true for the claim of a member on record, or on one that was lost and is rebuilt.
func (w *disorder) isMembers(claim *corev1.PersistentVolumeClaim) bool {
	return len(w.Cluster.Status.Roles) == 0 || slices.ContainsFunc(w.Cluster.Status.Roles, func(role v1alpha1.RoleStatus) bool {
		return slices.ContainsFunc(role.Members, func(m v1alpha1.MemberStatus) bool { return names.Claim(m.Pod) == claim.Name })
	})
}
