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

package sim

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// judgeCluster judges a write of the cluster itself.
func (b *book) judgeCluster(r apiserver.Write) {
	before := r.Before.(*v1alpha1.KubeDirectorCluster)
	after, _ := r.After.(*v1alpha1.KubeDirectorCluster)
	if after == nil {
		after = before
	}
	if r.Subresource == "status" {
		b.judgeStatus(before, after)
		b.noteStatus(after)
		return
	}
	if slices.Contains(before.Finalizers, names.Finalizer) && !slices.Contains(after.Finalizers, names.Finalizer) {
		b.judgeRelease(before)
	}
	if !equality.Semantic.DeepEqual(before.Spec, after.Spec) || !equality.Semantic.DeepEqual(before.Annotations, after.Annotations) {
		b.world.violate("the spec is its user's", "%s of %s changed it", r.Verb, after.Name)
	}
}

// judgeStatus judges what is put on record.
func (b *book) judgeStatus(before, after *v1alpha1.KubeDirectorCluster) {
	b.judgeIDs(after)
	b.judgeApp(after)
	for _, role := range after.Status.Roles {
		for i := range role.Members {
			m := &role.Members[i]
			if was := memberByID(&before.Status, m.NodeID); was != nil {
				b.judgeMove(was, m)
				b.judgeRenewal(was, m, after)
				b.judgeAttempt(was, m, before)
			}
		}
	}
	b.judgeCondemned(before, after)
	b.judgeDropped(before, after)
	b.judgeRebuilt(before, after)
	if after.Status.State == v1alpha1.ClusterReady && !meta.IsStatusConditionTrue(after.Status.Conditions, v1alpha1.ConditionSuspended) {
		b.judgeReady(after)
	}
	if meta.IsStatusConditionTrue(after.Status.Conditions, v1alpha1.ConditionReady) && after.Status.State != v1alpha1.ClusterReady {
		b.world.violate("Ready means ready", "Ready is True in state %q", after.Status.State)
	}
}

// noteStatus notes what is on record from now on.
func (b *book) noteStatus(cluster *v1alpha1.KubeDirectorCluster) {
	if len(cluster.Status.Roles) > 0 {
		b.wiped = 0 // it is rebuilt
	}
	for _, role := range cluster.Status.Roles {
		for i := range role.Members {
			b.noteMember(cluster.UID, &role.Members[i])
		}
	}
	for _, event := range cluster.Status.PendingEvents {
		for _, id := range event.For {
			b.announced[announcement(cluster.UID, string(event.Event), event.Number, id)] = true
		}
	}
}

func (b *book) noteMember(cluster types.UID, m *v1alpha1.MemberStatus) {
	if on := m.Event; on != nil {
		b.attempts[attemptOn(cluster, m.NodeID, string(on.Name), on.Generation, int(on.Attempt))] = true
	}
	id := memberKey(cluster, m.NodeID)
	b.leaves[id] = m.State == v1alpha1.MemberLeaving || m.State == v1alpha1.MemberDeleting
	switch {
	case m.Retired != nil && m.Retired.Why == v1alpha1.RetiredSuspended:
		b.asleep[id] = true
	case m.State == v1alpha1.MemberLeaving && m.MetadataGeneration == 0:
		b.unheard[id] = true
	case m.State == v1alpha1.MemberLost:
		b.away[id] = true
	case m.State == v1alpha1.MemberReady:
		delete(b.away, id)
		delete(b.asleep, id)
		delete(b.unheard, id)
	}
}

// judgeRelease: the last hold on a cluster is given up when nothing is left that its user wants gone.
func (b *book) judgeRelease(cluster *v1alpha1.KubeDirectorCluster) {
	if cluster.DeletionTimestamp == nil {
		b.world.violate("the finalizer stays while the cluster does", "it was taken off")
	}
	policy := cluster.Spec.DeletionPolicy
	if policy == nil || policy.Volumes == nil || policy.Volumes.OnDelete != v1alpha1.VolumeDelete {
		return
	}
	for _, claim := range apiserver.List[*corev1.PersistentVolumeClaim](b.world.api, namespace) {
		if claim.Labels[names.LabelCluster] == clusterName && claim.DeletionTimestamp == nil && memberOfClaim(&cluster.Status, claim.Name) != nil {
			b.world.violate("the finalizer stays until volumes are deleted", "%s is there", claim.Name)
		}
	}
}

// judgeIDs: node IDs and generations only grow, and an ID is one member's for ever.
func (b *book) judgeIDs(cluster *v1alpha1.KubeDirectorCluster) {
	status := &cluster.Status
	if status.LastNodeID < b.lastID[cluster.UID] {
		b.world.violate("node IDs only grow", "last node ID went from %d to %d", b.lastID[cluster.UID], status.LastNodeID)
	}
	if status.MetadataGeneration < b.lastMetadata[cluster.UID] {
		b.world.violate("metadata generations only grow", "from %d to %d", b.lastMetadata[cluster.UID], status.MetadataGeneration)
	}
	b.lastID[cluster.UID], b.lastMetadata[cluster.UID] = status.LastNodeID, status.MetadataGeneration
	owners := b.owners[cluster.UID]
	if owners == nil {
		owners = map[int64]string{}
		b.owners[cluster.UID] = owners
	}
	for _, role := range status.Roles {
		for _, m := range role.Members {
			if owner, given := owners[m.NodeID]; given && owner != m.Pod {
				b.world.violate("a node ID is one member's for ever", "%d was %s, is %s", m.NodeID, owner, m.Pod)
			}
			if m.NodeID > status.LastNodeID || m.NodeID < 1 {
				b.world.violate("node IDs only grow", "%s has %d, the last given is %d", m.Pod, m.NodeID, status.LastNodeID)
			}
			owners[m.NodeID] = m.Pod
		}
	}
}

// judgeMove: that a member has lost what it worked in is shown before it gets it
// again, unless its pod goes for a reason on record; and who is being deleted
// never comes back, for its pod and its volume may have gone.
func (b *book) judgeMove(was, m *v1alpha1.MemberStatus) {
	if was.State == v1alpha1.MemberReady && m.State == v1alpha1.MemberCreating && m.Retired == nil {
		b.world.violate("a loss is shown first", "%s was ready and is %s", m.Pod, m.State)
	}
	if was.State == v1alpha1.MemberDeleting && m.State != v1alpha1.MemberDeleting {
		b.world.violate("who is being deleted goes", "%s was being deleted and is %s", m.Pod, m.State)
	}
	if m.State == v1alpha1.MemberReady && m.Retired == nil && b.hasParted(m) {
		b.world.violate("who may have been decommissioned starts over", "%+v", m)
	}
}

// hasParted is true for a member on record with a container in which decommission was begun.
func (b *book) hasParted(m *v1alpha1.MemberStatus) bool {
	for container := range b.parted {
		if m.Incarnation != "" && strings.Contains(container, m.Incarnation) {
			return true
		}
	}
	return false
}

// judgeAttempt: a script that failed is tried again by itself as often and as
// soon as its policy says; at once only for what its user has done.
func (b *book) judgeAttempt(was, m *v1alpha1.MemberStatus, cluster *v1alpha1.KubeDirectorCluster) {
	last, next := was.Event, m.Event
	if last == nil || next == nil || last.Name != next.Name || last.Generation != next.Generation || last.Attempt >= next.Attempt {
		return
	}
	edited := cluster.Status.ObservedGeneration != cluster.Generation || cluster.Status.ObservedRetry != cluster.Annotations[names.AnnotationRetry]
	ended, known := b.ended[attemptOn(cluster.UID, m.NodeID, string(last.Name), last.Generation, int(last.Attempt))]
	if edited || b.repackaged || !known {
		return
	}
	policy := catalog.DefaultPolicy // the application here has none of its own
	if due := ended.Truncate(time.Second).Add(policy.Delay(last.Attempt)); time.Now().Before(due) {
		b.world.violate("a failed script is tried again as its policy says", "%s of %s: attempt %d ended at %s, the next is due at %s", last.Name, m.Pod, last.Attempt, ended, due)
	}
	if failures := last.Attempt - next.Vetoes; next.Vetoes == last.Vetoes && failures > policy.Retries {
		b.world.violate("a failed script is tried again as its policy says", "%s of %s has failed %d times", last.Name, m.Pod, failures)
	}
}

// judgeRenewal: a member is made anew for an edit, once Kubernetes has seen it;
// and of those that work one at a time, while no other is on the way.
func (b *book) judgeRenewal(was, m *v1alpha1.MemberStatus, cluster *v1alpha1.KubeDirectorCluster) {
	if was.Retired != nil || m.Retired == nil || m.Retired.Why != v1alpha1.RetiredRenewed {
		return
	}
	if !b.edited {
		b.world.violate("a pod is made anew for an edit", "%s is without one", m.Pod)
	}
	name, _, _ := names.ParsePod(m.Pod)
	set, found := apiserver.Get[*appsv1.StatefulSet](b.world.api, namespace, name)
	byAnother := found && set.Annotations[names.AnnotationBuilderVersion] == builtEarlier // since it was looked at
	if found && !byAnother && set.Status.ObservedGeneration < set.Generation {
		b.world.violate("who is made anew gets the new template", "%s is, before anybody has seen generation %d of %s", m.Pod, set.Generation, name)
	}
	if m.State != v1alpha1.MemberReady {
		return
	}
	onTheWay := func(o *v1alpha1.MemberStatus) bool {
		return o.NodeID != m.NodeID && (o.Retired != nil || o.State != v1alpha1.MemberReady && o.State != v1alpha1.MemberError)
	}
	if other := memberThat(&cluster.Status, onTheWay); other != nil {
		b.world.violate("one working pod at a time is made anew", "%s is, while %+v", m.Pod, other)
	}
}

// judgeApp: once a cluster has been ready, edits of its app disturb it no more.
// Where status was lost, and nothing is up that tells that it has been, it begins anew.
func (b *book) judgeApp(cluster *v1alpha1.KubeDirectorCluster) {
	status := &cluster.Status
	if b.rebuilt && status.FirstReadyTime == nil {
		delete(b.held, cluster.UID)
	}
	if status.App == nil || status.FirstReadyTime == nil {
		return
	}
	if held, known := b.held[cluster.UID]; known && held != status.App.Revision {
		b.world.violate("the app in use is held", "it was %s, is %s", held, status.App.Revision)
	}
	b.held[cluster.UID] = status.App.Revision
}

// judgeReady: a cluster that says it is ready is.
func (b *book) judgeReady(cluster *v1alpha1.KubeDirectorCluster) {
	status := &cluster.Status
	if len(status.PendingEvents) > 0 && slices.ContainsFunc(status.PendingEvents, func(e v1alpha1.PendingEvent) bool { return len(e.For) > 0 }) {
		b.world.violate("ready means that nothing is pending", "%+v", status.PendingEvents)
	}
	for _, role := range status.Roles {
		for _, m := range role.Members {
			if m.State != v1alpha1.MemberReady || m.Event != nil || m.MetadataGeneration != status.MetadataGeneration {
				b.world.violate("ready means that every member is configured", "metadata %d, member %+v", status.MetadataGeneration, m)
			}
		}
	}
}

// judgeDropped: the record of a member goes once nobody will make its pod again, or with another in its place.
func (b *book) judgeDropped(before, after *v1alpha1.KubeDirectorCluster) {
	for _, role := range before.Status.Roles {
		set, found := apiserver.Get[*appsv1.StatefulSet](b.world.api, namespace, role.StatefulSet)
		if !found || !metav1.IsControlledBy(set, before) || set.DeletionTimestamp != nil {
			continue
		}
		for _, m := range role.Members {
			_, ordinal, _ := names.ParsePod(m.Pod)
			if memberByID(&after.Status, m.NodeID) == nil && memberOf(&after.Status, m.Pod) == nil && ordinal < int(ptr.Deref(set.Spec.Replicas, 1)) && m.State == v1alpha1.MemberDeleting && m.Retired.Why != v1alpha1.RetiredReplaced {
				b.world.violate("who is dropped from the record is gone", "%s of %d members that %s is to have: %+v", m.Pod, *set.Spec.Replicas, set.Name, m)
			}
		}
	}
}

// judgeRebuilt: a status that was lost is rebuilt without taking those for
// leaving who are suspended, or come back from that.
func (b *book) judgeRebuilt(before, after *v1alpha1.KubeDirectorCluster) {
	if len(before.Status.Roles) > 0 {
		return
	}
	leaves := func(m *v1alpha1.MemberStatus) bool {
		id := memberKey(after.UID, m.NodeID)
		return m.State == v1alpha1.MemberDeleting && b.asleep[id] && !b.leaves[id] && !b.sentAway[m.NodeID] && isWanted(after, m.Pod)
	}
	if m := memberThat(&after.Status, leaves); m != nil {
		b.world.violate("who was suspended comes back", "%+v", m)
	}
}

// isWanted is true for the pod of a member that the spec asks for.
func isWanted(cluster *v1alpha1.KubeDirectorCluster, pod string) bool {
	set, ordinal, _ := names.ParsePod(pod)
	return slices.ContainsFunc(cluster.Spec.Roles, func(r v1alpha1.ClusterRole) bool {
		return names.StatefulSet(clusterName, r.ID) == set && ordinal < int(ptr.Deref(r.Members, 1))
	})
}

// judgeCondemned: a volume that is to go belongs to a member that leaves its place, or left it until now, or its user asked for it.
func (b *book) judgeCondemned(before, after *v1alpha1.KubeDirectorCluster) {
	desired := map[string]int32{}
	for _, role := range before.Status.Roles {
		desired[role.ID] = role.Desired
	}
	for _, role := range after.Status.Roles {
		for _, m := range role.Members {
			was := memberByID(&before.Status, m.NodeID)
			if m.Retired == nil || m.Retired.ClaimUID == "" || b.volumes[m.NodeID] || was != nil && was.Retired != nil && was.Retired.ClaimUID != "" {
				continue
			}
			if _, ordinal, _ := names.ParsePod(m.Pod); m.Retired.Why != v1alpha1.RetiredRemoved && ordinal < int(min(role.Desired, desired[role.ID])) {
				b.world.violate("no volume is deleted unless the policy or its user says so", "it is condemned with %+v, whose place another takes", m)
			}
		}
	}
}
