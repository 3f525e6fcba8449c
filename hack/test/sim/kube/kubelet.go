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
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

const (
	// The wait before a container is started again, from the second crash in a row.
	firstBackOff   = 10 * time.Second
	longestBackOff = 5 * time.Minute
	// A container that ran so long begins a new row.
	steady = 10 * time.Minute
)

// sandbox is a pod as its kubelet runs it.
type sandbox struct {
	pod       *corev1.Pod // as it was when it was first started
	claims    map[string]types.UID
	container string // the ID of the newest
	ip        string
	running   bool
	started   bool // the startup probe has succeeded
	startedAt metav1.Time
	begunAt   metav1.Time // of the pod
	restarts  int32
	// ended is how the newest container ended, nil while it runs; before is how the one before ended.
	ended, before *corev1.ContainerStateTerminated
	crashes       int // in a row
	backOff       time.Duration
	restartAt     time.Time
}

// offerKubelet offers what a kubelet does about a pod that the API server tells it of.
func (k *Kubernetes) offerKubelet(n *node, pod *corev1.Pod) {
	s := n.sandboxes[pod.UID]
	switch {
	case pod.DeletionTimestamp != nil:
		if s == nil && isReleased(pod) {
			return // a finalizer holds it
		}
		k.offer("end", pod, func() { k.endPod(n, pod) })
	case s == nil && !hasEnded(pod):
		if claims, mountable := k.claimUIDs(pod); mountable {
			k.offer("start", pod, func() { k.startPod(n, pod, claims) })
		}
	}
	if s != nil && !agrees(pod, s) {
		k.offer("report", pod, func() { k.report(pod, s) })
	}
}

// offerSandboxes offers what kubelets do about what they run, whether or not they reach the API server.
func (k *Kubernetes) offerSandboxes() {
	for _, n := range k.nodes {
		if n.down {
			continue
		}
		for uid, s := range n.sandboxes {
			pod, exists := k.pods.byUID[uid]
			name := keyOf(s.pod)
			if !exists {
				name += "/" + string(uid)
			}
			if !exists && n.hears() {
				k.moves = append(k.moves, move{name: "orphan " + name, do: func() { k.forget(n, s) }})
				continue
			}
			switch leaves := exists && n.hears() && pod.DeletionTimestamp != nil; {
			case s.running && !s.started:
				k.probes = append(k.probes, move{
					name:  "ready " + name,
					ready: func() bool { return k.disks.Configured(uid) },
					do:    func() { k.probeSucceeds(n, s) },
				})
			case !s.running && !leaves && k.reached(s.restartAt):
				k.moves = append(k.moves, move{name: "restart " + name, do: func() { k.startContainer(n, s) }})
			}
		}
	}
}

// startPod makes a pod's sandbox. Its init containers have done their work at once.
func (k *Kubernetes) startPod(n *node, pod *corev1.Pod, claims map[string]types.UID) {
	s := &sandbox{pod: pod, claims: claims, begunAt: now()}
	n.sandboxes[pod.UID] = s
	k.startContainer(n, s)
}

// startContainer starts the first or the next container of a pod.
func (k *Kubernetes) startContainer(n *node, s *sandbox) {
	k.containers++
	id := sha256.Sum256(fmt.Appendf(nil, "container %d", k.containers))
	if s.container != "" {
		s.restarts++
		s.before = s.ended
	}
	s.container = "containerd://" + hex.EncodeToString(id[:])
	if s.ip == "" {
		s.ip = fmt.Sprintf("10.%d.%d.%d", k.containers>>16&0xff, k.containers>>8&0xff, k.containers&0xff)
	}
	s.running, s.ended, s.backOff, s.startedAt = true, nil, 0, now()
	s.started = appContainer(s.pod).StartupProbe == nil
	k.disks.ContainerStarts(s.pod, s.container, s.claims)
	k.tell(n, s)
}

func (k *Kubernetes) probeSucceeds(n *node, s *sandbox) {
	s.started = true
	k.tell(n, s)
}

// crashed counts a crash, and says when the kubelet starts the container again.
func (s *sandbox) crashed(at time.Time) {
	if at.Sub(s.startedAt.Time) >= steady {
		s.crashes = 0
	}
	s.crashes++
	s.backOff, s.restartAt = 0, time.Time{}
	if s.crashes > 1 {
		s.backOff = longestBackOff
		if doublings := s.crashes - 2; doublings < 5 {
			s.backOff = firstBackOff << doublings
		}
		s.restartAt = at.Add(s.backOff)
	}
}

// endContainer ends the container that runs. Its kubelet says so later, if at all.
func (k *Kubernetes) endContainer(s *sandbox, how corev1.ContainerStateTerminated) {
	how.StartedAt, how.FinishedAt, how.ContainerID = s.startedAt, now(), s.container
	s.running, s.started, s.ended = false, false, &how
	k.disks.ContainerEnds(s.pod.UID)
}

// endPod ends a pod that is being deleted, says so, and lets it go.
func (k *Kubernetes) endPod(n *node, pod *corev1.Pod) {
	if s := n.sandboxes[pod.UID]; s != nil {
		k.stop(s)
		last := pod.DeepCopy()
		describe(last, s)
		last.Status.Phase = corev1.PodFailed
		must(apiserver.UpdateStatus(k.api, last))
		delete(n.sandboxes, pod.UID)
		k.disks.PodGone(pod.UID)
	}
	k.removeNow(pod)
}

// forget ends a pod that the API server no longer knows.
func (k *Kubernetes) forget(n *node, s *sandbox) {
	k.stop(s)
	delete(n.sandboxes, s.pod.UID)
	k.disks.PodGone(s.pod.UID)
}

// stop ends a container by signal.
func (k *Kubernetes) stop(s *sandbox) {
	if s.running {
		k.endContainer(s, corev1.ContainerStateTerminated{ExitCode: 143, Reason: "Error"})
	}
	s.backOff = 0
}

// tell reports on a pod, if the API server can be reached and still has it.
func (k *Kubernetes) tell(n *node, s *sandbox) {
	if pod, exists := k.pods.find(s.pod.Namespace, s.pod.Name); exists && pod.UID == s.pod.UID && n.hears() {
		k.report(pod, s)
	}
}

func (k *Kubernetes) report(pod *corev1.Pod, s *sandbox) {
	reported := pod.DeepCopy()
	describe(reported, s)
	must(apiserver.UpdateStatus(k.api, reported))
}
