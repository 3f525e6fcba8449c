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
	"cmp"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// diagnose finds out why a member is not ready, in the words of whoever holds it
// up. Its message holds nothing that changes while nothing happens.
func (d *draft) diagnose(m *member) {
	m.trouble = trouble{}
	switch m.status.State {
	case v1alpha1.MemberReady:
	case v1alpha1.MemberLeaving:
		m.trouble = d.leavingTrouble(m)
	case v1alpha1.MemberDeleting:
		m.trouble = d.deletingTrouble(m)
	case v1alpha1.MemberPending, v1alpha1.MemberCreating:
		m.trouble = d.podTrouble(m)
	case v1alpha1.MemberLost:
		if m.trouble = d.podTrouble(m); m.trouble.reason == "" {
			m.trouble = lossOf(m)
		}
	default:
		m.trouble = d.setupTrouble(m)
	}
	m.status.Message = truncate(m.trouble.message, maxMemberMessage)
}

// maxMemberMessage keeps a status of many members small; the condition has the whole.
const maxMemberMessage = 512

// refusal is the first of the actions now due that the API server refused when
// it was tried last. One that is due no more has no say.
func (d *draft) refusal() trouble {
	for _, action := range d.plan.Actions {
		if words, refused := d.seen.Refusals[action.String()]; refused {
			return trouble{reason: v1alpha1.ReasonRequestRefused, message: fmt.Sprintf(
				"%s: %s; correct what it names in the spec or the app, or the quota, policy or rights: it is tried again by itself", action, words)}
		}
	}
	return trouble{}
}

// podTrouble is why a member has no running container.
func (d *draft) podTrouble(m *member) trouble {
	if m.pod == nil {
		if m.ending != nil && onDeadNode(m.ending) {
			return lossOf(m)
		}
		if m.set == nil {
			return trouble{}
		}
		if warning, ok := d.seen.Warnings[m.set.UID]; ok && warning.Reason == "FailedCreate" && !d.madePodSince(m.set, warning.At) {
			return trouble{reason: v1alpha1.ReasonPodCreationFailed, message: fmt.Sprintf(
				"member %s: the API server refuses its pod: %s; change the quota, limit or policy it names, or what spec.roles asks for", m.status.Pod, warning.Message)}
		}
		return trouble{}
	}
	if m.nodeLost {
		return nodeTrouble(m)
	}
	for _, status := range m.pod.Status.InitContainerStatuses {
		if t := containerTrouble(m, status); t.reason != "" {
			return t
		}
		// Also while it is tried again: what is shown would alternate with each try.
		if ended := lastEnd(status); ended != nil && ended.ExitCode != 0 {
			return crash(m, status)
		}
	}
	if c := containerStatus(m.pod.Status.ContainerStatuses, names.ContainerName); c != nil {
		if t := containerTrouble(m, *c); t.reason != "" {
			return t
		}
	}
	return d.schedulingTrouble(m)
}

// madePodSince is true when a StatefulSet has made a pod after a time: a warning
// of that time says nothing of now. Kubernetes keeps Events for an hour.
func (d *draft) madePodSince(set *appsv1.StatefulSet, at time.Time) bool {
	for _, pod := range d.seen.Pods {
		if metav1.IsControlledBy(pod, set) && pod.CreationTimestamp.After(at) {
			return true
		}
	}
	return false
}

// unschedulableFor is how long a pod must have been unschedulable to be shown so:
// every pod with a new volume is, until the volume is bound.
const unschedulableFor = 5 * time.Second

func (d *draft) schedulingTrouble(m *member) trouble {
	if claim := d.seen.Claims[names.Claim(m.status.Pod)]; m.persists() && claim != nil && claim.Status.Phase == corev1.ClaimPending {
		if warning, ok := d.seen.Warnings[claim.UID]; ok {
			return trouble{reason: v1alpha1.ReasonVolumePending, message: fmt.Sprintf(
				"member %s: its volume %s is not bound: %s: %s; correct spec.roles[id=%s].storage, or provide such a volume", m.status.Pod, claim.Name, warning.Reason, warning.Message, m.role.ID)}
		}
	}
	for _, c := range m.pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			if wait := c.LastTransitionTime.Add(unschedulableFor).Sub(d.seen.Now); wait > 0 {
				d.again(wait)
				return trouble{}
			}
			return trouble{reason: v1alpha1.ReasonUnschedulable, message: fmt.Sprintf(
				"member %s: no node takes its pod: %s; ask for less in spec.roles[id=%s].resources, or make room", m.status.Pod, c.Message, m.role.ID)}
		}
	}
	return trouble{}
}

// containerTrouble reads a container that waits. The kubelet's words for one
// fault alternate (ErrImagePull, ImagePullBackOff); ours do not.
func containerTrouble(m *member, c corev1.ContainerStatus) trouble {
	if c.State.Waiting == nil {
		return trouble{}
	}
	waiting := c.State.Waiting
	switch waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ErrImageInspect":
		return trouble{reason: v1alpha1.ReasonImagePullFailed, message: fmt.Sprintf(
			"member %s: image %q cannot be pulled: %s; correct the image of role %s in the app, or make it available to the nodes", m.status.Pod, c.Image, pullError(waiting.Message), m.role.ID)}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError":
		return trouble{reason: v1alpha1.ReasonContainerConfigError, message: fmt.Sprintf(
			"member %s: container %s cannot be made: %s; it is tried again by itself once that is there", m.status.Pod, c.Name, waiting.Message)}
	case "CrashLoopBackOff":
		return crash(m, c)
	}
	return trouble{}
}

// crash is a container that ends again and again. One that initialises a pod
// stays in its end between two tries, where the application's waits.
func crash(m *member, c corev1.ContainerStatus) trouble {
	if c.Name == names.PersistContainer {
		return trouble{reason: v1alpha1.ReasonPersistFailed, message: fmt.Sprintf(
			"member %s: its persistent directories can't be copied to its volume: %s", m.status.Pod, lastWords(c))}
	}
	return trouble{reason: v1alpha1.ReasonContainerCrashing, message: fmt.Sprintf(
		"member %s: container %s ends again and again, last with %s; see kubectl logs %s -c %s --previous", m.status.Pod, c.Name, lastWords(c), m.status.Pod, c.Name)}
}

// pullError is the registry's or runtime's own error, without the kubelet's frame around it.
func pullError(message string) string {
	if _, inner, framed := strings.Cut(message, "ErrImagePull: "); framed {
		return inner
	}
	return message
}

func lastEnd(c corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	return cmp.Or(c.State.Terminated, c.LastTerminationState.Terminated)
}

func lastWords(c corev1.ContainerStatus) string {
	ended := lastEnd(c)
	if ended == nil {
		return "an unknown end"
	}
	words := fmt.Sprintf("exit code %d (%s)", ended.ExitCode, ended.Reason)
	if message := strings.TrimSpace(ended.Message); message != "" {
		words += ": " + truncate(message, maxMemberMessage/2)
	}
	return words
}

// setupTrouble is why a member with a running container is not configured.
func (d *draft) setupTrouble(m *member) trouble {
	event := m.status.Event
	if m.failed() {
		return d.scriptTrouble(m)
	}
	if waits := d.waitsFor(m); waits.message != "" {
		return waits
	}
	switch {
	case event != nil && event.State == v1alpha1.EventRunning && m.outcome != nil && m.outcome.Event != nil:
		return trouble{message: fmt.Sprintf("member %s runs --%s since %s (attempt %d), until %s at the latest", m.status.Pod, event.Name,
			clock(event.StartedAt), event.Attempt, clock(timeOrNil(m.outcome.Event.Deadline)))}
	case m.outcome == nil:
		return trouble{}
	}
	switch m.outcome.Phase {
	case PhaseWaiting:
		return trouble{reason: m.outcome.Reason, message: fmt.Sprintf("member %s: %s; it goes on by itself once that is there", m.status.Pod, m.outcome.Message)}
	case PhaseFaulted:
		return trouble{reason: v1alpha1.ReasonPackageFault, message: faultText(m)}
	case PhaseUnreachable, PhaseRefused:
		if m.outcome.Tries < 2 {
			return trouble{} // as a container is that has only just started
		}
		return trouble{reason: v1alpha1.ReasonWaitingForGuest, message: fmt.Sprintf("member %s: %s: %s", m.status.Pod, m.outcome.Reason, m.outcome.Message)}
	}
	return trouble{}
}

// faultText says what is wrong with the package; a fault of another kind is the guest's alone to tell.
func faultText(m *member) string {
	if m.role.Package == nil || !strings.HasPrefix(m.outcome.Reason, "Package") {
		return fmt.Sprintf("member %s: %s: %s", m.status.Pod, m.outcome.Reason, m.outcome.Message)
	}
	return fmt.Sprintf("member %s: config package %s of role %s: %s: %s; correct the package, or what the app says of it: it is fetched again by itself",
		m.status.Pod, m.role.Package.PackageURL, m.role.ID, m.outcome.Reason, m.outcome.Message)
}

func (d *draft) scriptTrouble(m *member) trouble {
	event := m.status.Event
	how := "was lost: what watched over it was killed"
	switch {
	case event.State == v1alpha1.EventTimedOut:
		how = fmt.Sprintf("started %s and was ended at its deadline of %s, %s", clock(event.StartedAt), m.role.Hook(event.Name).Timeout, clock(event.FinishedAt))
	case event.ExitCode != nil:
		how = fmt.Sprintf("ended with exit code %d%s", *event.ExitCode, tookText(event))
	}
	if m.blocks() {
		return d.vetoTrouble(m)
	}
	text := fmt.Sprintf("member %s: startscript --%s %s (%s)", m.status.Pod, event.Name, how, m.attempts())
	if tail := strings.TrimSpace(event.OutputTail); tail != "" {
		text += fmt.Sprintf(", its last words %q", tail)
	}
	if m.exhausted() {
		return trouble{reason: v1alpha1.ReasonScriptFailed, lasting: true, message: text + "; " + d.retryRemedy()}
	}
	return trouble{reason: v1alpha1.ReasonRetrying, message: text + "; tried again at " + clock(&metav1.Time{Time: m.retryAt()})}
}

// attempts is which attempt of how many the last one was; what its user had tried again is beyond the policy's number.
func (m *member) attempts() string {
	attempt, most := m.status.Event.Attempt, 1+m.role.Hook(m.status.Event.Name).Retries
	if attempt > most {
		return fmt.Sprintf("attempt %d", attempt)
	}
	return fmt.Sprintf("attempt %d of %d", attempt, most)
}

// retryRemedy is what starts a script again whose attempts are used up.
func (d *draft) retryRemedy() string {
	again := "or ask for it by the annotation " + names.AnnotationRetry
	if d.everReady() {
		return "correct the package or the spec: either starts it again (the app is pinned since the cluster was first ready), " + again
	}
	return "correct the package, the app or the spec: each starts it again, " + again
}

// clock is a time as messages show it. A guest may have told none, or nonsense.
func clock(t *metav1.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}
