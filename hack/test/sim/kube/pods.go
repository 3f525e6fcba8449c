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
	"hash/fnv"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// offerPod offers what is to be done about a pod of the API.
func (k *Kubernetes) offerPod(pod *corev1.Pod) {
	if pod.Spec.NodeName == "" {
		k.offerScheduling(pod)
		return
	}
	object := k.nodeObject(pod.Spec.NodeName)
	if object != nil {
		k.offerEviction(pod, object)
	}
	k.offerCollection(pod, object)
	if n := k.node(pod.Spec.NodeName); n != nil && n.hears() {
		k.offerKubelet(n, pod)
	}
}

// offerScheduling offers to bind a pod to a node, or to say that there's none for it.
func (k *Kubernetes) offerScheduling(pod *corev1.Pod) {
	if pod.DeletionTimestamp != nil || hasEnded(pod) {
		return
	}
	node, why := k.fit(pod)
	if node != "" {
		k.offer("schedule", pod, func() { k.bindPod(pod, node) })
		return
	}
	condition := corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: why}
	if have := podCondition(pod, corev1.PodScheduled); have == nil || have.Message != why {
		k.offer("schedule", pod, func() {
			waiting := pod.DeepCopy()
			setPodCondition(waiting, condition)
			must(apiserver.UpdateStatus(k.api, waiting))
		})
	}
}

// fit chooses a node for a pod by its name, as if at random; "": there is none, and why.
func (k *Kubernetes) fit(pod *corev1.Pod) (node, why string) {
	if _, mountable := k.claimUIDs(pod); !mountable {
		return "", "pod has unbound immediate PersistentVolumeClaims"
	}
	var fitting []string
	for _, object := range k.nodeObjects.items {
		if isNodeReady(object) && !slices.ContainsFunc(object.Spec.Taints, func(t corev1.Taint) bool { return repels(t, pod) }) {
			fitting = append(fitting, object.Name)
		}
	}
	if len(fitting) == 0 {
		return "", "no nodes are available that the pod tolerates"
	}
	sum := fnv.New32a()
	sum.Write([]byte(keyOf(pod)))
	return fitting[int(sum.Sum32()%uint32(len(fitting)))], ""
}

// repels is true for a taint that keeps a pod from being scheduled.
func repels(taint corev1.Taint, pod *corev1.Pod) bool {
	return taint.Effect != corev1.TaintEffectPreferNoSchedule && toleration(pod, taint) == nil
}

func (k *Kubernetes) bindPod(pod *corev1.Pod, node string) {
	bound := pod.DeepCopy()
	bound.Spec.NodeName = node
	bound = must(apiserver.Update(k.api, bound)).DeepCopy()
	setPodCondition(bound, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue})
	must(apiserver.UpdateStatus(k.api, bound))
}

// offerCollection offers the forced deletion of a pod whose node is gone, or out
// of service, by the pod garbage collector.
func (k *Kubernetes) offerCollection(pod *corev1.Pod, node *corev1.Node) {
	switch {
	case node == nil:
		if isReleased(pod) {
			return
		}
		since, known := k.missing[pod.Spec.NodeName]
		if !known {
			since = now().Time
			k.missing[pod.Spec.NodeName] = since
		}
		if !k.reached(since.Add(quarantine)) {
			return
		}
	case pod.DeletionTimestamp == nil || isReleased(pod) || isNodeReady(node) || !isTainted(node, corev1.TaintNodeOutOfService):
		return
	}
	k.offer("pod-gc", pod, func() {
		failed := pod.DeepCopy()
		failed.Status.Phase = corev1.PodFailed
		must(apiserver.UpdateStatus(k.api, failed))
		k.removeNow(pod)
	})
}

// removeNow deletes a pod without a grace period: whoever asks for it vouches that its containers have ended.
func (k *Kubernetes) removeNow(pod *corev1.Pod) {
	options := exactly(pod)
	options.GracePeriodSeconds = ptr.To[int64](0)
	must(0, apiserver.Delete[*corev1.Pod](k.api, pod.Namespace, pod.Name, options))
}

// isReleased is true for a pod that was deleted without a grace period: if it is
// still there, a finalizer of somebody else holds it.
func isReleased(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp != nil && ptr.Deref(pod.DeletionGracePeriodSeconds, 1) == 0
}

func podCondition(pod *corev1.Pod, of corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == of {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

func readyStatus(pod *corev1.Pod) corev1.ConditionStatus {
	if condition := podCondition(pod, corev1.PodReady); condition != nil {
		return condition.Status
	}
	return ""
}

// setPodCondition sets a condition; its transition time moves only with its status.
func setPodCondition(pod *corev1.Pod, condition corev1.PodCondition) {
	have := podCondition(pod, condition.Type)
	if have == nil {
		condition.LastTransitionTime = now()
		pod.Status.Conditions = append(pod.Status.Conditions, condition)
		return
	}
	condition.LastTransitionTime = have.LastTransitionTime
	if have.Status != condition.Status {
		condition.LastTransitionTime = now()
	}
	*have = condition
}
