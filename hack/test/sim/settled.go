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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// settled is what must hold once all faults are over and the cluster rests.
func (b *book) settled() {
	cluster := b.world.cluster()
	if cluster == nil {
		b.nothingLeft()
		return
	}
	status := &cluster.Status
	if status.State != v1alpha1.ClusterReady || !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
		b.world.violate("after faults stop the cluster becomes ready", "it is %q", status.State)
		return
	}
	roster := map[string]int64{}
	for _, role := range status.Roles {
		for _, m := range role.Members {
			roster[m.Pod] = m.NodeID
		}
	}
	b.asSpecified(cluster, roster)
	for _, role := range status.Roles {
		for i := range role.Members {
			b.wellInformed(cluster, &role.Members[i], roster)
		}
	}
}

// asSpecified: the members are those that the spec asks for, and no others have pods.
func (b *book) asSpecified(cluster *v1alpha1.KubeDirectorCluster, roster map[string]int64) {
	wanted := map[string]bool{}
	for _, role := range cluster.Spec.Roles {
		for n := range int(ptr.Deref(role.Members, 1)) {
			wanted[names.Pod(names.StatefulSet(clusterName, role.ID), n)] = true
		}
	}
	for pod := range wanted {
		if roster[pod] == 0 {
			b.world.violate("after faults stop the cluster is as specified", "%s is no member", pod)
		}
	}
	for _, pod := range apiserver.List[*corev1.Pod](b.world.api, namespace) {
		if !wanted[pod.Name] {
			b.world.violate("after faults stop the cluster is as specified", "pod %s is there", pod.Name)
		}
	}
	if len(roster) != len(wanted) {
		b.world.violate("after faults stop the cluster is as specified", "members %v, wanted %v", roster, wanted)
	}
}

// wellInformed: a member was configured as who it is, knows exactly its peers, and holds the current metadata.
func (b *book) wellInformed(cluster *v1alpha1.KubeDirectorCluster, m *v1alpha1.MemberStatus, roster map[string]int64) {
	pod := b.world.pod(m.Pod)
	if pod == nil {
		b.world.violate("after faults stop the cluster is as specified", "%s has no pod", m.Pod)
		return
	}
	document, generation := b.world.guests.Metadata(pod.UID)
	named, err := rosterOf(document)
	if err != nil || generation != cluster.Status.MetadataGeneration || !equality.Semantic.DeepEqual(named, roster) {
		b.world.violate("who is ready holds the current metadata", "%s holds %d of %d, in which the members are %s: %v", m.Pod, generation, cluster.Status.MetadataGeneration, asText(named), err)
	}
	if !b.world.guests.Configured(pod.UID) {
		b.world.violate("who is ready is configured", "the container of %s is not marked", m.Pod)
	}
	mind := b.mindIn(m.Pod)
	if mind == nil || mind.nodeID != m.NodeID {
		b.world.violate("who is ready is configured", "%s was not configured as %d: %+v", m.Pod, m.NodeID, mind)
		return
	}
	if mind.parted {
		b.world.violate("who may have been decommissioned starts over", "%s=%d was not configured again", m.Pod, m.NodeID)
	}
	events := b.world.user.setup.events
	takes := func(event v1alpha1.LifecycleEvent) bool { return slices.Contains(events, event) }
	container := pod.Status.ContainerStatuses[0].ContainerID
	if takes(v1alpha1.EventRestart) && mind.container != container && !mind.returned[container] {
		b.world.violate("who comes back on its volume is told", "%s was configured in %s, is in %s", m.Pod, mind.container, container)
	}
	if events != nil && !(takes(v1alpha1.EventAddNodes) && takes(v1alpha1.EventDelNodes)) {
		return
	}
	if !equality.Semantic.DeepEqual(mind.peers, roster) {
		b.world.violate("no event is lost", "%s=%d knows %s, the members are %s", m.Pod, m.NodeID, asText(mind.peers), asText(roster))
	}
}

// nothingLeft: a cluster that is gone leaves nothing but volumes.
func (b *book) nothingLeft() {
	for _, pod := range apiserver.List[*corev1.Pod](b.world.api, namespace) {
		b.world.violate("a deleted cluster leaves nothing behind", "pod %s", pod.Name)
	}
	for _, set := range apiserver.List[*appsv1.StatefulSet](b.world.api, namespace) {
		b.world.violate("a deleted cluster leaves nothing behind", "statefulset %s", set.Name)
	}
	for _, service := range apiserver.List[*corev1.Service](b.world.api, namespace) {
		b.world.violate("a deleted cluster leaves nothing behind", "service %s", service.Name)
	}
	for _, pin := range apiserver.List[*appsv1.ControllerRevision](b.world.api, namespace) {
		b.world.violate("a deleted cluster leaves nothing behind", "controllerrevision %s", pin.Name)
	}
	if b.world.user.setup.deletes {
		for _, claim := range apiserver.List[*corev1.PersistentVolumeClaim](b.world.api, namespace) {
			b.world.violate("a deleted cluster leaves nothing behind", "claim %s", claim.Name)
		}
	}
}
