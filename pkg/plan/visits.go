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
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// visitMembers has each container that is to be set up visited: first to give it
// metadata, package and event, then to learn how the event ended. A visit that is
// under way is left alone; one that ended without news is repeated with back-off.
func visitMembers(d *draft) bool {
	if d.plan.Record != "" {
		return true // nobody is given what is not recorded
	}
	if d.paused() {
		return true
	}
	for _, m := range d.members {
		if !m.current() {
			continue
		}
		switch m.status.State {
		case v1alpha1.MemberConfiguring:
			d.visit(m)
		case v1alpha1.MemberError:
			if !d.holdsMetadata(m) {
				d.visit(m) // for the metadata alone: an attempt that has ended is not made again
			}
			d.retry(m)
		case v1alpha1.MemberLeaving:
			if m.failed() {
				d.retry(m)
			} else if d.due(m) != nil {
				d.visit(m)
			}
		}
	}
	return true
}

func (d *draft) visit(m *member) {
	if d.waitsFor(m).message != "" {
		return // those that it waits for bring news
	}
	step := d.stepFor(m)
	if m.outcome == nil || m.outcome.Key != step.Key() {
		d.act(VisitGuest{step})
		return
	}
	switch m.outcome.Phase {
	case PhaseUnderway:
		return
	case PhaseRunning:
		if m.toldReady() {
			d.act(VisitGuest{step})
			return
		}
	case PhaseDone:
		return // the member's state follows
	}
	due := m.outcome.At.Add(askAgain(m.outcome.Tries))
	if !due.After(d.seen.Now) {
		d.act(VisitGuest{step})
		return
	}
	d.again(due.Sub(d.seen.Now))
}

// waitsFor is what a new member waits for before it is configured: that the
// members there were hold the metadata in which it is, and that the roles are
// configured which the app puts before its own.
func (d *draft) waitsFor(m *member) trouble {
	if m.configuredOnce() || m.setUp || !m.wanted {
		return trouble{}
	}
	for _, other := range d.members {
		switch {
		case other == m || !other.wanted:
		case other.configuredOnce() && other.isUp() && !d.holdsMetadata(other):
			return trouble{message: fmt.Sprintf("member %s is configured once %s holds the metadata that names it", m.status.Pod, other.status.Pod)}
		case !other.configuredOnce() && slices.Contains(m.role.ConfigureAfter, other.role.ID):
			return trouble{reason: v1alpha1.ReasonWaitingForRole, message: fmt.Sprintf(
				"member %s is configured once the members of role %s are; %s is not yet", m.status.Pod, other.role.ID, other.status.Pod)}
		}
	}
	return trouble{}
}

// toldReady is true when the pod has turned Ready since the step was last asked
// about, as the startup probe makes it do at the end of a long script: a hint to
// ask now, for the truth is on the member's disk.
func (m *member) toldReady() bool {
	for _, c := range m.pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			// The API keeps whole seconds: one that began before the last look may have ended after it.
			return !c.LastTransitionTime.Add(time.Second).Before(m.outcome.At)
		}
	}
	return false
}

// askAgain is the wait before a step is asked about again: 1 s, 2 s, … 30 s.
func askAgain(tries int) time.Duration {
	const longest = 30 * time.Second
	if tries > 5 {
		return longest
	}
	return min(time.Second<<max(tries-1, 0), longest)
}

// stepFor is the step that a member's running container is to be given now.
func (d *draft) stepFor(m *member) Step {
	step := Step{
		Container:          Container{PodUID: m.pod.UID, ID: m.container},
		Cluster:            d.seen.Cluster.UID,
		NodeID:             m.status.NodeID,
		MetadataGeneration: d.status.MetadataGeneration,
		Metadata:           d.metadataFor(m),
		KeepsLedger:        m.persists(),
		Configured:         ConfiguredAlways,
	}
	step.Container.Pod.Namespace, step.Container.Pod.Name = m.pod.Namespace, m.pod.Name
	if m.role.Package == nil {
		return step
	}
	// A malformed URL is refused by validate.App before any member exists.
	if source, err := catalog.ParsePackage(m.role.Package.PackageURL, d.appNamespace); err == nil {
		step.Package, step.PackageSHA256 = &source, m.role.Package.SHA256
	}
	if m.setUp {
		step.Configured = ConfiguredNever
		step.Event = d.pendingEventFor(m)
		return step
	}
	step.Event = d.setupEventFor(m)
	if step.Event != nil && step.Event.Name == v1alpha1.EventConfigure && d.restartFollows(m) {
		step.Configured = ConfiguredHere
	}
	return step
}

// pendingEventFor is the event that a member which is set up is to be called for next; nil: none.
func (d *draft) pendingEventFor(m *member) *Event {
	pending := d.due(m)
	if pending == nil {
		return nil
	}
	event := d.newEventFor(m, pending.Event, pending.Number)
	event.Args, event.Once = d.eventArgs(pending, m), OncePerGeneration
	if pending.Event == v1alpha1.EventDelete {
		event.Once = OncePerMember
	}
	return event
}

// setupEventFor is the event that a container is due for its own sake: configure
// once, and where a configured member's container came back on its volume
// restart, or start after a suspension. Nil when the role's package takes none.
func (d *draft) setupEventFor(m *member) *Event {
	name := v1alpha1.EventConfigure
	if d.returnDue(m) {
		name = m.returnEvent()
	}
	if !m.role.Takes(name) {
		return nil
	}
	event := d.newEventFor(m, name, d.status.MetadataGeneration)
	event.Args, event.Once = []string{"--" + string(name)}, OncePerContainer
	if name == v1alpha1.EventConfigure && m.persists() && !m.startsOver() {
		event.Once = OncePerMember
	}
	return event
}

func (d *draft) newEventFor(m *member, name v1alpha1.LifecycleEvent, generation int64) *Event {
	event := &Event{
		Name:       name,
		Generation: generation,
		Attempt:    1,
		Timeout:    m.role.Hook(name).Timeout,
		MaxOutput:  m.role.MaxLogSizeDump,
	}
	if on := m.status.Event; on != nil && on.Name == name && on.Generation == generation {
		event.Attempt = on.Attempt
	}
	return event
}

// startsOver is true for a member that stays after all, though it may have been decommissioned.
func (m *member) startsOver() bool {
	return m.status.Retired != nil && m.status.Retired.StartsOver
}

// returnEvent is the event by which a member is told that its container came
// back on its volume; empty when its package doesn't want to be told.
func (m *member) returnEvent() v1alpha1.LifecycleEvent {
	suspended := m.status.Retired != nil && m.status.Retired.Why == v1alpha1.RetiredSuspended
	switch {
	case suspended && m.role.Takes(v1alpha1.EventStart):
		return v1alpha1.EventStart
	case m.role.Takes(v1alpha1.EventRestart):
		return v1alpha1.EventRestart
	}
	return ""
}

// persists is true for a member with a volume. What its StatefulSet gives its
// pods counts: the spec may be held, and say something else by now.
func (m *member) persists() bool {
	if len(m.role.PersistDirs) == 0 {
		return false
	}
	if m.set != nil {
		return len(m.set.Spec.VolumeClaimTemplates) > 0
	}
	return m.spec != nil && m.spec.Storage != nil
}

// restartFollows is true where configure may turn out to have been done in an
// earlier container, upon which another event is due in this one.
func (d *draft) restartFollows(m *member) bool {
	return m.persists() && m.returnEvent() != ""
}

// returnDue is true when this container is known to be a later one of a configured member, whose package wants to be told.
func (d *draft) returnDue(m *member) bool {
	if !d.restartFollows(m) || !m.role.Takes(v1alpha1.EventConfigure) {
		return false
	}
	back := m.returnEvent()
	if m.status.Event != nil && m.status.Event.Name == back {
		return true
	}
	if m.outcome == nil {
		return false
	}
	if m.outcome.Key.Event == back {
		return true
	}
	return m.outcome.Key.Event == v1alpha1.EventConfigure && succeeded(m.outcome) && !m.outcome.Event.Here
}

// succeeded is true for a step that is over with nothing left to do in it.
func succeeded(outcome *Outcome) bool {
	if outcome.Phase != PhaseDone {
		return false
	}
	return outcome.Event == nil || outcome.Event.State == EventSucceeded
}
