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
	"cmp"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

const (
	// nodeGrace is how long a node may be silent before it counts as unreachable.
	nodeGrace = 40 * time.Second
	// quarantine is how long a node must be missing before its pods are collected.
	quarantine = 40 * time.Second
	// defaultToleration is how long a pod stays on a node that does not answer, unless it says itself.
	defaultToleration = 300 * time.Second
)

// node is a machine with its kubelet. Its Node object may be gone.
type node struct {
	name string
	// deleted: the Node object is gone, and with it the machine.
	deleted bool
	// down: it has no power. cutOff: its kubelet runs, but does not reach the API server.
	down, cutOff bool
	silentSince  time.Time
	// sandboxes are the pods that its kubelet runs, or has disks of.
	sandboxes map[types.UID]*sandbox
}

// hears is true while the kubelet and the API server reach each other.
func (n *node) hears() bool { return !n.down && !n.cutOff && !n.deleted }

func (n *node) sorted() []*sandbox {
	return slices.SortedFunc(maps.Values(n.sandboxes), func(a, b *sandbox) int {
		return cmp.Or(cmp.Compare(keyOf(a.pod), keyOf(b.pod)), cmp.Compare(a.pod.UID, b.pod.UID))
	})
}

func (k *Kubernetes) node(name string) *node {
	for _, n := range k.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// nodeObject is the Node object of a name; nil: there is none.
func (k *Kubernetes) nodeObject(name string) *corev1.Node {
	for _, object := range k.nodeObjects.items {
		if object.Name == name {
			return object
		}
	}
	return nil
}

// offerNodes offers what the node lifecycle controller and the nodes' own reports do.
func (k *Kubernetes) offerNodes() {
	for _, object := range k.nodeObjects.items {
		delete(k.missing, object.Name)
		n := k.node(object.Name)
		switch {
		case n == nil:
		case n.hears():
			if !isNodeReady(object) || isTainted(object, corev1.TaintNodeUnreachable) || isTainted(object, corev1.TaintNodeNotReady) {
				k.offer("node-ready", object, func() { k.welcome(object) })
			}
		case k.reached(n.silentSince.Add(nodeGrace)):
			lost := k.readyPodsOn(n.name)
			if isNodeReady(object) || len(lost) > 0 {
				k.offer("node-lifecycle", object, func() { k.giveUp(object, lost) })
			}
		}
	}
}

func (k *Kubernetes) readyPodsOn(node string) []*corev1.Pod {
	var ready []*corev1.Pod
	for _, pod := range k.pods.items {
		if pod.Spec.NodeName == node && readyStatus(pod) == corev1.ConditionTrue {
			ready = append(ready, pod)
		}
	}
	return ready
}

// giveUp marks a silent node, and its pods, whose kubelet can't say any more that they are not ready.
func (k *Kubernetes) giveUp(object *corev1.Node, ready []*corev1.Pod) {
	if isNodeReady(object) {
		marked := object.DeepCopy()
		setNodeReady(marked, corev1.ConditionUnknown)
		marked = must(apiserver.UpdateStatus(k.api, marked)).DeepCopy()
		added := now()
		for _, effect := range []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute} {
			marked.Spec.Taints = append(marked.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: effect, TimeAdded: &added})
		}
		must(apiserver.Update(k.api, marked))
	}
	for _, pod := range ready {
		lost := pod.DeepCopy()
		condition := *podCondition(lost, corev1.PodReady)
		condition.Status = corev1.ConditionFalse
		setPodCondition(lost, condition)
		must(apiserver.UpdateStatus(k.api, lost))
	}
}

// welcome marks a node as ready that answers again.
func (k *Kubernetes) welcome(object *corev1.Node) {
	ready := object.DeepCopy()
	setNodeReady(ready, corev1.ConditionTrue)
	ready = must(apiserver.UpdateStatus(k.api, ready)).DeepCopy()
	ready.Spec.Taints = slices.DeleteFunc(ready.Spec.Taints, func(t corev1.Taint) bool {
		return t.Key == corev1.TaintNodeUnreachable || t.Key == corev1.TaintNodeNotReady
	})
	must(apiserver.Update(k.api, ready))
}

// offerEviction offers the deletion of a pod that no longer tolerates a taint of its node.
func (k *Kubernetes) offerEviction(pod *corev1.Pod, object *corev1.Node) {
	if pod.DeletionTimestamp != nil || hasEnded(pod) {
		return
	}
	for _, taint := range object.Spec.Taints {
		if taint.Effect != corev1.TaintEffectNoExecute {
			continue
		}
		stays, forEver := tolerates(pod, taint)
		if !forEver && k.reached(taint.TimeAdded.Add(stays)) {
			k.offer("evict", pod, func() { k.remove(pod) })
			return
		}
	}
}

// tolerates is how long a pod stays in spite of a taint.
func tolerates(pod *corev1.Pod, taint corev1.Taint) (stays time.Duration, forEver bool) {
	t := toleration(pod, taint)
	switch {
	case t == nil && (taint.Key == corev1.TaintNodeUnreachable || taint.Key == corev1.TaintNodeNotReady):
		return defaultToleration, false
	case t == nil:
		return 0, false
	case t.TolerationSeconds == nil:
		return 0, true
	}
	return time.Duration(*t.TolerationSeconds) * time.Second, false
}

// toleration is the pod's first for a taint; nil: it has none.
func toleration(pod *corev1.Pod, taint corev1.Taint) *corev1.Toleration {
	for i := range pod.Spec.Tolerations {
		t := &pod.Spec.Tolerations[i]
		if t.Effect != "" && t.Effect != taint.Effect || t.Key != "" && t.Key != taint.Key {
			continue
		}
		if t.Operator == corev1.TolerationOpExists || t.Key != "" && t.Value == taint.Value {
			return t
		}
	}
	return nil
}

func isTainted(object *corev1.Node, key string) bool {
	return slices.ContainsFunc(object.Spec.Taints, func(t corev1.Taint) bool { return t.Key == key })
}

func isNodeReady(object *corev1.Node) bool {
	return slices.ContainsFunc(object.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

func setNodeReady(object *corev1.Node, status corev1.ConditionStatus) {
	reason := "KubeletReady"
	if status == corev1.ConditionUnknown {
		reason = "NodeStatusUnknown"
	}
	object.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: status, Reason: reason, LastHeartbeatTime: now(), LastTransitionTime: now(),
	}}
}

// newNodeObject is what a kubelet registers.
func newNodeObject(name string) *corev1.Node {
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}}}
	setNodeReady(object, corev1.ConditionTrue)
	return object
}
