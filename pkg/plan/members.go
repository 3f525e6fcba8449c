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
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// member is a member together with what is seen of it.
type member struct {
	status  *v1alpha1.MemberStatus // in the draft
	entry   *v1alpha1.RoleStatus   // of its role, in the draft
	ordinal int
	role    *catalog.Role
	spec    *v1alpha1.ClusterRole // nil when the role is no longer asked for
	// wanted is false for a member that is to leave.
	wanted bool
	// set is the role's StatefulSet; nil when there is none.
	set *appsv1.StatefulSet

	// pod is the member's pod; nil when there is none, or it is on its way out or somebody else's.
	pod *corev1.Pod
	// ending is a pod of the member that is on its way out, or that the member leaves behind.
	ending *corev1.Pod
	// container is the ID of the running application container; empty when none runs, as far as is known.
	container string
	// hasRun is true when a container of the pod has run, or runs.
	hasRun bool
	// nodeLost is true while nothing is known of the container, for its node does not answer.
	nodeLost bool
	// outcome is the newest step of that very container; nil when none is known.
	outcome *Outcome
	// setUp is true when it is known of the running container that its own scripts
	// have run. Where it is not known, the guest is asked.
	setUp bool
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
	d.members = nil
	for i := range d.status.Roles {
		entry := &d.status.Roles[i]
		role, ok := d.app.Role(entry.ID)
		if !ok {
			continue // an app edit took the role away from a cluster that was never ready; checkSpec says so
		}
		for j := range entry.Members {
			m := &member{status: &entry.Members[j], entry: entry, role: role, spec: roleSpec(d.seen.Cluster, entry.ID), set: d.ownSet(entry.StatefulSet)}
			_, m.ordinal, _ = names.ParsePod(m.status.Pod)
			m.wanted = d.isWanted(m.status)
			d.bindPod(m)
			d.members = append(d.members, m)
		}
	}
}

// ownSet is the cluster's StatefulSet of a name; nil when there is none, or it is somebody else's.
func (d *draft) ownSet(name string) *appsv1.StatefulSet {
	set := d.seen.Sets[name]
	if set == nil || !metav1.IsControlledBy(set, d.seen.Cluster) {
		return nil
	}
	return set
}

// podOf is the pod of a member's name, in whatever state; nil when there is none of its StatefulSet.
func (d *draft) podOf(m *member) *corev1.Pod {
	pod := d.seen.Pods[m.status.Pod]
	if pod == nil || m.set == nil || !metav1.IsControlledBy(pod, m.set) {
		return nil
	}
	return pod
}

func (d *draft) bindPod(m *member) {
	pod := d.podOf(m)
	if pod == nil {
		return
	}
	if pod.DeletionTimestamp != nil || m.leavesBehind(pod) {
		m.ending = pod
		return
	}
	m.pod = pod
	c := containerStatus(pod.Status.ContainerStatuses, names.ContainerName)
	m.hasRun = c != nil && (c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil)
	if c != nil && c.State.Running != nil {
		if m.nodeLost = lostWithNode(pod, c); !m.nodeLost {
			m.container = c.ContainerID
		}
	}
	if outcome, known := d.seen.Outcomes[pod.UID]; known && m.container != "" && outcome.Key.ContainerID == m.container {
		m.outcome = &outcome
	}
	m.setUp = m.current() && (m.status.State == v1alpha1.MemberReady ||
		m.outcome != nil && m.outcome.Configured ||
		m.status.Event != nil && isPending(m.status.Event.Name))
}

// leavesBehind is true for the pod that the member has left, and for any that
// turns up under the name of one that is removed.
func (m *member) leavesBehind(pod *corev1.Pod) bool {
	retired := m.status.Retired
	return retired != nil && (retired.UID == pod.UID || retired.Why == v1alpha1.RetiredRemoved)
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
