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

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// tellOf has peers told what happened to a role, and those that leave of it.
func (d *draft) tellOf(role *catalog.Role, change rosterChange) {
	d.tellOfJoins(role.ID, change.joins, d.goesOnAsConfigured)
	d.tellOfJoins(role.ID, change.returns, func(int64) bool { return false }) // of whom nobody may have been told that they leave
	d.tellOfLeaves(role, change.leaves)
}

// tellOfJoins adds members to the announcement of their role that is still open,
// so that changes close together are one. It concerns those that may have been
// configured without knowing them; of whom newTo is false, they may be known to.
func (d *draft) tellOfJoins(role string, joins []v1alpha1.MemberStatus, newTo func(id int64) bool) {
	if len(joins) == 0 {
		return
	}
	audience := d.withThoseToldOfLeavers(d.audience(v1alpha1.EventAddNodes), joins)
	// Somebody whom it names and who may have been configured by now is to hear of the others.
	heard := slices.ContainsFunc(joins, func(m v1alpha1.MemberStatus) bool { return slices.Contains(audience, m.NodeID) })
	i := slices.IndexFunc(d.status.PendingEvents, func(e v1alpha1.PendingEvent) bool {
		return !heard && e.Event == v1alpha1.EventAddNodes && e.Role == role && e.Open &&
			!slices.ContainsFunc(e.NodeIDs, func(id int64) bool { return slices.Contains(audience, id) }) && !d.leftSince(e.Number, joins)
	})
	added := i >= 0 // to one that names others, of whom who hears of it only now may know
	if !added {
		if len(audience) == 0 {
			return
		}
		d.newEvent(v1alpha1.PendingEvent{Event: v1alpha1.EventAddNodes, Role: role, Open: true})
		i = len(d.status.PendingEvents) - 1
	}
	event := &d.status.PendingEvents[i]
	for _, m := range joins {
		event.Members, event.NodeIDs = append(event.Members, m.Pod), append(event.NodeIDs, m.NodeID)
	}
	for _, id := range audience {
		concerned := slices.Contains(event.For, id)
		if !concerned {
			event.For = append(event.For, id)
		}
		if (!newTo(id) || added && !concerned) && !slices.Contains(event.MayKnow, id) {
			event.MayKnow = append(event.MayKnow, id)
		}
	}
	slices.Sort(event.For) // who is named itself, and may have been configured before, hears of the others
}

// withThoseToldOfLeavers adds to an audience whoever is still to hear that the
// ones before left, in whose places those join: told only that, it would take them for gone.
func (d *draft) withThoseToldOfLeavers(audience []int64, joins []v1alpha1.MemberStatus) []int64 {
	for _, e := range d.status.PendingEvents {
		if e.Event == v1alpha1.EventDelNodes && slices.ContainsFunc(joins, func(m v1alpha1.MemberStatus) bool { return slices.Contains(e.Members, m.Pod) }) {
			audience = append(audience, e.For...)
		}
	}
	slices.Sort(audience)
	return slices.Compact(audience)
}

// leftSince is true when a member is on record as leaving, after an event, in
// whose place one of those joins: told of in one with earlier joins, it would be taken for the one that left.
func (d *draft) leftSince(number int64, joins []v1alpha1.MemberStatus) bool {
	return slices.ContainsFunc(d.status.PendingEvents, func(e v1alpha1.PendingEvent) bool {
		return e.Number > number && e.Event == v1alpha1.EventDelNodes &&
			slices.ContainsFunc(joins, func(m v1alpha1.MemberStatus) bool { return slices.Contains(e.Members, m.Pod) })
	})
}

// audience are the members that have been, or may be being, configured, as far
// as their package takes the event. Those that leave are among them, to be called
// if they stay after all.
func (d *draft) audience(event v1alpha1.LifecycleEvent) []int64 {
	var ids []int64
	for _, m := range d.members {
		if mayStay(m.status) && m.role.Takes(event) && (m.configuredOnce() || d.mayBeConfigured(m)) {
			ids = append(ids, m.status.NodeID)
		}
	}
	return ids
}

// mayBeConfigured is true for a member that nobody has seen configured, and that
// has or had a container in which it may have been: one that is gone counts where a volume outlives it.
func (d *draft) mayBeConfigured(m *member) bool {
	return m.container != "" || m.nodeLost ||
		m.persists() && (m.status.Incarnation != "" || m.hasRun || m.status.Retired != nil || d.hadPod(m))
}

// hadPod is true for a member that has a volume and no pod: the volume may have served one that is no more.
func (d *draft) hadPod(m *member) bool {
	claim := d.seen.Claims[names.Claim(m.status.Pod)]
	return m.pod == nil && claim != nil && d.isOurs(claim)
}

// isAsBefore is true for a member that is not, and has not been in the meantime, configured from scratch.
func (d *draft) isAsBefore(id int64) bool {
	return slices.ContainsFunc(d.members, func(m *member) bool {
		return m.status.NodeID == id && !m.startsOver() && (m.current() || m.persists())
	})
}

// goesOnAsConfigured is true for a member that was configured, and is not about to be once more by newer metadata.
func (d *draft) goesOnAsConfigured(id int64) bool {
	return slices.ContainsFunc(d.members, func(m *member) bool {
		return m.status.NodeID == id && m.configuredOnce() && !m.startsOver() && (m.setUp || m.persists())
	})
}

// tellOfLeaves has those that stay told of members that leave, and these
// themselves.
func (d *draft) tellOfLeaves(role *catalog.Role, leaves []v1alpha1.MemberStatus) {
	leave := v1alpha1.PendingEvent{Event: v1alpha1.EventDelNodes, Role: role.ID}
	farewell := v1alpha1.PendingEvent{Event: v1alpha1.EventDecommission, Role: role.ID}
	for _, m := range leaves {
		if m.MetadataGeneration == 0 {
			d.tellOfNoShow(role.ID, &m)
			continue
		}
		d.unannounce(m.NodeID)
		leave.Members, leave.NodeIDs = append(leave.Members, m.Pod), append(leave.NodeIDs, m.NodeID)
		if role.Takes(v1alpha1.EventDecommission) && maySayFarewell(&m) {
			farewell.Members, farewell.NodeIDs = append(farewell.Members, m.Pod), append(farewell.NodeIDs, m.NodeID)
		}
	}
	if len(leave.NodeIDs) > 0 {
		leave.For = d.audience(v1alpha1.EventDelNodes) // also who leaves: it hears of the others if it stays after all
		slices.Sort(leave.For)
	}
	farewell.For = slices.Clone(farewell.NodeIDs)
	for _, event := range []v1alpha1.PendingEvent{leave, farewell} {
		if len(event.For) > 0 {
			d.newEvent(event)
		}
	}
}

// tellOfNoShow has those told of a member that leaves before it was configured
// who know it all the same: their own metadata named it when they were
// configured. Whoever was there before it is still to hear that it joined.
func (d *draft) tellOfNoShow(role string, m *v1alpha1.MemberStatus) {
	knows := d.audience(v1alpha1.EventDelNodes)
	for _, event := range d.status.PendingEvents {
		if event.Event == v1alpha1.EventAddNodes && slices.Contains(event.NodeIDs, m.NodeID) {
			knows = slices.DeleteFunc(knows, func(id int64) bool {
				return slices.Contains(event.For, id) && !slices.Contains(event.MayKnow, id) && d.isAsBefore(id)
			})
		}
	}
	knows = slices.DeleteFunc(knows, func(id int64) bool { return id == m.NodeID })
	d.unannounce(m.NodeID)
	if len(knows) == 0 {
		return
	}
	slices.Sort(knows)
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		if event.Number > d.seen.Cluster.Status.LastEvent && event.Event == v1alpha1.EventDelNodes && event.Role == role && slices.Equal(event.For, knows) {
			event.Members, event.NodeIDs = append(event.Members, m.Pod), append(event.NodeIDs, m.NodeID)
			return
		}
	}
	d.newEvent(v1alpha1.PendingEvent{Event: v1alpha1.EventDelNodes, Role: role, Members: []string{m.Pod}, NodeIDs: []int64{m.NodeID}, For: knows})
}

// unannounce takes a member out of announcements, for those who have not been given them yet.
func (d *draft) unannounce(id int64) {
	for i := range d.status.PendingEvents {
		if event := &d.status.PendingEvents[i]; event.Event == v1alpha1.EventAddNodes {
			forget(event, id)
		}
	}
}

// callOff keeps a member that was leaving. Its peers may have been told that it
// leaves, and are told that it joins. If it may have been decommissioned itself,
// it starts over in a new pod.
func (d *draft) callOff(m *v1alpha1.MemberStatus) {
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		named := forget(event, m.NodeID)
		if !named || event.Event != v1alpha1.EventDecommission {
			continue
		}
		m.Retired = &v1alpha1.RetiredPod{Why: v1alpha1.RetiredCalledOff, StartsOver: true}
		if pod := d.seen.Pods[m.Pod]; pod != nil {
			m.Retired.UID = pod.UID
		}
	}
}

// closeAnnouncements lets members be told of those that joined, once nobody who
// is named is still on the way. Who is stuck is announced later, on its own.
func closeAnnouncements(d *draft) bool {
	if d.frozen() {
		return true
	}
	for i := range len(d.status.PendingEvents) {
		event := &d.status.PendingEvents[i]
		if !event.Open {
			continue
		}
		here, stuck, onTheWay := d.arrivals(event)
		if onTheWay || len(here) == 0 {
			continue
		}
		late := *event.DeepCopy()
		for _, id := range here {
			forget(&late, id)
		}
		for _, id := range stuck {
			forget(event, id)
		}
		event.Open = false
		d.record("who is announced")
		if len(stuck) > 0 {
			d.newEvent(late)
		}
	}
	return true
}

// arrivals sorts those that an announcement names.
func (d *draft) arrivals(event *v1alpha1.PendingEvent) (here, stuck []int64, onTheWay bool) {
	for _, m := range d.members {
		if !slices.Contains(event.NodeIDs, m.status.NodeID) {
			continue
		}
		switch {
		case m.status.State == v1alpha1.MemberReady:
			here = append(here, m.status.NodeID)
		case m.trouble.stuck():
			stuck = append(stuck, m.status.NodeID)
		default:
			onTheWay = true
		}
	}
	return here, stuck, onTheWay
}
