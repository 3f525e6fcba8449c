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

package resources

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// StatefulSet runs the members of a role. All pods start at once, for the order
// in which members are configured is not the order in which containers start;
// and none restarts because the template changed, for it is ours to say who
// restarts and when.
//
// Node IDs and the metadata generation are annotations of the set alone: they
// change without any pod being concerned.
func StatefulSet(in RoleInput) *appsv1.StatefulSet {
	cluster := in.Cluster
	set := &appsv1.StatefulSet{
		ObjectMeta: ownedMeta(cluster, names.StatefulSet(cluster.Name, in.Role.ID), roleLabels(&in)),
		Spec: appsv1.StatefulSetSpec{
			ServiceName:         names.HeadlessService(cluster.Name),
			Replicas:            ptr.To(ptr.Deref(in.Replicas, int32(len(in.Members)))),
			Selector:            &metav1.LabelSelector{MatchLabels: names.Selector(cluster.Name, in.Role.ID)},
			Template:            podTemplate(&in),
			PodManagementPolicy: appsv1.ParallelPodManagement,
			UpdateStrategy:      appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
		},
	}
	set.Annotations = renderedBy(&in)
	set.Annotations[names.AnnotationNodeIDs] = names.FormatNodeIDs(nodeIDs(in.Members))
	set.Annotations[names.AnnotationMetadataGeneration] = strconv.FormatInt(in.MetadataGeneration, 10)
	if in.Spec.Storage != nil {
		// Volumes hold what cannot be made again: only the planner deletes one, by the user's policy.
		set.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
			WhenDeleted: appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
			WhenScaled:  appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
		}
		set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{memberClaim(&in)}
	}
	return set
}

// memberClaim has no owner, or garbage collection would delete what is retained.
func memberClaim(in *RoleInput) corev1.PersistentVolumeClaim {
	class := in.Spec.Storage.StorageClassName
	if class == nil && in.DefaultStorageClassName != "" {
		class = &in.DefaultStorageClassName
	}
	return corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: names.ClaimTemplate, Labels: roleLabels(in)},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			StorageClassName: class,
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: in.Spec.Storage.Size},
			},
		},
	}
}

func roleLabels(in *RoleInput) map[string]string {
	return names.RoleLabels(in.Cluster.Name, in.App.Name, in.Role.ID)
}

// renderedBy says on sets and pods what the template was rendered from, and by what.
func renderedBy(in *RoleInput) map[string]string {
	return map[string]string{
		names.AnnotationInputsHash:     InputsHash(*in),
		names.AnnotationBuilderVersion: BuilderVersion,
	}
}

// nodeIDs are those of the members by ordinal; 0 where one has gone before those above it.
func nodeIDs(members []Member) []int64 {
	var ids []int64
	for _, m := range members {
		_, ordinal, _ := names.ParsePod(m.Pod)
		for len(ids) <= ordinal {
			ids = append(ids, 0)
		}
		ids[ordinal] = m.NodeID
	}
	return ids
}
