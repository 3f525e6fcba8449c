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
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// recoverReadyTime finds out, where status was lost, whether the cluster has
// been ready: a pod is Ready once its member is configured. In doubt it has, for
// then its pin holds and no pod that works is made anew.
func recoverReadyTime(d *draft) bool {
	if d.enrolled() || d.everReady() {
		return true
	}
	for _, pod := range sorted(d.seen.Pods) {
		for _, c := range pod.Status.Conditions {
			if c.Type != corev1.PodReady || c.Status != corev1.ConditionTrue {
				continue
			}
			if since := timeOrNil(c.LastTransitionTime.Time); since != nil && (!d.everReady() || d.status.FirstReadyTime.Before(since)) {
				d.status.FirstReadyTime = since
			}
		}
	}
	return true
}

// recoverRoster rebuilds the roster from the annotations of the StatefulSets
// where status was lost. What members have done is then found on their disks.
func recoverRoster(d *draft) bool {
	if d.enrolled() {
		return true
	}
	if headless := d.seen.Services[names.HeadlessService(d.seen.Cluster.Name)]; headless != nil && metav1.IsControlledBy(headless, d.seen.Cluster) {
		d.status.LastNodeID = max(d.status.LastNodeID, numberIn(headless, names.AnnotationLastNodeID)) // of members that left since
	}
	for _, role := range d.app.Roles() {
		set := d.seen.Sets[names.StatefulSet(d.seen.Cluster.Name, role.ID)]
		if set == nil || !metav1.IsControlledBy(set, d.seen.Cluster) {
			continue
		}
		if ids, err := names.ParseNodeIDs(set.Annotations[names.AnnotationNodeIDs]); err == nil {
			d.status.Roles = append(d.status.Roles, d.recoverRole(role.ID, set, ids))
		}
	}
	return true
}

func (d *draft) recoverRole(id string, set *appsv1.StatefulSet, nodeIDs []int64) v1alpha1.RoleStatus {
	generation := max(numberIn(set, names.AnnotationMetadataGeneration), 1)
	d.status.MetadataGeneration = max(d.status.MetadataGeneration, generation)
	entry := v1alpha1.RoleStatus{ID: id, StatefulSet: set.Name, Desired: int32(len(nodeIDs))}
	for n, nodeID := range nodeIDs {
		m := v1alpha1.MemberStatus{Pod: names.Pod(set.Name, n), NodeID: nodeID, State: v1alpha1.MemberPending}
		if d.everReady() {
			m.MetadataGeneration = generation // its peers know it
		}
		entry.Members = append(entry.Members, m)
		d.status.LastNodeID = max(d.status.LastNodeID, nodeID)
	}
	return entry
}

// numberIn is the number in an annotation of ours; 0 where it is none.
func numberIn(object metav1.Object, annotation string) int64 {
	number, err := strconv.ParseInt(object.GetAnnotations()[annotation], 10, 64)
	if err != nil {
		return 0
	}
	return number
}
