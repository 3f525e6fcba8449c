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
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// pvcProtection holds a claim that is being deleted as long as a pod may use it.
const pvcProtection = "kubernetes.io/pvc-protection"

// volume is a volume that was made for a claim.
type volume struct {
	claim           types.UID
	namespace, name string // of the claim
}

// offerClaims offers what the binder, claim protection and the provisioner do.
func (k *Kubernetes) offerClaims() {
	for _, claim := range k.claims.items {
		switch {
		case claim.DeletionTimestamp != nil:
			if slices.Contains(claim.Finalizers, pvcProtection) && !k.isUsed(claim) {
				k.offer("claim-protection", claim, func() { k.releaseClaim(claim) })
			}
		case claim.Status.Phase == corev1.ClaimBound:
		case k.hasClass(claim):
			k.offer("bind", claim, func() { k.bind(claim) })
		case !k.warned[claim.UID]:
			k.offer("provision", claim, func() { k.failToProvision(claim) })
		}
	}
	for _, v := range k.volumes {
		if _, exists := k.claims.byUID[v.claim]; !exists {
			k.moves = append(k.moves, move{name: "reclaim " + v.namespace + "/" + v.name + "/" + string(v.claim), do: func() { k.removeVolume(v.claim) }})
		}
	}
}

// isUsed is true while a pod of the API that was scheduled mounts a claim: a
// kubelet does not start one with a claim that is being deleted.
func (k *Kubernetes) isUsed(claim *corev1.PersistentVolumeClaim) bool {
	return slices.ContainsFunc(k.pods.items, func(pod *corev1.Pod) bool {
		return pod.Namespace == claim.Namespace && pod.Spec.NodeName != "" && slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
			return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim.Name
		})
	})
}

func (k *Kubernetes) hasClass(claim *corev1.PersistentVolumeClaim) bool {
	class := claim.Spec.StorageClassName
	if class == nil || *class == "" {
		return true
	}
	_, found := k.classes.find("", *class)
	return found
}

func (k *Kubernetes) bind(claim *corev1.PersistentVolumeClaim) {
	bound := claim.DeepCopy()
	bound.Spec.VolumeName = "pv-" + string(claim.UID)
	bound = must(apiserver.Update(k.api, bound)).DeepCopy()
	bound.Status.Phase = corev1.ClaimBound
	bound.Status.AccessModes = bound.Spec.AccessModes
	bound.Status.Capacity = bound.Spec.Resources.Requests
	must(apiserver.UpdateStatus(k.api, bound))
	delete(k.warned, claim.UID)
	if !slices.ContainsFunc(k.volumes, func(v volume) bool { return v.claim == claim.UID }) {
		k.volumes = append(k.volumes, volume{claim: claim.UID, namespace: claim.Namespace, name: claim.Name})
	}
}

func (k *Kubernetes) failToProvision(claim *corev1.PersistentVolumeClaim) {
	k.warned[claim.UID] = true
	k.warn(claim, corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), "ProvisioningFailed",
		fmt.Sprintf("storageclass.storage.k8s.io %q not found", *claim.Spec.StorageClassName))
}

// releaseClaim lets a claim go, and with it its volume.
func (k *Kubernetes) releaseClaim(claim *corev1.PersistentVolumeClaim) {
	released := claim.DeepCopy()
	released.Finalizers = slices.DeleteFunc(released.Finalizers, func(f string) bool { return f == pvcProtection })
	must(apiserver.Update(k.api, released))
	if len(released.Finalizers) == 0 {
		k.removeVolume(claim.UID)
	}
}

func (k *Kubernetes) removeVolume(claim types.UID) {
	before := len(k.volumes)
	k.volumes = slices.DeleteFunc(k.volumes, func(v volume) bool { return v.claim == claim })
	if len(k.volumes) < before {
		k.disks.ClaimGone(claim)
	}
}
