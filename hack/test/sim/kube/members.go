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

package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// podOf is the pod that a set has at an ordinal.
func podOf(set *appsv1.StatefulSet, ordinal int, revision string) *corev1.Pod {
	template := set.Spec.Template.DeepCopy()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:            memberName(set, ordinal),
			Namespace:       set.Namespace,
			Labels:          template.Labels,
			Annotations:     template.Annotations,
			Finalizers:      template.Finalizers,
			OwnerReferences: []metav1.OwnerReference{ownedBy(set)},
		},
		Spec:   template.Spec,
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[appsv1.StatefulSetPodNameLabel] = pod.Name
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(ordinal)
	pod.Labels[appsv1.StatefulSetRevisionLabel] = revision
	pod.Spec.Hostname = pod.Name
	pod.Spec.Subdomain = set.Spec.ServiceName
	pod.Spec.Volumes = volumesOf(set, ordinal, pod.Spec.Volumes)
	return pod
}

func memberName(set *appsv1.StatefulSet, ordinal int) string {
	return set.Name + "-" + strconv.Itoa(ordinal)
}

func ownedBy(set *appsv1.StatefulSet) metav1.OwnerReference {
	return *metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))
}

// volumesOf puts a pod's claims before the other volumes of the template.
func volumesOf(set *appsv1.StatefulSet, ordinal int, others []corev1.Volume) []corev1.Volume {
	claimed := map[string]bool{}
	var volumes []corev1.Volume
	for i := range set.Spec.VolumeClaimTemplates {
		name := set.Spec.VolumeClaimTemplates[i].Name
		claimed[name] = true
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claimName(set, i, ordinal)},
		}})
	}
	for _, volume := range others {
		if !claimed[volume.Name] {
			volumes = append(volumes, volume)
		}
	}
	return volumes
}

func claimName(set *appsv1.StatefulSet, template, ordinal int) string {
	return set.Spec.VolumeClaimTemplates[template].Name + "-" + memberName(set, ordinal)
}

func (k *Kubernetes) missesClaim(set *appsv1.StatefulSet, ordinal int) bool {
	for i := range set.Spec.VolumeClaimTemplates {
		if _, found := k.claims.find(set.Namespace, claimName(set, i, ordinal)); !found {
			return true
		}
	}
	return false
}

// createClaims makes a pod's claims that are missing. One that is being deleted is an error: the pod has to wait.
func (k *Kubernetes) createClaims(set *appsv1.StatefulSet, ordinal int) error {
	var failed []error
	for i := range set.Spec.VolumeClaimTemplates {
		name := claimName(set, i, ordinal)
		have, found := k.claims.find(set.Namespace, name)
		if found && have.DeletionTimestamp != nil {
			failed = append(failed, fmt.Errorf("pvc %s is being deleted", name))
		}
		if found {
			continue
		}
		claim := set.Spec.VolumeClaimTemplates[i].DeepCopy()
		claim.Name, claim.Namespace = name, set.Namespace
		claim.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}
		if claim.Labels == nil {
			claim.Labels = map[string]string{}
		}
		maps.Copy(claim.Labels, set.Spec.Selector.MatchLabels)
		if _, err := apiserver.Create(k.api, claim); err != nil {
			failed = append(failed, fmt.Errorf("failed to create PVC %s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

// createPod asks for a pod, which a quota may refuse.
func (k *Kubernetes) createPod(pod *corev1.Pod) error {
	if k.refuses {
		return apierrors.NewForbidden(corev1.Resource("pods"), pod.Name, errors.New("exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0"))
	}
	_, err := apiserver.Create(k.api, pod)
	return err
}

// revision is the name of the revision of a set's template at a generation.
type revision struct {
	generation int64
	name       string
}

func (k *Kubernetes) revisionOf(set *appsv1.StatefulSet) string {
	if known, found := k.revisions[set.UID]; found && known.generation == set.Generation {
		return known.name
	}
	sum := sha256.Sum256(templateOf(set))
	name := set.Name + "-" + hex.EncodeToString(sum[:5])
	k.revisions[set.UID] = revision{generation: set.Generation, name: name}
	return name
}

func templateOf(set *appsv1.StatefulSet) []byte {
	return must(json.Marshal(map[string]any{"spec": map[string]any{"template": set.Spec.Template}}))
}

func (k *Kubernetes) isStored(set *appsv1.StatefulSet, revision string) bool {
	return slices.ContainsFunc(k.snapshots.items, func(r *appsv1.ControllerRevision) bool {
		return r.Name == revision && r.Namespace == set.Namespace
	})
}

// storeRevision keeps a set's template, as the real controller does, with the pods' labels on it.
func (k *Kubernetes) storeRevision(set *appsv1.StatefulSet, name string) error {
	if k.isStored(set, name) {
		return nil
	}
	revision := int64(1)
	for _, other := range k.snapshots.items {
		if metav1.IsControlledBy(other, set) {
			revision = max(revision, other.Revision+1)
		}
	}
	_, err := apiserver.Create(k.api, &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: set.Namespace, Labels: maps.Clone(set.Spec.Template.Labels),
			OwnerReferences: []metav1.OwnerReference{ownedBy(set)},
		},
		Data:     runtime.RawExtension{Raw: templateOf(set)},
		Revision: revision,
	})
	return err
}

// claimUIDs are the claims of a pod by the names of its volumes; false when one can't be mounted.
func (k *Kubernetes) claimUIDs(pod *corev1.Pod) (map[string]types.UID, bool) {
	uids := map[string]types.UID{}
	for _, volume := range pod.Spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		claim, found := k.claims.find(pod.Namespace, volume.PersistentVolumeClaim.ClaimName)
		if !found || claim.DeletionTimestamp != nil || claim.Status.Phase != corev1.ClaimBound {
			return nil, false
		}
		uids[volume.Name] = claim.UID
	}
	return uids, true
}
