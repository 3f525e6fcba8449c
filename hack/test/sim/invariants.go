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
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// requested judges a write of the controller, done or refused, by what stands in
// the API at that moment.
func (b *book) requested(r apiserver.Write) {
	if !strings.HasPrefix(r.Agent, controllerAgent) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if only := r.Options.Preconditions; r.Verb == "delete" && (only == nil || only.UID == nil) {
		b.world.violate("a deletion names the UID of what it means", "%s %s", r.Resource.Resource, r.Name)
	}
	if r.Status >= 300 {
		b.refused = append(b.refused, fmt.Sprintf("%d: %s %s/%s", r.Status, r.Verb, r.Resource.Resource, r.Name))
		return
	}
	b.judgeOthers(r)
	b.judgePause(r)
	b.writes[strings.TrimSuffix(r.Verb+" "+r.Resource.Resource+"/"+r.Subresource, "/")]++
	switch r.Resource.Resource {
	case "kubedirectorclusters":
		b.judgeCluster(r)
	case "pods":
		if r.Verb == "delete" {
			b.judgePodDeletion(r.Before.(*corev1.Pod))
		}
	case "persistentvolumeclaims":
		b.judgeClaimWrite(r)
	case "statefulsets":
		b.judgeOrders(r)
		b.judgeSetWrite(r)
	case "controllerrevisions":
		if r.Verb == "delete" {
			b.judgePinDeletion(r.Before.(*appsv1.ControllerRevision))
		}
	case "services":
		if r.Verb == "delete" {
			b.judgeServiceDeletion(r.Before.(*corev1.Service))
		}
	}
}

// judgeOthers: what is somebody else's is theirs.
func (b *book) judgeOthers(r apiserver.Write) {
	if r.Before == nil {
		return
	}
	if r.Before.GetLabels()[ownLabel] != "" {
		b.world.violate("what is somebody else's is left alone", "%s of %s %s", r.Verb, r.Resource.Resource, r.Name)
	}
	if r.After != nil && r.Before.GetAnnotations()[ownLabel] != r.After.GetAnnotations()[ownLabel] {
		b.world.violate("what is somebody else's is left alone", "%s of %s %s took off the annotation %s", r.Verb, r.Resource.Resource, r.Name, ownLabel)
	}
	if r.After != nil && slices.Contains(r.Before.GetFinalizers(), ownFinalizer) && !slices.Contains(r.After.GetFinalizers(), ownFinalizer) {
		b.world.violate("what is somebody else's is left alone", "%s of %s %s took off %s", r.Verb, r.Resource.Resource, r.Name, ownFinalizer)
	}
}

// owner is the cluster that an object belongs to by its owner reference, if that is the one that is there.
func (b *book) owner(o metav1.Object) *v1alpha1.KubeDirectorCluster {
	cluster := b.world.cluster()
	if cluster == nil || !metav1.IsControlledBy(o, cluster) {
		return nil
	}
	return cluster
}

// judgePodDeletion: a pod of a cluster that has been ready goes for a reason that is on record, with its UID.
func (b *book) judgePodDeletion(pod *corev1.Pod) {
	cluster := b.world.cluster()
	if cluster == nil || pod.Labels[names.LabelCluster] != clusterName {
		b.world.violate("only what is ours is deleted", "pod %s %s", pod.Name, pod.UID)
		return
	}
	if cluster.DeletionTimestamp != nil || cluster.Status.FirstReadyTime == nil {
		return
	}
	for _, role := range cluster.Status.Roles {
		for _, m := range role.Members {
			if m.Pod == pod.Name && m.Retired != nil && m.Retired.UID == pod.UID {
				return
			}
		}
	}
	if b.rescheduled(cluster, pod) {
		return
	}
	b.world.violate("a pod is deleted for a reason on record", "pod %s %s: %+v", pod.Name, pod.UID, memberOf(&cluster.Status, pod.Name))
}

// rescheduled is true for the pod of a dead node, where its user wants it to go on elsewhere.
func (b *book) rescheduled(cluster *v1alpha1.KubeDirectorCluster, pod *corev1.Pod) bool {
	recovery := cluster.Spec.Recovery
	return recovery != nil && recovery.NodeDown != nil && recovery.NodeDown.Action == v1alpha1.NodeDownReschedule &&
		!b.world.kube.Reachable(namespace, pod.Name)
}

// judgeClaimWrite: no volume goes unless its user said so.
func (b *book) judgeClaimWrite(r apiserver.Write) {
	if r.Verb != "delete" {
		return
	}
	claim := r.Before.(*corev1.PersistentVolumeClaim)
	cluster := b.world.cluster()
	if cluster == nil || claim.Labels[names.LabelCluster] != clusterName {
		b.world.violate("only what is ours is deleted", "claim %s", claim.Name)
		return
	}
	policy := v1alpha1.VolumePolicy{}
	if p := cluster.Spec.DeletionPolicy; p != nil && p.Volumes != nil {
		policy = *p.Volumes
	}
	m := memberOfClaim(&cluster.Status, claim.Name)
	switch {
	case b.wiped > 0: // sent while the record stood
	case cluster.Status.FirstReadyTime == nil && claim.Status.Phase != corev1.ClaimBound: // there is nothing on it
	case cluster.DeletionTimestamp != nil && policy.OnDelete == v1alpha1.VolumeDelete:
	case m != nil && m.Retired != nil && m.Retired.ClaimUID == claim.UID && (policy.OnScaleDown == v1alpha1.VolumeDelete || b.volumes[m.NodeID]):
	default:
		b.world.violate("no volume is deleted unless the policy or its user says so", "claim %s %s of %+v", claim.Name, claim.UID, m)
	}
}

// judgeServiceDeletion: a Service goes with its member, or is one that can't be changed into what is asked for.
func (b *book) judgeServiceDeletion(service *corev1.Service) {
	cluster := b.owner(service)
	if cluster == nil {
		b.world.violate("only what is ours is deleted", "service %s", service.Name)
	}
}

// judgePinDeletion: of what a cluster is made is never without a pin: the app may be deleted at any time.
func (b *book) judgePinDeletion(pin *appsv1.ControllerRevision) {
	cluster := b.owner(pin)
	if cluster == nil {
		b.world.violate("only what is ours is deleted", "controllerrevision %s", pin.Name)
		return
	}
	another := func(o *appsv1.ControllerRevision) bool { return o.UID != pin.UID && metav1.IsControlledBy(o, cluster) }
	if cluster.DeletionTimestamp == nil && !slices.ContainsFunc(apiserver.List[*appsv1.ControllerRevision](b.world.api, namespace), another) {
		b.world.violate("a cluster always has its pin", "%s was the last", pin.Name)
	}
}

// judgePause: a cluster is left alone once it says that it is paused.
func (b *book) judgePause(r apiserver.Write) {
	cluster, leader := b.world.cluster(), b.world.leads
	if cluster == nil || cluster.DeletionTimestamp != nil || !cluster.Spec.Paused || r.Resource.Resource == "kubedirectorclusters" {
		return
	}
	if leader == nil || r.Agent != leader.agent() {
		return // it was frozen within this write while another has said so
	}
	if meta.IsStatusConditionTrue(cluster.Status.Conditions, v1alpha1.ConditionPaused) {
		b.world.violate("a paused cluster is left alone", "%s of %s %s", r.Verb, r.Resource.Resource, r.Name)
	}
}

// judgeOrders: Kubernetes is not asked to delete volumes with their pods or their
// StatefulSet, nor pods whose template changes.
func (b *book) judgeOrders(r apiserver.Write) {
	set, _ := r.After.(*appsv1.StatefulSet)
	if set == nil {
		return
	}
	if strategy := set.Spec.UpdateStrategy; strategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		b.world.violate("a pod is deleted for a reason on record", "StatefulSet %s deletes them itself: %+v", set.Name, strategy)
	}
	retain := appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	if policy := set.Spec.PersistentVolumeClaimRetentionPolicy; policy != nil && (policy.WhenDeleted != retain || policy.WhenScaled != retain) {
		b.world.violate("no volume is deleted unless the policy or its user says so", "StatefulSet %s has %+v", set.Name, *policy)
	}
}

// judgeSetWrite: a StatefulSet gives up members that have left, and its template changes with what it is made from.
func (b *book) judgeSetWrite(r apiserver.Write) {
	if r.Before == nil {
		return
	}
	before := r.Before.(*appsv1.StatefulSet)
	cluster := b.owner(before)
	if cluster == nil {
		b.world.violate("only what is ours is changed", "%s of statefulset %s", r.Verb, before.Name)
		return
	}
	if cluster.DeletionTimestamp != nil {
		b.judgeGoodbye(cluster, before)
		return
	}
	if cluster.Status.FirstReadyTime == nil {
		return
	}
	if r.Verb == "delete" {
		b.judgeRemoval(cluster, before, 0)
		return
	}
	after := r.After.(*appsv1.StatefulSet)
	b.judgeRemoval(cluster, before, ptr.Deref(after.Spec.Replicas, 1))
	same := before.Annotations[names.AnnotationInputsHash] == after.Annotations[names.AnnotationInputsHash]
	if same && before.Annotations[names.AnnotationBuilderVersion] != after.Annotations[names.AnnotationBuilderVersion] &&
		!equality.Semantic.DeepEqual(before.Spec.Template, after.Spec.Template) {
		b.world.violate("an upgrade of the controller touches no pod", "the template of %s was rendered anew", before.Name)
	}
}

// judgeGoodbye: a cluster that is deleted keeps its pods while their scripts of event delete run, until its deadline.
func (b *book) judgeGoodbye(cluster *v1alpha1.KubeDirectorCluster, set *appsv1.StatefulSet) {
	const deadline = 5 * time.Minute // where the spec says nothing, as here
	if b.wiped > 0 || time.Since(cluster.DeletionTimestamp.Time) >= deadline {
		return
	}
	for _, s := range b.world.guests.Running() {
		pod, m := b.world.pod(s.Pod), memberByID(&cluster.Status, s.NodeID)
		if s.Event == string(v1alpha1.EventDelete) && pod != nil && metav1.IsControlledBy(pod, set) && m != nil && b.works(m, pod) && !s.TimedOut {
			b.world.violate("deletion waits for scripts", "%s goes while %s runs %v", set.Name, s.Pod, s.Args)
		}
	}
}

// judgeRemoval: the ordinals from keep on are those of members that have left for good, or for now.
func (b *book) judgeRemoval(cluster *v1alpha1.KubeDirectorCluster, set *appsv1.StatefulSet, keep int32) {
	for ordinal := keep; ordinal < ptr.Deref(set.Spec.Replicas, 1); ordinal++ {
		name := names.Pod(set.Name, int(ordinal))
		pod, m := b.world.pod(name), memberOf(&cluster.Status, name)
		if pod == nil || m == nil || !metav1.IsControlledBy(pod, set) {
			continue
		}
		suspended := m.Retired != nil && (m.Retired.Why == v1alpha1.RetiredSuspended || cluster.Spec.Suspend && m.Retired.Why != v1alpha1.RetiredRemoved)
		if !suspended && m.State != v1alpha1.MemberDeleting && !b.neverConfigured(cluster, m) {
			b.world.violate("a pod is deleted for a reason on record", "%s of %s loses %s: %+v", set.Name, set.UID, name, m)
		}
		if !suspended {
			b.saidFarewell(cluster, m)
		}
	}
}

func (b *book) neverConfigured(cluster *v1alpha1.KubeDirectorCluster, m *v1alpha1.MemberStatus) bool {
	return !b.configured[memberKey(cluster.UID, m.NodeID)]
}

// saidFarewell: who was configured is decommissioned before it goes, unless its
// user has it replaced or removed by force, which a status that is rebuilt says no more.
func (b *book) saidFarewell(cluster *v1alpha1.KubeDirectorCluster, m *v1alpha1.MemberStatus) {
	if !slices.Contains(b.world.user.setup.events, v1alpha1.EventDecommission) || b.neverConfigured(cluster, m) ||
		b.farewelled[memberKey(cluster.UID, m.NodeID)] || b.wiped > 0 || b.rebuilt && b.sentAway[m.NodeID] || m.Retired != nil && (m.Retired.Force || m.Retired.Why == v1alpha1.RetiredReplaced) {
		return
	}
	pod := b.world.pod(m.Pod)
	if id := memberKey(cluster.UID, m.NodeID); m.MetadataGeneration == 0 || b.unheard[id] || b.asleep[id] || pod == nil || pod.DeletionTimestamp != nil || len(pod.Status.ContainerStatuses) == 0 {
		return // that it was configured or came back had no time to become known, or somebody else ends its pod
	}
	container := pod.Status.ContainerStatuses[0].ContainerID
	if m.Incarnation == "" || !strings.Contains(container, m.Incarnation) {
		return // the container on record is gone, and what it worked in after that was not seen
	}
	if mind := b.mindIn(m.Pod); mind == nil || mind.nodeID != m.NodeID || mind.container != container && !mind.returned[container] {
		return // it does not work in this container: there is nothing to say farewell to
	}
	b.world.violate("who was configured is decommissioned before it goes", "%+v", m)
}

// check is looked at after every step.
func (b *book) check() {
	for _, r := range b.world.replicas {
		if n := r.network.unled; n > 0 {
			b.world.violate("only the leader writes", "%s began %d writes after it had lost its lease", r, n)
			r.network.unled = 0
		}
	}
}
