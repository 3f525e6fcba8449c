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
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// renewPods has members made anew whose pods are of an older template: at once
// those that don't work, or OnDelete would keep a wrong image for ever; the
// others one at a time, while nobody else is on the way. What is left behind is
// on record first, so that its member is not taken for lost.
func renewPods(d *draft) bool {
	if d.frozen() || d.plan.Record != "" || d.suspending() {
		return true
	}
	for _, m := range d.members {
		if m.pod == nil || m.set.Status.ObservedGeneration < m.set.Generation || hashOf(m.pod) == hashOf(&m.set.Spec.Template) {
			continue
		}
		switch {
		case !d.everReady():
			d.act(DeletePod{Pod: objectOf(m.pod), Why: "its template was corrected"})
		case m.wanted && (d.isBroken(m) || d.nobodyMoves()):
			m.status.Retired = d.retire(m, v1alpha1.RetiredRenewed)
			d.record("that " + m.status.Pod + " is made anew")
		}
	}
	return true
}

// isBroken is true for a member that nothing is lost by making anew.
func (d *draft) isBroken(m *member) bool {
	switch m.status.State {
	case v1alpha1.MemberPending, v1alpha1.MemberCreating, v1alpha1.MemberLost:
		return !m.nodeLost
	case v1alpha1.MemberError:
		return !m.setUp && m.exhausted()
	}
	return false
}

// nobodyMoves is true while every member is ready, or waits for its user with a
// script that failed for good, which a newer template may mend.
func (d *draft) nobodyMoves() bool {
	for _, m := range d.members {
		if m.status.Retired != nil || m.status.State != v1alpha1.MemberReady && !(m.status.State == v1alpha1.MemberError && m.exhausted()) {
			return false
		}
	}
	return true
}

// outdated is true for a member whose pod is not of the template that is wanted
// now. The cluster is not ready with it.
func (d *draft) outdated(m *member) bool {
	if m.pod == nil || !m.wanted {
		return false
	}
	if d.frozen() {
		return !d.everReady() && hashOf(m.pod) != hashOf(&m.set.Spec.Template)
	}
	want := d.wantedHash(m.role.ID)
	return want != "" && hashOf(m.pod) != want
}

// wantedHash is the hash of what the pods of a role are to be made of; empty for
// a role that is no longer asked for. It is the same for all its members.
func (d *draft) wantedHash(role string) string {
	hash, known := d.hashes[role]
	if known {
		return hash
	}
	if in, ok := d.roleInput(role); ok {
		hash = resources.InputsHash(in)
	}
	if d.hashes == nil {
		d.hashes = map[string]string{}
	}
	d.hashes[role] = hash
	return hash
}

// reschedule has a pod made elsewhere whose node has not answered for as long as
// the user waits. Nobody can say that it does not run on there: the user has
// accepted that.
func (d *draft) reschedule(m *member) {
	after, asked := resources.RescheduleAfter(d.seen.Cluster)
	pod := d.podOf(m)
	if !asked || pod == nil || !m.wanted {
		return
	}
	var due time.Time
	switch {
	case onDeadNode(pod):
		due = lostSince(pod).Add(after)
	case pod.DeletionTimestamp != nil:
		// Kubernetes has evicted it after that time; a node that answers ends it within its grace period.
		due = pod.DeletionTimestamp.Add(unansweredFor)
	default:
		return
	}
	if wait := due.Sub(d.seen.Now); wait > 0 {
		d.again(wait)
		return
	}
	d.removeByForce(pod, "its node does not answer, and spec.recovery.nodeDown says Reschedule")
}

// unansweredFor is how long after its grace period a pod must not have ended for its node to count as dead.
const unansweredFor = time.Minute

// lostSince is when Kubernetes gave up the pod's node.
func lostSince(pod *corev1.Pod) time.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}
