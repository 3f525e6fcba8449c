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
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/lifecycle"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// member is a member together with what is seen of it.
type member struct {
	status *v1alpha1.MemberStatus // in the draft
	role   *catalog.Role
	spec   *v1alpha1.ClusterRole // nil when an edit that is held took the role away
	// set is the role's StatefulSet; nil when there is none.
	set *appsv1.StatefulSet

	// pod is the member's pod; nil when there is none, or it is on its way out or somebody else's.
	pod *corev1.Pod
	// container is the ID of the running application container; empty when none runs, as far as is known.
	container string
	// nodeLost is true while nothing is known of the container, for its node does not answer.
	nodeLost bool
	// outcome is the newest step of that very container; nil when none is known.
	outcome *Outcome
	// trouble is why the member is not ready, when more can be said than its state.
	trouble trouble
}

// trouble is something that keeps a member from being ready.
type trouble struct {
	reason, message string
	// lasting is true when the controller will not mend it by itself.
	lasting bool
}

// bindMembers joins the recorded members with what is seen of them.
func (d *draft) bindMembers() {
	for i := range d.status.Roles {
		entry := &d.status.Roles[i]
		role, ok := d.app.Role(entry.ID)
		if !ok {
			continue // an app edit took the role away from a cluster that was never ready; checkSpec says so
		}
		for j := range entry.Members {
			m := &member{status: &entry.Members[j], role: role, spec: roleSpec(d.seen.Cluster, entry.ID), set: d.seen.Sets[entry.StatefulSet]}
			d.bindPod(m)
			d.members = append(d.members, m)
		}
	}
}

func (d *draft) bindPod(m *member) {
	pod := d.seen.Pods[m.status.Pod]
	if pod == nil || m.set == nil || !metav1.IsControlledBy(pod, m.set) || pod.DeletionTimestamp != nil {
		return
	}
	m.pod = pod
	if c := containerStatus(pod.Status.ContainerStatuses, names.ContainerName); c != nil && c.State.Running != nil {
		if m.nodeLost = lostWithNode(pod, c); !m.nodeLost {
			m.container = c.ContainerID
		}
	}
	if outcome, known := d.seen.Outcomes[pod.UID]; known && m.container != "" && outcome.Key.ContainerID == m.container {
		m.outcome = &outcome
	}
}

// lostWithNode is true when Kubernetes has given up the pod's node. The kubelet's
// last word, that the container is ready, then stands beside a pod that is not:
// no kubelet says so, and the pods have no readiness gates. Nodes themselves
// can't be seen by a controller that has the rights of one namespace.
func lostWithNode(pod *corev1.Pod, c *corev1.ContainerStatus) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return c.Ready && condition.Status == corev1.ConditionFalse
		}
	}
	return false
}

func containerStatus(all []corev1.ContainerStatus, name string) *corev1.ContainerStatus {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

// incarnationOf shortens a container ID for status: "containerd://5d0f0ff3c1d2…" to its first 12 digits.
func incarnationOf(containerID string) string {
	_, id, _ := strings.Cut(containerID, "://")
	return id[:min(len(id), 12)]
}

// configuredOnce is true for a member that was configured at some time, in whatever container.
func (m *member) configuredOnce() bool { return m.status.MetadataGeneration > 0 }

// current is true while the container that runs is the one on record.
func (m *member) current() bool {
	return m.container != "" && m.status.Incarnation == incarnationOf(m.container)
}

// moveMembers steps each member's state machine by what is seen of it.
func moveMembers(d *draft) bool {
	for _, m := range d.members {
		d.judgeEvent(m)
		from := m.status.State
		to, _, impossible := lifecycle.StepMember(from, d.factsOf(m))
		if impossible != nil {
			d.plan.Impossible = append(d.plan.Impossible, fmt.Errorf("member %s: %w", m.status.Pod, impossible))
		}
		if to != from {
			d.enter(m, from, to)
		}
		d.diagnose(m)
	}
	return true
}

// enter notes what goes with a member's new state.
func (d *draft) enter(m *member, from, to v1alpha1.MemberState) {
	m.status.State = to
	switch to {
	case v1alpha1.MemberConfiguring:
		if !m.current() {
			m.status.Event = nil
		}
		m.status.Incarnation = incarnationOf(m.container)
	case v1alpha1.MemberReady:
		m.status.MetadataGeneration = d.status.MetadataGeneration
		m.status.Event = nil
	case v1alpha1.MemberLost:
		m.status.Event = nil
		d.plan.Notes = append(d.plan.Notes, Note{corev1.EventTypeWarning, lossOf(m).reason, lossOf(m).message})
	case v1alpha1.MemberPending, v1alpha1.MemberCreating:
		m.status.Event = nil
	}
}

// factsOf is the bounded observation that the member machine rests on.
func (d *draft) factsOf(m *member) lifecycle.MemberFacts {
	facts := lifecycle.MemberFacts{
		Wanted:     true,
		Configured: m.configuredOnce(),
		Container:  lifecycle.ContainerNone,
		Setup:      d.setupOf(m),
	}
	switch {
	case m.container != "":
		facts.Container = lifecycle.ContainerRunning
		facts.Replaced = m.status.Incarnation != "" && !m.current()
	case m.pod != nil:
		facts.Container = lifecycle.ContainerStarting
	}
	return facts
}

// setupOf says how far the running container is set up.
func (d *draft) setupOf(m *member) lifecycle.Setup {
	if !m.current() {
		return lifecycle.SetupOutstanding
	}
	if m.status.State == v1alpha1.MemberReady {
		if m.status.MetadataGeneration == d.status.MetadataGeneration {
			return lifecycle.SetupSucceeded
		}
		return lifecycle.SetupOutstanding
	}
	if m.failed() {
		return lifecycle.SetupFailed
	}
	if step := d.stepFor(m); m.outcome != nil && m.outcome.Key == step.Key() && succeeded(m.outcome) {
		return lifecycle.SetupSucceeded
	}
	return lifecycle.SetupOutstanding
}

// lossOf says what became of a configured member.
func lossOf(m *member) trouble {
	switch {
	case m.nodeLost:
		return nodeTrouble(m)
	case m.pod == nil:
		return trouble{reason: v1alpha1.ReasonPodLost, message: fmt.Sprintf("member %s: its pod is gone or ending", m.status.Pod)}
	case m.container == "":
		return trouble{reason: v1alpha1.ReasonContainerRestarted, message: fmt.Sprintf("member %s: its container does not run%s", m.status.Pod, endOf(m.pod))}
	default:
		return trouble{reason: v1alpha1.ReasonContainerRestarted, message: fmt.Sprintf("member %s: its container was replaced%s", m.status.Pod, endOf(m.pod))}
	}
}

func nodeTrouble(m *member) trouble {
	return trouble{reason: v1alpha1.ReasonNodeLost, message: fmt.Sprintf(
		"member %s: its node %s does not answer; the member goes on when the node returns, or when its pod is moved", m.status.Pod, m.pod.Spec.NodeName)}
}

// endOf says how the container's last life ended, as far as the kubelet tells: ": exit code 137 (OOMKilled)".
func endOf(pod *corev1.Pod) string {
	c := containerStatus(pod.Status.ContainerStatuses, names.ContainerName)
	if c == nil {
		return ""
	}
	ended := c.State.Terminated
	if ended == nil {
		ended = c.LastTerminationState.Terminated
	}
	if ended == nil {
		return ""
	}
	return fmt.Sprintf(": exit code %d (%s)", ended.ExitCode, ended.Reason)
}
