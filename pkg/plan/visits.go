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
	for _, m := range d.members {
		if m.status.State == v1alpha1.MemberConfiguring && m.current() {
			d.visit(m)
		}
		if m.status.State == v1alpha1.MemberError && m.current() {
			d.retry(m)
		}
	}
	return true
}

func (d *draft) visit(m *member) {
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
	step.Event = d.eventFor(m)
	if step.Event != nil && step.Event.Name == v1alpha1.EventConfigure && d.restartFollows(m) {
		step.Configured = ConfiguredHere
	}
	return step
}

// eventFor is the event a container is due: configure once, and restart where a
// configured member's container came back on its volume. Nil when the role's
// package takes neither.
func (d *draft) eventFor(m *member) *Event {
	name := v1alpha1.EventConfigure
	if d.restartDue(m) {
		name = v1alpha1.EventRestart
	}
	if !m.role.Takes(name) {
		return nil
	}
	event := &Event{
		Name:       name,
		Args:       []string{"--" + string(name)},
		Once:       OncePerContainer,
		Generation: d.status.MetadataGeneration,
		Attempt:    1,
		Timeout:    m.role.Hook(name).Timeout,
		MaxOutput:  m.role.MaxLogSizeDump,
	}
	if name == v1alpha1.EventConfigure && m.persists() {
		event.Once = OncePerMember
	}
	if on := m.status.Event; on != nil && on.Name == name && on.Generation == event.Generation {
		event.Attempt = on.Attempt
	}
	return event
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
// earlier container, upon which restart is due in this one.
func (d *draft) restartFollows(m *member) bool {
	return m.persists() && m.role.Takes(v1alpha1.EventRestart)
}

// restartDue is true when this container is known to be a later one of a configured member, whose package wants to be told.
func (d *draft) restartDue(m *member) bool {
	if !d.restartFollows(m) || !m.role.Takes(v1alpha1.EventConfigure) {
		return false
	}
	if m.status.Event != nil && m.status.Event.Name == v1alpha1.EventRestart {
		return true
	}
	if m.outcome == nil {
		return false
	}
	if m.outcome.Key.Event == v1alpha1.EventRestart {
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
