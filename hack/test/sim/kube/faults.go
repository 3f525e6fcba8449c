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
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// CrashContainer ends the container that runs in a pod. It is false when none does.
func (k *Kubernetes) CrashContainer(namespace, pod string, oom bool) bool {
	_, s := k.running(namespace, pod)
	if s == nil {
		return false
	}
	k.stale = true
	end := corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}
	if oom {
		end = corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}
	}
	s.crashed(time.Now())
	k.endContainer(s, end)
	return true
}

// StopNode cuts a node's power: its containers end at once, and nobody says so.
func (k *Kubernetes) StopNode(name string) bool {
	n := k.node(name)
	if n == nil || n.down {
		return false
	}
	k.stale = true
	n.silence()
	n.down, n.cutOff = true, false
	for _, s := range n.sorted() {
		if s.running {
			k.endContainer(s, corev1.ContainerStateTerminated{ExitCode: 255, Reason: "Unknown"})
		}
		s.crashes, s.restartAt = 0, time.Time{}
	}
	return true
}

// Partition cuts a node off from the API server; its containers go on.
func (k *Kubernetes) Partition(name string) bool {
	n := k.node(name)
	if n == nil || !n.hears() {
		return false
	}
	k.stale = true
	n.silence()
	n.cutOff = true
	return true
}

func (n *node) silence() {
	if n.hears() {
		n.silentSince = time.Now()
	}
}

// StartNode gives a node its power and its network again. What its kubelet does then is moves.
func (k *Kubernetes) StartNode(name string) bool {
	n := k.node(name)
	if n == nil || n.deleted || n.hears() {
		return false
	}
	k.stale = true
	n.down, n.cutOff = false, false
	return true
}

// DeleteNode removes a node without power for good, as cloud controllers do: the
// Node object, and the machine with its disks.
func (k *Kubernetes) DeleteNode(name string) bool {
	n := k.node(name)
	if n == nil || n.deleted || !n.down {
		return false
	}
	k.stale = true
	n.deleted = true
	for _, s := range n.sorted() {
		k.disks.PodGone(s.pod.UID)
	}
	clear(n.sandboxes)
	k.missing[name] = time.Now()
	must(0, apiserver.Delete[*corev1.Node](k.api, "", name, metav1.DeleteOptions{}))
	return true
}

// AddNode registers a fresh node of that name.
func (k *Kubernetes) AddNode(name string) bool {
	n := k.node(name)
	if n != nil && !n.deleted {
		return false
	}
	k.stale = true
	object := newNodeObject(name)
	created := must(apiserver.Create(k.api, object)).DeepCopy()
	created.Status = object.Status
	must(apiserver.UpdateStatus(k.api, created))
	k.nodes = slices.DeleteFunc(k.nodes, func(old *node) bool { return old == n })
	k.nodes = append(k.nodes, &node{name: name, sandboxes: map[types.UID]*sandbox{}})
	slices.SortFunc(k.nodes, func(a, b *node) int { return cmp.Compare(a.name, b.name) })
	return true
}

// OutOfService sets or removes the taint by which an administrator vouches that a node is off.
func (k *Kubernetes) OutOfService(name string, on bool) bool {
	object, found := k.nodeObjects.find("", name)
	if !found || isTainted(object, corev1.TaintNodeOutOfService) == on {
		return false
	}
	marked := object.DeepCopy()
	if added := now(); on {
		marked.Spec.Taints = append(marked.Spec.Taints, corev1.Taint{
			Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute, TimeAdded: &added,
		})
	} else {
		marked.Spec.Taints = slices.DeleteFunc(marked.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
	}
	must(apiserver.Update(k.api, marked))
	return true
}

// Reachable is true while pods/exec gets through to a container of the pod of that
// name. Others may ask side by side, but not beside a move or a fault.
func (k *Kubernetes) Reachable(namespace, pod string) bool {
	object, found := k.pods.find(namespace, pod)
	if !found {
		return false
	}
	n := k.node(object.Spec.NodeName)
	if n == nil || !n.hears() {
		return false
	}
	s := n.sandboxes[object.UID]
	return s != nil && s.running
}

// running is the container that runs under a pod's name: the one that the API
// server means, or else one that it no longer knows of.
func (k *Kubernetes) running(namespace, pod string) (*node, *sandbox) {
	if object, found := k.pods.find(namespace, pod); found {
		if n := k.node(object.Spec.NodeName); n != nil && n.sandboxes[object.UID] != nil && n.sandboxes[object.UID].running {
			return n, n.sandboxes[object.UID]
		}
	}
	for _, n := range k.nodes {
		for _, s := range n.sorted() {
			if s.running && s.pod.Namespace == namespace && s.pod.Name == pod {
				return n, s
			}
		}
	}
	return nil, nil
}
