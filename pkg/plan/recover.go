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
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// recoverStatus rebuilds what status has lost from the annotations of the
// cluster's objects, which were written after it. What members have done is then
// found on their disks. A status that is older than the objects, as one that was
// restored from a backup is, is as good as lost.
func recoverStatus(d *draft) bool {
	contradicts := d.contradicts()
	if d.enrolled() && !d.outOfDate() && !contradicts {
		return true
	}
	if contradicts {
		d.status.PendingEvents = nil
	}
	d.status.Roles = nil
	d.recoverReadyTime()
	journal := d.journal()
	d.recoverRoster(journal)
	d.recoverEvents(journal)
	if d.enrolled() {
		d.record("what was rebuilt from the objects") // of which the first may be deleted next
	}
	return true
}

// outOfDate is true when an object of the cluster bears a number that status has not come to.
func (d *draft) outOfDate() bool {
	if headless := d.headless(); headless != nil {
		journal := d.journal()
		if numberIn(headless, names.AnnotationLastNodeID) > d.status.LastNodeID || journal != nil && journal.Last > d.status.LastEvent {
			return true
		}
	}
	return slices.ContainsFunc(d.ownSets(), func(set *appsv1.StatefulSet) bool {
		return numberIn(set, names.AnnotationMetadataGeneration) > d.status.MetadataGeneration
	})
}

// contradicts is true of a status that no controller has written: it is as good as lost.
func (d *draft) contradicts() bool {
	ids, pods := map[int64]bool{}, map[string]bool{}
	for _, role := range d.status.Roles {
		for _, m := range role.Members {
			set, ordinal, ok := names.ParsePod(m.Pod)
			if !ok || set != role.StatefulSet || ordinal > maxOrdinal || m.NodeID < 1 || m.NodeID > d.status.LastNodeID || ids[m.NodeID] || pods[m.Pod] {
				return true
			}
			ids[m.NodeID], pods[m.Pod] = true, true
		}
	}
	last := int64(0)
	for _, event := range d.status.PendingEvents {
		if event.Number <= last || event.Number > d.status.LastEvent || len(event.Members) != len(event.NodeIDs) {
			return true
		}
		last = event.Number
	}
	return false
}

// maxOrdinal is beyond what a role can have: of all ordinals up to a member's is thought.
const maxOrdinal = 100_000

// headless is the cluster's own headless Service; nil when there is none.
func (d *draft) headless() *corev1.Service {
	service := d.seen.Services[names.HeadlessService(d.seen.Cluster.Name)]
	if service == nil || !metav1.IsControlledBy(service, d.seen.Cluster) {
		return nil
	}
	return service
}

func (d *draft) ownSets() []*appsv1.StatefulSet {
	var own []*appsv1.StatefulSet
	for _, set := range sorted(d.seen.Sets) {
		if metav1.IsControlledBy(set, d.seen.Cluster) {
			own = append(own, set)
		}
	}
	return own
}

// recoverReadyTime finds out whether the cluster has been ready: the startup
// probe of a pod succeeds once its member is configured. In doubt it has, for
// then its pin holds and no pod that works is made anew.
func (d *draft) recoverReadyTime() {
	if d.everReady() {
		return
	}
	if headless := d.headless(); headless != nil {
		if at, err := time.Parse(time.RFC3339, headless.Annotations[names.AnnotationFirstReady]); err == nil {
			d.status.FirstReadyTime = timeOrNil(at)
			return
		}
	}
	for _, pod := range sorted(d.seen.Pods) {
		if since := configuredSince(pod); since != nil && (!d.everReady() || since.Before(d.status.FirstReadyTime)) {
			d.status.FirstReadyTime = since
		}
	}
}

// configuredSince is about when the member in a pod was configured; nil if it is
// not. The pod of a node that does not answer is not Ready, and its
// container is said to be as it was last.
func configuredSince(pod *corev1.Pod) *metav1.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return timeOrNil(c.LastTransitionTime.Time)
		}
	}
	if c := containerStatus(pod.Status.ContainerStatuses, names.ContainerName); c != nil && ptr.Deref(c.Started, false) && c.State.Running != nil {
		return timeOrNil(c.State.Running.StartedAt.Time)
	}
	return nil
}

// journal is what the headless Service says of pending events; nil when there is none, or others have spoilt it.
func (d *draft) journal() *resources.Journal {
	headless := d.headless()
	if headless == nil {
		return nil
	}
	journal, err := resources.ReadJournal(headless)
	if err != nil {
		return nil
	}
	return &journal
}

func (d *draft) recoverRoster(journal *resources.Journal) {
	if headless := d.headless(); headless != nil {
		d.status.LastNodeID = max(d.status.LastNodeID, numberIn(headless, names.AnnotationLastNodeID)) // of members that left since
	}
	for _, set := range d.ownSets() {
		role := set.Labels[names.LabelRole]
		if ids, err := names.ParseNodeIDs(set.Annotations[names.AnnotationNodeIDs]); err == nil && role != "" {
			d.status.Roles = append(d.status.Roles, d.recoverRole(role, set, ids, journal))
		}
	}
}

func (d *draft) recoverRole(id string, set *appsv1.StatefulSet, nodeIDs []int64, journal *resources.Journal) v1alpha1.RoleStatus {
	generation := max(numberIn(set, names.AnnotationMetadataGeneration), 1)
	d.status.MetadataGeneration = max(d.status.MetadataGeneration, generation)
	entry := v1alpha1.RoleStatus{ID: id, StatefulSet: set.Name, Desired: int32(len(nodeIDs))}
	for n, nodeID := range nodeIDs {
		if nodeID == 0 {
			continue
		}
		m := v1alpha1.MemberStatus{Pod: names.Pod(set.Name, n), NodeID: nodeID, State: v1alpha1.MemberPending}
		if d.everReady() {
			m.MetadataGeneration = generation // its peers know it
		}
		if replicas := int(ptr.Deref(set.Spec.Replicas, 1)); n >= replicas {
			d.recoverDeparted(&m, replicas > 0 || leaves(journal, nodeID))
		}
		entry.Members = append(entry.Members, m)
		d.status.LastNodeID = max(d.status.LastNodeID, nodeID)
	}
	givePlaces(&entry)
	return entry
}

// givePlaces has those who go leave their places to others who are below one that
// stays: they can only have been replaced, for a role gives up its highest
// ordinals, and would wait for ever for theirs to be among them.
func givePlaces(role *v1alpha1.RoleStatus) {
	stays := false
	for _, m := range slices.Backward(role.Members) {
		if !isRemoved(m) {
			stays = true
		} else if stays {
			m.Retired.Why = v1alpha1.RetiredReplaced
		}
	}
}

// recoverDeparted is for a member whose pod its StatefulSet is not to have: it
// goes, or the cluster is or was suspended, and no member of its role has a pod.
func (d *draft) recoverDeparted(m *v1alpha1.MemberStatus, goes bool) {
	if d.seen.Cluster.Spec.Suspend || !goes {
		m.Retired = &v1alpha1.RetiredPod{Why: v1alpha1.RetiredSuspended}
		return
	}
	m.State, m.Retired = v1alpha1.MemberDeleting, &v1alpha1.RetiredPod{Why: v1alpha1.RetiredRemoved}
}

// leaves is true for a member that a journal names as leaving.
func leaves(journal *resources.Journal, id int64) bool {
	return journal != nil && slices.ContainsFunc(journal.Events, func(e v1alpha1.PendingEvent) bool {
		return (e.Event == v1alpha1.EventDelNodes || e.Event == v1alpha1.EventDecommission) && slices.Contains(e.NodeIDs, id)
	})
}

// recoverEvents takes up the events that were on their way. Everybody whom they
// have ever concerned is called again: who has run one answers from its disk.
func (d *draft) recoverEvents(journal *resources.Journal) {
	if journal == nil {
		return
	}
	d.status.LastEvent = max(d.status.LastEvent, journal.Last)
	mayStay := d.recoverIntents(journal)
	for i := range journal.Events {
		if event := &journal.Events[i]; isOfOthers(event.Event) {
			// They may have been on their way to be replaced, and nobody told them; that is not on record any more.
			event.For = append(event.For, mayStay...)
		}
	}
	places := d.places()
	d.status.PendingEvents = nil
	for i := range journal.Events {
		d.status.PendingEvents = append(d.status.PendingEvents, recoverEvent(journal, &journal.Events[i], places))
	}
	d.announceSuccessorsAgain()
}

// announceSuccessorsAgain gives those events new numbers that tell who has taken
// the place of one whose leave is told again: who hears of the leave in a newer
// container forgets whoever is in that place, and its disk says that it has heard
// of the newer one already.
func (d *draft) announceSuccessorsAgain() {
	var kept, again []v1alpha1.PendingEvent
	for _, event := range d.status.PendingEvents {
		if event.Event == v1alpha1.EventAddNodes && d.succeeds(&event) {
			again = append(again, event)
		} else {
			kept = append(kept, event)
		}
	}
	d.status.PendingEvents = kept
	for _, event := range again {
		d.newEvent(event)
	}
}

// succeeds is true for an event that names one in a place that another leaves, for somebody who hears of both.
func (d *draft) succeeds(joins *v1alpha1.PendingEvent) bool {
	return slices.ContainsFunc(d.status.PendingEvents, func(e v1alpha1.PendingEvent) bool {
		return e.Event == v1alpha1.EventDelNodes && e.Number < joins.Number && overlap(e.Members, joins.Members) && overlap(e.For, joins.For)
	})
}

func overlap[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) })
}

// recoverIntents has the members of a rebuilt roster leave, or start over, that
// were to when status was lost. It returns those that leave and may stay after all.
func (d *draft) recoverIntents(journal *resources.Journal) (mayStay []int64) {
	for i := range d.status.Roles {
		for j := range d.status.Roles[i].Members {
			m := &d.status.Roles[i].Members[j]
			if m.State == v1alpha1.MemberPending && leaves(journal, m.NodeID) {
				m.State = v1alpha1.MemberLeaving
				mayStay = append(mayStay, m.NodeID)
			}
			if slices.Contains(journal.StartOver, m.NodeID) && goesOn(m) {
				d.recoverStartOver(m)
			}
		}
	}
	return mayStay
}

// places are the node IDs of the members on record, by pod.
func (d *draft) places() map[string]int64 {
	places := map[string]int64{}
	for _, role := range d.status.Roles {
		for _, m := range role.Members {
			places[m.Pod] = m.NodeID
		}
	}
	return places
}

// recoverEvent is an event of the journal as it goes on, for those that are still in a place.
func recoverEvent(journal *resources.Journal, told *v1alpha1.PendingEvent, places map[string]int64) v1alpha1.PendingEvent {
	event := *told.DeepCopy()
	if event.Event == v1alpha1.EventDecommission {
		event.For = slices.Clone(event.NodeIDs) // it may have concerned others who stay after all
	} else {
		known := map[int64]bool{}
		for _, id := range places {
			known[id] = true
		}
		event.For = slices.DeleteFunc(event.For, func(id int64) bool { return !known[id] || knowsBetter(journal, &event, id, places) })
		slices.Sort(event.For)
		event.For = slices.Compact(event.For)
	}
	event.MayKnow = slices.Clone(event.For)
	return event
}

// knowsBetter is true for a member that knows who has taken the place of one that
// an event says leaves, and has not learned it from another event that is on its
// way: it has heard of both, or was configured since. Told again, it would forget the newer one.
func knowsBetter(journal *resources.Journal, event *v1alpha1.PendingEvent, id int64, places map[string]int64) bool {
	if event.Event != v1alpha1.EventDelNodes {
		return false
	}
	for i, pod := range event.Members {
		newer := places[pod]
		if newer == 0 || newer == event.NodeIDs[i] {
			continue
		}
		if !slices.ContainsFunc(journal.Events, func(e v1alpha1.PendingEvent) bool {
			return e.Event == v1alpha1.EventAddNodes && slices.Contains(e.NodeIDs, newer) && slices.Contains(e.For, id)
		}) {
			return true
		}
	}
	return false
}

// recoverStartOver has a member start over that was to when status was lost. It
// leaves whatever pod it has by now, for nobody knows which one it was to leave.
func (d *draft) recoverStartOver(m *v1alpha1.MemberStatus) {
	if m.Retired == nil {
		m.Retired = &v1alpha1.RetiredPod{Why: v1alpha1.RetiredCalledOff}
		if pod := d.seen.Pods[m.Pod]; pod != nil {
			m.Retired.UID = pod.UID
		}
	}
	m.Retired.StartsOver = true
}

// numberIn is the number in an annotation of ours; 0 where it is none.
func numberIn(object metav1.Object, annotation string) int64 {
	number, err := strconv.ParseInt(object.GetAnnotations()[annotation], 10, 64)
	if err != nil {
		return 0
	}
	return number
}
