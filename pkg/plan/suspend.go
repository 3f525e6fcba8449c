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
)

// suspend stops the members of a cluster: first the scripts of those that want to
// be told, then, on record, the pods. A suspension that has begun to stop scripts
// is carried through, for what they stopped does not start again in its container.
func suspend(d *draft) bool {
	if d.frozen() || d.plan.Record != "" {
		return true
	}
	stop := d.stopEvent()
	switch {
	case stop == nil && (!d.seen.Cluster.Spec.Suspend || d.allStopped() || d.anyGoes()):
	case stop == nil:
		d.newEvent(v1alpha1.PendingEvent{Event: v1alpha1.EventStop, For: d.toBeStopped()})
		d.record("that the members stop")
	case len(stop.For) == 0 && !d.anyGoes():
		for _, m := range d.members {
			if m.wanted && !m.stopped() {
				m.status.Retired = d.retire(m, v1alpha1.RetiredSuspended)
			}
		}
		d.status.PendingEvents = slices.DeleteFunc(d.status.PendingEvents, func(e v1alpha1.PendingEvent) bool { return e.Event == v1alpha1.EventStop })
		d.record("whose pods stop")
	}
	return true
}

// stopEvent is the event that stops the members; nil while nobody is being stopped.
func (d *draft) stopEvent() *v1alpha1.PendingEvent {
	i := slices.IndexFunc(d.status.PendingEvents, func(e v1alpha1.PendingEvent) bool { return e.Event == v1alpha1.EventStop })
	if i < 0 {
		return nil
	}
	return &d.status.PendingEvents[i]
}

// toBeStopped are the configured members that run and whose package wants to be told.
func (d *draft) toBeStopped() []int64 {
	var ids []int64
	for _, m := range d.members {
		if m.wanted && m.mayHaveWorked() && m.role.Takes(v1alpha1.EventStop) {
			ids = append(ids, m.status.NodeID)
		}
	}
	return ids
}

// mayHaveWorked is true for a configured member whose container is not known to
// wait for its own scripts. Where nothing is known, the guest is asked first.
func (m *member) mayHaveWorked() bool {
	return m.configuredOnce() && m.current() && (m.setUp || m.outcome == nil)
}

// stopped is true for a member that is suspended and has no other pod.
func (m *member) stopped() bool {
	return m.status.Retired != nil && m.status.Retired.Why == v1alpha1.RetiredSuspended && m.pod == nil
}

func (d *draft) allStopped() bool {
	return !slices.ContainsFunc(d.members, func(m *member) bool { return m.wanted && !m.stopped() })
}

// anyGoes is true while members leave that have a pod, or wait for one: they say their farewells first.
func (d *draft) anyGoes() bool {
	return slices.ContainsFunc(d.members, func(m *member) bool { return !m.wanted && (d.podOf(m) != nil || d.due(m) != nil) })
}

// suspended is true once it is on record that every member stops, and still
// asked for. Where none stays, those that go say their farewells first.
func (d *draft) suspended() bool {
	if !d.seen.Cluster.Spec.Suspend || d.stopEvent() != nil {
		return false
	}
	stops := func(m *member) bool {
		return m.status.Retired != nil && m.status.Retired.Why == v1alpha1.RetiredSuspended
	}
	if slices.ContainsFunc(d.members, func(m *member) bool { return m.wanted && !stops(m) }) {
		return false
	}
	return slices.ContainsFunc(d.members, func(m *member) bool { return m.wanted }) || !d.anyGoes()
}

// suspending is true from when a suspension is asked for until it is over.
func (d *draft) suspending() bool { return d.seen.Cluster.Spec.Suspend || d.stopEvent() != nil }
