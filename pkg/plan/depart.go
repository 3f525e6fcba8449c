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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// farewellSaid is true for a leaving member once nothing holds it back, nor any
// member above it in its role: a StatefulSet gives up its highest ordinals only.
// One that is replaced leaves its place to another, whatever is above it.
func (d *draft) farewellSaid(m *member) bool {
	if d.isHeldBack(m) {
		return false
	}
	return m.givesPlace() || !slices.ContainsFunc(d.members, func(other *member) bool {
		return other.entry == m.entry && other.ordinal > m.ordinal && other.status.State != v1alpha1.MemberDeleting &&
			(other.wanted || d.isHeldBack(other))
	})
}

// givesPlace is true for a member that is replaced by another of its ordinal. It
// waits until those have gone that are removed: their ordinals go with them.
func (m *member) givesPlace() bool {
	return m.status.Retired != nil && m.status.Retired.Why == v1alpha1.RetiredReplaced &&
		m.ordinal < int(m.entry.Desired) && !slices.ContainsFunc(m.entry.Members, isRemoved)
}

// vacates is true for a member that goes for good, and its ordinal with it.
func (m *member) vacates() bool {
	return m.status.State == v1alpha1.MemberDeleting && !m.givesPlace()
}

// isHeldBack is true while a script is to run before a member goes, and nobody lets it go by force.
func (d *draft) isHeldBack(m *member) bool {
	if m.status.Retired != nil && m.status.Retired.Force {
		return false
	}
	if d.heldBack == nil {
		d.heldBack = d.findHeldBack()
	}
	return d.heldBack[m.status.NodeID]
}

// findHeldBack finds the members before whose removal a script is to run: on
// themselves, or on a peer that is up. One that is down, or still being configured, is told when it can be.
func (d *draft) findHeldBack() map[int64]bool {
	up := map[int64]bool{}
	for _, m := range d.members {
		up[m.status.NodeID] = m.isUp() && m.configuredOnce()
	}
	held := map[int64]bool{}
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		var by []int64
		switch {
		case event.Event == v1alpha1.EventDecommission:
			by = event.For
		case event.Event == v1alpha1.EventDelNodes && slices.ContainsFunc(event.For, func(id int64) bool { return up[id] }):
			by = event.NodeIDs
		}
		for _, id := range by {
			held[id] = true
		}
	}
	return held
}

// isUp is true for a member that can be called for an event now or soon.
func (m *member) isUp() bool {
	switch m.status.State {
	case v1alpha1.MemberReady, v1alpha1.MemberConfiguring, v1alpha1.MemberError:
		return m.container != ""
	}
	return false
}

// goesOn is true for a member that has left no pod, or has left it to go on in another.
func goesOn(m *v1alpha1.MemberStatus) bool {
	if m.Retired == nil {
		return true
	}
	switch m.Retired.Why {
	case v1alpha1.RetiredSuspended, v1alpha1.RetiredRenewed, v1alpha1.RetiredCalledOff:
		return true
	}
	return false
}

// condemn records which objects of a member go with it.
func (d *draft) condemn(m *member) {
	if retired := m.status.Retired; !goesOn(m.status) {
		// On record since it was replaced, or removed by force; but who leaves its place, too, leaves by the policy.
		if retired.Why == v1alpha1.RetiredReplaced && m.ordinal >= int(m.entry.Desired) && retired.ClaimUID == "" {
			d.condemnVolume(m)
			d.record("what goes with " + m.status.Pod)
		}
		return
	}
	m.status.Retired = d.retire(m, v1alpha1.RetiredRemoved)
	d.condemnVolume(m)
	d.record("what goes with " + m.status.Pod)
}

// condemnVolume records the volume that goes with a member, if the policy says so.
func (d *draft) condemnVolume(m *member) {
	claim := d.seen.Claims[names.Claim(m.status.Pod)]
	if claim == nil || !d.isOurs(claim) {
		return
	}
	if d.scaleDownDeletes() {
		m.status.Retired.ClaimUID = claim.UID
		return
	}
	d.note(corev1.EventTypeNormal, "VolumesRetained", fmt.Sprintf("keeping %s of member %s, which leaves; a member of that name adopts it again", claim.Name, m.status.Pod))
}

// isOurs is true for a claim of this cluster, or of an earlier one of its name. Claims have no owner.
func (d *draft) isOurs(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Labels[names.LabelCluster] == d.seen.Cluster.Name
}

func (d *draft) scaleDownDeletes() bool {
	policy := d.seen.Cluster.Spec.DeletionPolicy
	return policy != nil && policy.Volumes != nil && policy.Volumes.OnScaleDown == v1alpha1.VolumeDelete
}

// condemnLate records the volume of a member that goes for good, where it was
// made, or its place given up, after that was recorded. The volume of one that is
// replaced with it may have gone, and Kubernetes makes another as long as the
// StatefulSet is to have the pod: that one goes once it is not.
func (d *draft) condemnLate(m *member) {
	retired, forGood := m.status.Retired, isRemoved(*m.status) || m.ordinal >= int(m.entry.Desired)
	if !forGood || !m.vacates() || retired == nil || !d.scaleDownDeletes() || retired.ClaimUID != "" && m.isInSet() {
		return
	}
	before := retired.ClaimUID
	if d.condemnVolume(m); retired.ClaimUID != before {
		d.record("what goes with " + m.status.Pod)
	}
}

// isInSet is true while the member's StatefulSet is to have its pod, and would make it again.
func (m *member) isInSet() bool {
	return m.set != nil && int(ptr.Deref(m.set.Spec.Replicas, 1)) > m.ordinal
}

// dismissPods deletes what members have left behind: pods that others take the
// place of, and what goes with members that go. What a StatefulSet removes by
// its number of replicas is left to it.
func dismissPods(d *draft) bool {
	if d.frozen() {
		return true
	}
	for _, m := range d.members {
		d.reschedule(m)
		retired := m.status.Retired
		if retired == nil {
			continue
		}
		d.dismissClaim(m)
		d.evict(m)
		pod := m.ending
		if pod == nil || pod.UID != retired.UID {
			continue
		}
		switch force := retired.Force || retired.Why == v1alpha1.RetiredReplaced; {
		case force && m.status.State == v1alpha1.MemberDeleting:
			d.removeByForce(pod, "its member goes")
		case pod.DeletionTimestamp != nil || d.suspended() || goes(m.status) && retired.Why == v1alpha1.RetiredRemoved:
		case retired.Why == v1alpha1.RetiredRenewed:
			d.act(DeletePod{Pod: objectOf(pod), Why: "its template has changed"})
		case retired.Why == v1alpha1.RetiredCalledOff:
			d.act(DeletePod{Pod: objectOf(pod), Why: "its member stays after all, and may have been decommissioned in it"})
		case retired.Why == v1alpha1.RetiredSuspended:
			d.act(DeletePod{Pod: objectOf(pod), Why: "it was stopped for a suspension that has been called off"})
		}
	}
	return true
}

// removeByForce deletes a pod without its node's word. One that nothing but a finalizer keeps is left alone.
func (d *draft) removeByForce(pod *corev1.Pod, why string) {
	if pod.DeletionTimestamp != nil && pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0 {
		return
	}
	d.act(DeletePod{Pod: objectOf(pod), Why: why, Force: true})
}

// dismissClaim deletes the volume that goes with a member. A member that is
// replaced in place gives up its volume before its pod, or the next pod would take it.
func (d *draft) dismissClaim(m *member) {
	retired := m.status.Retired
	claim := d.seen.Claims[names.Claim(m.status.Pod)]
	if retired.ClaimUID == "" || m.status.State != v1alpha1.MemberDeleting || claim == nil || claim.UID != retired.ClaimUID || claim.DeletionTimestamp != nil {
		return
	}
	if retired.Why == v1alpha1.RetiredReplaced || d.podOf(m) == nil {
		d.act(DeleteClaim{objectOf(claim)})
	}
}

// evict leaves, too, the pod that was made in a replaced member's place before its
// volume was deleted: it would keep the volume for ever, and the volume the place.
func (d *draft) evict(m *member) {
	retired := m.status.Retired
	claim := d.seen.Claims[names.Claim(m.status.Pod)]
	if m.pod == nil || m.status.State != v1alpha1.MemberDeleting || retired.Why != v1alpha1.RetiredReplaced || claim == nil || claim.UID != retired.ClaimUID || claim.DeletionTimestamp == nil {
		return
	}
	retired.UID = m.pod.UID
	d.record("that the pod goes which took the volume of " + m.status.Pod)
}

// gone is true when nothing is left of a member that is being deleted.
func (d *draft) gone(m *member) bool {
	retired := m.status.Retired
	if retired == nil {
		return false
	}
	if claim := d.seen.Claims[names.Claim(m.status.Pod)]; retired.ClaimUID != "" && claim != nil && claim.UID == retired.ClaimUID {
		return false
	}
	pod := d.podOf(m)
	if m.givesPlace() {
		return pod == nil || pod.UID != retired.UID
	}
	if m.isInSet() {
		return false
	}
	service := d.seen.Services[names.MemberService(m.status.Pod)]
	return pod == nil && (service == nil || !metav1.IsControlledBy(service, d.seen.Cluster))
}

// dropGone takes members off the roster of whom nothing is left.
func (d *draft) dropGone(gone map[int64]bool) {
	if len(gone) == 0 {
		return
	}
	for i := range d.status.Roles {
		entry := &d.status.Roles[i]
		entry.Members = slices.DeleteFunc(slices.Clone(entry.Members), func(m v1alpha1.MemberStatus) bool { return gone[m.NodeID] })
	}
	troubles := map[int64]trouble{}
	for _, m := range d.members {
		troubles[m.status.NodeID] = m.trouble
	}
	d.bindMembers()
	for _, m := range d.members {
		m.trouble = troubles[m.status.NodeID]
	}
	d.tidyEvents()
}
