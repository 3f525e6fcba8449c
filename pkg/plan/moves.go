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

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/lifecycle"
)

// moveMembers steps each member's state machine by what is seen of it.
func moveMembers(d *draft) bool {
	gone := map[int64]bool{}
	for _, m := range d.members {
		d.rebind(m)
		d.condemnLate(m)
		d.judgeEvent(m)
		from := m.status.State
		to, left, impossible := lifecycle.StepMember(from, d.factsOf(m))
		if impossible != nil {
			d.plan.Impossible = append(d.plan.Impossible, fmt.Errorf("member %s: %w", m.status.Pod, impossible))
		}
		if left {
			gone[m.status.NodeID] = true
			continue
		}
		if to != from {
			d.enter(m, to)
		}
		d.diagnose(m)
	}
	d.dropGone(gone)
	return true
}

// rebind takes up the container of a leaving member that came back on its volume, for its farewell to be said there.
func (d *draft) rebind(m *member) {
	if m.status.State != v1alpha1.MemberLeaving || m.container == "" || m.current() {
		return
	}
	if !m.persists() {
		d.tidyEvents() // what was to be said farewell to is gone with the container
		return
	}
	m.status.Incarnation, m.status.Event = incarnationOf(m.container), nil
}

// enter notes what goes with a member's new state.
func (d *draft) enter(m *member, to v1alpha1.MemberState) {
	m.status.State = to
	switch to {
	case v1alpha1.MemberConfiguring:
		if m.current() {
			return
		}
		// On a volume it may have been configured in an earlier container, also when nobody saw that; and of whom
		// neither container nor pod is on record, status was lost: this may be the one it was configured in.
		if m.startsOver() || !m.persists() && (m.status.Incarnation != "" || m.status.Retired != nil) {
			d.startOver(m)
		}
		m.status.Event = nil
		if m.container != "" {
			m.status.Incarnation = incarnationOf(m.container) // of one that is gone it stays: the next one is another
		}
	case v1alpha1.MemberReady:
		d.learnedByConfigure(m)
		m.status.MetadataGeneration = d.status.MetadataGeneration
		m.status.Event, m.status.Retired = nil, nil
	case v1alpha1.MemberLost:
		m.status.Event = nil
		d.plan.Notes = append(d.plan.Notes, Note{corev1.EventTypeWarning, lossOf(m).reason, lossOf(m).message})
	case v1alpha1.MemberPending, v1alpha1.MemberCreating, v1alpha1.MemberLeaving:
		m.status.Event = nil
	case v1alpha1.MemberDeleting:
		m.status.Event = nil
		d.condemn(m)
	}
}

// factsOf is the bounded observation that the member machine rests on.
func (d *draft) factsOf(m *member) lifecycle.MemberFacts {
	facts := lifecycle.MemberFacts{
		Wanted:       m.wanted,
		Configured:   m.configuredOnce() && m.status.Retired == nil,
		Container:    lifecycle.ContainerNone,
		Setup:        d.setupOf(m),
		FarewellSaid: !m.wanted && d.farewellSaid(m),
		ObjectsGone:  !m.wanted && d.gone(m),
	}
	switch {
	case m.container != "":
		facts.Container = lifecycle.ContainerRunning
		facts.Replaced = !m.current() && (m.status.Incarnation != "" || m.worksIn())
	case m.pod != nil:
		facts.Container = lifecycle.ContainerStarting
	}
	return facts
}

// worksIn is true for a member in a state that a container was recorded with. None
// may have run: a removal was called off while the pod was gone.
func (m *member) worksIn() bool {
	switch m.status.State {
	case v1alpha1.MemberConfiguring, v1alpha1.MemberReady, v1alpha1.MemberError:
		return true
	}
	return false
}

// setupOf says how far the running container is set up.
func (d *draft) setupOf(m *member) lifecycle.Setup {
	switch {
	case !m.current():
		return lifecycle.SetupOutstanding
	case m.failed():
		return lifecycle.SetupFailed
	case !m.setUp || !d.holdsMetadata(m) || d.due(m) != nil:
		return lifecycle.SetupOutstanding
	}
	return lifecycle.SetupSucceeded
}

// holdsMetadata is true when the newest metadata is known to be in place in the running container.
func (d *draft) holdsMetadata(m *member) bool {
	if m.status.MetadataGeneration == d.status.MetadataGeneration && m.setUp {
		return true
	}
	return m.outcome != nil && m.outcome.MetadataGeneration >= d.status.MetadataGeneration
}
