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
	"hash/fnv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// packageDigits is how much of a package's SHA-256 status keeps.
const packageDigits = 12

// checkPackageEvery is how often the package of a member that waits for its user is looked at.
const checkPackageEvery = 30 * time.Second

// judgeEvent brings the member's event up to what its newest step says of it.
func (d *draft) judgeEvent(m *member) {
	if on := m.status.Event; on != nil && !d.stillDue(m, on) {
		m.status.Event = nil
	}
	if m.wanted && m.configuredOnce() && m.setUp && d.holdsMetadata(m) {
		m.status.MetadataGeneration = d.status.MetadataGeneration
	}
	if !m.current() || m.outcome == nil || m.outcome.Event == nil {
		return
	}
	step := d.stepFor(m)
	if step.Event == nil || m.outcome.Key != step.Key() {
		return
	}
	result := m.outcome.Event
	if result.State == EventSucceeded {
		if isPending(step.Event.Name) {
			d.called(m, step.Event.Generation)
		}
		return // setupOf judges the rest; a member that succeeded shows no event
	}
	event := &v1alpha1.MemberEvent{
		Name:       step.Event.Name,
		Generation: step.Event.Generation,
		Attempt:    step.Event.Attempt,
		State:      result.State,
		ExitCode:   result.ExitCode,
		StartedAt:  timeOrNil(result.StartedAt),
		FinishedAt: timeOrNil(result.FinishedAt),
		Package:    shortVersion(m.outcome.PackageVersion),
		OutputTail: result.OutputTail,
	}
	if event.State != v1alpha1.EventRunning && (event.FinishedAt == nil || event.FinishedAt.After(m.outcome.At)) {
		event.FinishedAt = timeOrNil(m.outcome.At) // told no end, or by a clock ahead of ours, by which the next attempt would be late
	}
	was := m.status.Event
	if was != nil && was.Name == event.Name && was.Generation == event.Generation {
		event.Vetoes = was.Vetoes
	}
	m.status.Event = event
	if event.State != v1alpha1.EventRunning && (was == nil || was.State != event.State || was.Attempt != event.Attempt) {
		d.noteFailure(m)
	}
	if m.exhausted() && (event.Name == v1alpha1.EventStop || event.Name == v1alpha1.EventDelete) {
		d.called(m, event.Generation) // what stops anyway is not held up for ever
	}
}

// noteFailure tells people of an attempt that failed.
func (d *draft) noteFailure(m *member) {
	event, reason := m.status.Event, v1alpha1.ReasonScriptFailed
	if m.blocks() {
		reason = v1alpha1.ReasonScaleDownBlocked
	}
	d.note(corev1.EventTypeWarning, reason, fmt.Sprintf("member %s: --%s attempt %d: %s%s%s: %s",
		m.status.Pod, event.Name, event.Attempt, event.State, exitText(event.ExitCode), tookText(event), strings.TrimSpace(event.OutputTail)))
}

// tookText says how long an attempt ran: " after 12s".
func tookText(event *v1alpha1.MemberEvent) string {
	if event.StartedAt == nil || event.FinishedAt == nil {
		return ""
	}
	return " after " + event.FinishedAt.Sub(event.StartedAt.Time).String()
}

// stillDue is false for an event of older metadata, which is a fresh start, and
// for one that the member is no longer to be called for.
func (d *draft) stillDue(m *member, on *v1alpha1.MemberEvent) bool {
	if !isPending(on.Name) {
		return on.Generation == d.status.MetadataGeneration
	}
	event := d.due(m)
	return event != nil && event.Number == on.Generation
}

func exitText(code *int32) string {
	if code == nil {
		return ""
	}
	return fmt.Sprintf(", exit code %d", *code)
}

// failed is true while the newest attempt on record has failed.
func (m *member) failed() bool {
	if m.status.Event == nil {
		return false
	}
	switch m.status.Event.State {
	case v1alpha1.EventFailed, v1alpha1.EventTimedOut, v1alpha1.EventLost:
		return true
	}
	return false
}

// vetoes is the exit code by which a member that is to leave refuses to.
const vetoes = 3

// blocks is true while a member refuses to leave. It is asked again for as long as it does.
func (m *member) blocks() bool {
	on := m.status.Event
	return m.failed() && on.Name == v1alpha1.EventDecommission && on.ExitCode != nil && *on.ExitCode == vetoes
}

// exhausted is true when the policy has no attempt left.
func (m *member) exhausted() bool {
	return m.failed() && !m.blocks() && m.status.Event.Attempt-m.status.Event.Vetoes > m.role.Hook(m.status.Event.Name).Retries
}

// retry records the next attempt of a failed script once it is due. A member
// whose attempts are used up waits for its user: a changed package, app or spec starts anew.
func (d *draft) retry(m *member) {
	if !m.failed() {
		return
	}
	if m.exhausted() {
		if d.packageMended(m) {
			d.nextAttempt(m, "its package has changed")
		}
		return
	}
	due := m.retryAt()
	if wait := due.Sub(d.seen.Now); wait > 0 {
		d.again(wait)
		return
	}
	d.nextAttempt(m, "its back-off is over")
}

// retryEdited starts scripts again whose attempts were used up before an edit of the spec.
func (d *draft) retryEdited() {
	if d.seen.Cluster.Status.ObservedGeneration == d.seen.Cluster.Generation {
		return
	}
	for _, m := range d.members {
		if m.exhausted() {
			d.nextAttempt(m, "the spec has changed")
		}
	}
}

// nextAttempt is recorded before it is made: a crash in between must not run it under the number of the last.
func (d *draft) nextAttempt(m *member, why string) {
	last, vetoes := m.status.Event, m.status.Event.Vetoes
	if m.blocks() {
		vetoes++
	}
	m.status.Event = &v1alpha1.MemberEvent{
		Name:       last.Name,
		Generation: last.Generation,
		Attempt:    last.Attempt + 1,
		Vetoes:     vetoes,
		State:      v1alpha1.EventPending,
	}
	d.record(fmt.Sprintf("attempt %d of %s on %s: %s", last.Attempt+1, last.Name, m.status.Pod, why))
}

// retryAt is when the next attempt is due: the policy's delay after the failure,
// and up to a tenth of it more, different for each member, so that members that
// failed together do not return together.
func (m *member) retryAt() time.Time {
	event := m.status.Event
	if event.FinishedAt == nil {
		return time.Time{} // never recorded so by us: nothing to wait for
	}
	delay := m.role.Hook(event.Name).Delay(event.Attempt)
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%d", m.status.Pod, event.Attempt)
	jitter := delay / 10 * time.Duration(h.Sum32()%1000) / 1000
	return event.FinishedAt.Add(delay + jitter)
}

// packageMended is true when a ConfigMap holds another package than the one that
// failed. It is looked at now and then, only while a member waits for that.
func (d *draft) packageMended(m *member) bool {
	if m.role.Package == nil {
		return false
	}
	source, err := catalog.ParsePackage(m.role.Package.PackageURL, d.appNamespace)
	if err != nil || source.ConfigMap == nil {
		return false
	}
	failedAt := ptr.Deref(m.status.Event.FinishedAt, metav1.Time{})
	check, checked := d.seen.Packages[*source.ConfigMap]
	if checked && check.Version != "" && check.At.After(failedAt.Time) && shortVersion(check.Version) != m.status.Event.Package {
		return true
	}
	if age := d.seen.Now.Sub(check.At); checked && age < checkPackageEvery {
		d.again(checkPackageEvery - age)
		return false
	}
	d.act(CheckPackage{ConfigMap: *source.ConfigMap})
	return false
}

func shortVersion(version string) string { return version[:min(len(version), packageDigits)] }

// timeOrNil drops fractions of a second, which the API does not keep: a status compared with itself must be equal.
func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.Truncate(time.Second)}
}
