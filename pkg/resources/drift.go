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
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// ServiceDrift is what must be patched for a Service to be as wanted; false: nothing.
// One that is being deleted is left alone: it is made anew when it is gone.
func ServiceDrift(have, want *corev1.Service) (Patch, bool) {
	var p Patch
	if have.DeletionTimestamp != nil {
		return p, false
	}
	metaDrift(&p, &have.ObjectMeta, &want.ObjectMeta)
	if have.Spec.Type != want.Spec.Type {
		p.note(fmt.Sprintf("type %s -> %s", have.Spec.Type, want.Spec.Type), want.Spec.Type, "spec", "type")
	}
	if !maps.Equal(have.Spec.Selector, want.Spec.Selector) {
		p.note("selector", replacement(have.Spec.Selector, want.Spec.Selector), "spec", "selector")
	}
	if have.Spec.PublishNotReadyAddresses != want.Spec.PublishNotReadyAddresses {
		p.note("publishNotReadyAddresses", want.Spec.PublishNotReadyAddresses, "spec", "publishNotReadyAddresses")
	}
	if !slices.EqualFunc(have.Spec.Ports, want.Spec.Ports, samePort) {
		p.note("ports", keepNodePorts(have, want), "spec", "ports")
	}
	return p, !p.empty()
}

// samePort compares what is owned of a port: its node port is the API server's choice.
func samePort(have, want corev1.ServicePort) bool {
	return have.Name == want.Name && have.Port == want.Port && have.Protocol == want.Protocol && have.TargetPort == want.TargetPort
}

// keepNodePorts are the wanted ports with the node ports that users may have noted down.
func keepNodePorts(have, want *corev1.Service) []corev1.ServicePort {
	ports := slices.Clone(want.Spec.Ports)
	if want.Spec.Type == corev1.ServiceTypeClusterIP {
		return ports
	}
	for i := range ports {
		for _, old := range have.Spec.Ports {
			if old.Name == ports[i].Name {
				ports[i].NodePort = old.NodePort
			}
		}
	}
	return ports
}

// SetDrift is what must be patched for a StatefulSet to be as wanted; false: nothing.
// Its template counts only where it was rendered from other inputs. What can't
// be changed in a StatefulSet is compared by ClaimsDiffer.
func SetDrift(have, want *appsv1.StatefulSet) (Patch, bool) {
	var p Patch
	template := hashOf(have) != hashOf(want)
	wantMeta := want.ObjectMeta.DeepCopy()
	if !template {
		// It says what rendered the template, which stays.
		delete(wantMeta.Annotations, names.AnnotationBuilderVersion)
	}
	metaDrift(&p, &have.ObjectMeta, wantMeta)
	if from, to := ptr.Deref(have.Spec.Replicas, 1), ptr.Deref(want.Spec.Replicas, 1); from != to {
		p.note(fmt.Sprintf("replicas %d -> %d", from, to), to, "spec", "replicas")
	}
	if have.Spec.UpdateStrategy.Type != want.Spec.UpdateStrategy.Type {
		p.note(fmt.Sprintf("updateStrategy %s -> %s", have.Spec.UpdateStrategy.Type, want.Spec.UpdateStrategy.Type),
			map[string]any{"type": want.Spec.UpdateStrategy.Type, "rollingUpdate": nil}, "spec", "updateStrategy")
	}
	if policy := want.Spec.PersistentVolumeClaimRetentionPolicy; policy != nil && !equality.Semantic.DeepEqual(policy, have.Spec.PersistentVolumeClaimRetentionPolicy) {
		p.note("persistentVolumeClaimRetentionPolicy", policy, "spec", "persistentVolumeClaimRetentionPolicy")
	}
	if template {
		p.note("template", replacement(have.Spec.Template, want.Spec.Template), "spec", "template")
	}
	return p, !p.empty()
}

// hashOf is read from the template, for that is what pods are made with.
func hashOf(set *appsv1.StatefulSet) string {
	return set.Spec.Template.Annotations[names.AnnotationInputsHash]
}

// ClaimsDiffer is true for StatefulSets that make volumes of another size or
// class. A set that has claims can't be patched to make others.
func ClaimsDiffer(have, want *appsv1.StatefulSet) bool {
	return !slices.EqualFunc(have.Spec.VolumeClaimTemplates, want.Spec.VolumeClaimTemplates,
		func(a, b corev1.PersistentVolumeClaim) bool {
			return a.Name == b.Name &&
				ptr.Equal(a.Spec.StorageClassName, b.Spec.StorageClassName) &&
				equality.Semantic.DeepEqual(a.Spec.Resources.Requests, b.Spec.Resources.Requests)
		})
}

// metaDrift notes owned labels and annotations that differ. Those that others
// put there are not ours to judge, nor is an annotation that status can't account
// for: it may be all that is left of a status that was lost.
func metaDrift(p *Patch, have, want *metav1.ObjectMeta) {
	if changed := changedKeys(have.Labels, want.Labels); len(changed) > 0 {
		p.note("labels", changed, "metadata", "labels")
	}
	if changed := changedKeys(have.Annotations, want.Annotations); len(changed) > 0 {
		p.note("annotations", changed, "metadata", "annotations")
	}
}

func changedKeys(have, want map[string]string) map[string]any {
	changed := map[string]any{}
	for key, value := range want {
		if old, ok := have[key]; !ok || old != value {
			changed[key] = value
		}
	}
	return changed
}
