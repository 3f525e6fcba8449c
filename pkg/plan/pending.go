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

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// nodeGroup is the one group that all members are in, as packages know it.
const nodeGroup = "1"

// isPending is true for an event that members are called for because of others,
// or of the cluster as a whole, and not for their own container's sake.
func isPending(event v1alpha1.LifecycleEvent) bool {
	switch event {
	case v1alpha1.EventConfigure, v1alpha1.EventRestart, v1alpha1.EventStart:
		return false
	}
	return true
}

// isOfOthers is true for an event that tells members of others.
func isOfOthers(event v1alpha1.LifecycleEvent) bool {
	return event == v1alpha1.EventAddNodes || event == v1alpha1.EventDelNodes
}

// newEvent adds an event of the next number. It is an error of the caller not to record it.
func (d *draft) newEvent(event v1alpha1.PendingEvent) {
	d.status.LastEvent++
	event.Number = d.status.LastEvent
	d.status.PendingEvents = append(d.status.PendingEvents, event)
}

// tidyEvents takes out of the pending events whom they no longer concern, and
// drops those that concern nobody.
func (d *draft) tidyEvents() {
	d.heldBack = nil
	byID := map[int64]*member{}
	for _, m := range d.members {
		byID[m.status.NodeID] = m
	}
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		event.For = slices.DeleteFunc(event.For, func(id int64) bool {
			m := byID[id]
			return m == nil || !d.concerns(event, m)
		})
		event.MayKnow = slices.DeleteFunc(event.MayKnow, func(id int64) bool { return !slices.Contains(event.For, id) })
	}
	d.status.PendingEvents = slices.DeleteFunc(d.status.PendingEvents, func(event v1alpha1.PendingEvent) bool { return isOver(&event, byID) })
	if len(d.status.PendingEvents) == 0 {
		d.status.PendingEvents = nil
	}
}

// isOver is true for an event that has nothing left to say.
func isOver(event *v1alpha1.PendingEvent, byID map[int64]*member) bool {
	some := func(are func(*member) bool) bool {
		return slices.ContainsFunc(event.NodeIDs, func(id int64) bool { return byID[id] != nil && are(byID[id]) })
	}
	switch event.Event {
	case v1alpha1.EventStop, v1alpha1.EventDelete:
		return false // what follows them drops them
	case v1alpha1.EventDecommission:
		// It stays as long as somebody leaves by it: called off, they start over.
		return !some(func(m *member) bool { return !m.wanted && m.status.State != v1alpha1.MemberDeleting })
	case v1alpha1.EventDelNodes:
		// It stays until they are gone: if status is lost, peers have heard that they are.
		return len(event.NodeIDs) == 0 || len(event.For) == 0 && !some(func(m *member) bool { return !m.wanted })
	}
	return len(event.For) == 0 || !some(func(m *member) bool { return m.wanted })
}

// concerns is true while a member is to be called for an event.
func (d *draft) concerns(event *v1alpha1.PendingEvent, m *member) bool {
	if !m.role.Takes(event.Event) {
		return false
	}
	switch event.Event {
	case v1alpha1.EventDecommission:
		// What ran in a container without a volume is gone with it.
		gone := m.pod == nil || m.container != "" && !m.current()
		return !m.wanted && m.status.State != v1alpha1.MemberDeleting && maySayFarewell(m.status) && (m.persists() || !gone)
	case v1alpha1.EventStop:
		return m.current() && (m.setUp || m.status.State != v1alpha1.MemberError)
	case v1alpha1.EventDelete:
		return m.current()
	}
	ofOthers := slices.ContainsFunc(event.NodeIDs, func(id int64) bool { return id != m.status.NodeID })
	return ofOthers && (m.wanted || mayStay(m.status))
}

// maySayFarewell is true for a leaving member that has a pod to do it in, or is getting one.
func maySayFarewell(m *v1alpha1.MemberStatus) bool {
	return goesOn(m) && (m.Retired == nil || m.Retired.Why != v1alpha1.RetiredSuspended)
}

// due is the event that a member is to be called for next; nil: none. What
// stops it comes before what it would hear of others: that keeps until it is back.
func (d *draft) due(m *member) *v1alpha1.PendingEvent {
	var first *v1alpha1.PendingEvent
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		if event.Open || !slices.Contains(event.For, m.status.NodeID) || !m.wanted && isOfOthers(event.Event) {
			continue // who leaves hears of others if it stays after all
		}
		if event.Event == v1alpha1.EventStop {
			return event
		}
		if first == nil && (event.Event != v1alpha1.EventAddNodes || d.stopEvent() == nil) {
			first = event
		}
	}
	return first
}

// called records that a member has been called for an event.
func (d *draft) called(m *member, number int64) {
	for i := range d.status.PendingEvents {
		if event := &d.status.PendingEvents[i]; event.Number == number {
			event.For = slices.DeleteFunc(event.For, func(id int64) bool { return id == m.status.NodeID })
		}
	}
	m.status.Event = nil
	d.tidyEvents()
	d.urgent = d.urgent || d.due(m) != nil // which is asked for now: on record before the next pass reads what is due
}

// startOver is for a member that is configured from scratch: the metadata it is
// configured with says what the events that were on record before say. It hears
// of them all the same, in order, for a visit that was meant for its last
// container may have configured it in this one, by older metadata.
func (d *draft) startOver(m *member) {
	recorded := map[int64]bool{}
	for _, event := range d.seen.Cluster.Status.PendingEvents {
		recorded[event.Number] = true
	}
	id := m.status.NodeID
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		if recorded[event.Number] && event.Event == v1alpha1.EventAddNodes && slices.Contains(event.For, id) && !slices.Contains(event.MayKnow, id) {
			event.MayKnow = append(event.MayKnow, id)
		}
	}
}

// learnedByConfigure is for a member whose container has been configured just
// now: who is still to be announced to it is in its metadata. Only after a loss of
// status was it thought to go on as it was.
func (d *draft) learnedByConfigure(m *member) {
	if o := m.outcome; o == nil || o.Key.Event != v1alpha1.EventConfigure || o.Event == nil || !o.Event.Here {
		return
	}
	id := m.status.NodeID
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		if event.Event == v1alpha1.EventAddNodes && slices.Contains(event.For, id) && !slices.Contains(event.MayKnow, id) {
			event.MayKnow = append(event.MayKnow, id)
		}
	}
}

// eventArgs are the arguments of a pending event's script.
func (d *draft) eventArgs(event *v1alpha1.PendingEvent, m *member) []string {
	args := []string{"--" + string(event.Event)}
	if event.Role == "" {
		return args
	}
	domain := names.Domain(names.HeadlessService(d.seen.Cluster.Name), d.seen.Cluster.Namespace, d.seen.Settings.ClusterDomain)
	var fqdns []string
	for i, pod := range event.Members {
		if event.NodeIDs[i] != m.status.NodeID || event.Event == v1alpha1.EventDecommission {
			fqdns = append(fqdns, pod+"."+domain)
		}
	}
	return append(args, "--nodegroup", nodeGroup, "--role", event.Role, "--fqdns", strings.Join(fqdns, ","))
}

// forget takes a member out of those that an event names; true if it was one.
func forget(event *v1alpha1.PendingEvent, id int64) bool {
	i := slices.Index(event.NodeIDs, id)
	if i < 0 {
		return false
	}
	event.NodeIDs = slices.Delete(event.NodeIDs, i, i+1)
	event.Members = slices.Delete(event.Members, i, i+1)
	if event.Event == v1alpha1.EventDecommission {
		event.For = slices.DeleteFunc(event.For, func(told int64) bool { return told == id })
	}
	return true
}
