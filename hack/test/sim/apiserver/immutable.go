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

package apiserver

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var spec = field.NewPath("spec")

// What is said of fields that can't be changed.
const (
	fixedSet = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', " +
		"'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
	fixedPod = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
		"`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
	fixedClaim   = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
	fixedAddress = "may not change once set"
)

// checkSpec judges a spec that has changed.
func checkSpec(before, after Object, binds bool) field.ErrorList {
	switch o := after.(type) {
	case *appsv1.StatefulSet:
		return fixed(fixedSet, before.(*appsv1.StatefulSet).Spec, o.Spec, func(free, want *appsv1.StatefulSetSpec) {
			free.Replicas, free.Ordinals, free.Template, free.UpdateStrategy = want.Replicas, want.Ordinals, want.Template, want.UpdateStrategy
			free.RevisionHistoryLimit, free.MinReadySeconds = want.RevisionHistoryLimit, want.MinReadySeconds
			free.PersistentVolumeClaimRetentionPolicy = want.PersistentVolumeClaimRetentionPolicy
		})
	case *corev1.Pod:
		return fixed(fixedPod, before.(*corev1.Pod).Spec, o.Spec, func(free, want *corev1.PodSpec) {
			free.Containers, free.InitContainers = withImages(free.Containers, want.Containers), withImages(free.InitContainers, want.InitContainers)
			free.ActiveDeadlineSeconds, free.Tolerations = want.ActiveDeadlineSeconds, want.Tolerations
			if binds && free.NodeName == "" {
				free.NodeName = want.NodeName
			}
		})
	case *corev1.PersistentVolumeClaim:
		return fixed(fixedClaim, before.(*corev1.PersistentVolumeClaim).Spec, o.Spec, func(free, want *corev1.PersistentVolumeClaimSpec) {
			free.Resources.Requests, free.VolumeAttributesClassName = want.Resources.Requests, want.VolumeAttributesClassName
			if free.VolumeName == "" {
				free.VolumeName = want.VolumeName
			}
		})
	case *corev1.Service:
		if had := before.(*corev1.Service).Spec.ClusterIP; had != "" && had != o.Spec.ClusterIP {
			return field.ErrorList{field.Invalid(spec.Child("clusterIPs").Index(0), o.Spec.ClusterIP, fixedAddress)}
		}
	}
	return nil
}

// fixed demands that specs are the same but for the fields that free takes from what is wanted.
func fixed[S any](message string, had, want S, free func(had, want *S)) field.ErrorList {
	if free(&had, &want); equality.Semantic.DeepEqual(had, want) {
		return nil
	}
	return field.ErrorList{field.Forbidden(spec, message)}
}

// withImages are the containers that there were, with the images that are wanted.
func withImages(had, want []corev1.Container) []corev1.Container {
	containers := slices.Clone(had)
	for i := range min(len(containers), len(want)) {
		containers[i].Image = want[i].Image
	}
	return containers
}

// isBinding is true when a pod gets its node, which is not counted as a change of its spec.
func isBinding(before, after Object) bool {
	pod, is := after.(*corev1.Pod)
	return is && before.(*corev1.Pod).Spec.NodeName != pod.Spec.NodeName
}

// checkSet judges whether a StatefulSet selects the pods that it makes.
func checkSet(o Object) field.ErrorList {
	set, is := o.(*appsv1.StatefulSet)
	if !is {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil {
		return field.ErrorList{field.Invalid(spec.Child("selector"), set.Spec.Selector, err.Error())}
	}
	if !selector.Matches(labels.Set(set.Spec.Template.Labels)) {
		return field.ErrorList{field.Invalid(spec.Child("template", "metadata", "labels"), set.Spec.Template.Labels, "`selector` does not match template `labels`")}
	}
	return nil
}

// checkRevision keeps what a ControllerRevision has snapshotted, and what a ConfigMap declares to be immutable.
func checkRevision(before, after Object) *field.Error {
	switch o := after.(type) {
	case *appsv1.ControllerRevision:
		if !equality.Semantic.DeepEqual(before.(*appsv1.ControllerRevision).Data, o.Data) {
			return field.Invalid(field.NewPath("data"), o.Data, validation.FieldImmutableErrorMsg)
		}
	case *corev1.ConfigMap:
		had := before.(*corev1.ConfigMap)
		if had.Immutable != nil && *had.Immutable && !(equality.Semantic.DeepEqual(had.Data, o.Data) && equality.Semantic.DeepEqual(had.BinaryData, o.BinaryData)) {
			return field.Forbidden(field.NewPath("data"), "field is immutable when `immutable` is set")
		}
	}
	return nil
}
