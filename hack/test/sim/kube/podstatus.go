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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// appContainer is the container of a pod that matters here: the application's, or else the first.
func appContainer(pod *corev1.Pod) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == names.ContainerName {
			return &pod.Spec.Containers[i]
		}
	}
	return &pod.Spec.Containers[0]
}

// agrees is true while a pod's status says what its kubelet knows.
func agrees(pod *corev1.Pod, s *sandbox) bool {
	if len(pod.Status.ContainerStatuses) == 0 || pod.Status.Phase != corev1.PodRunning {
		return false
	}
	c := &pod.Status.ContainerStatuses[0]
	return c.ContainerID == s.container && c.RestartCount == s.restarts && c.Ready == s.started &&
		(c.State.Running != nil) == s.running && (c.State.Waiting != nil) == s.waits() &&
		(readyStatus(pod) == corev1.ConditionTrue) == s.started
}

// waits is true while a container that has crashed again is not to be started yet.
func (s *sandbox) waits() bool { return !s.running && s.backOff > 0 }

// describe writes into a pod's status what its kubelet knows.
func describe(pod *corev1.Pod, s *sandbox) {
	status := &pod.Status
	status.Phase = corev1.PodRunning
	status.PodIP, status.PodIPs = s.ip, []corev1.PodIP{{IP: s.ip}}
	status.HostIP = "192.0.2.1"
	status.StartTime = s.begunAt.DeepCopy()
	status.InitContainerStatuses = nil
	for _, c := range pod.Spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, Started: ptr.To(false),
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: s.begunAt, FinishedAt: s.begunAt}},
		})
	}
	status.ContainerStatuses = []corev1.ContainerStatus{s.status()}
	setPodCondition(pod, corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue})
	ready, reason, message := corev1.ConditionTrue, "", ""
	if !s.started {
		ready, reason = corev1.ConditionFalse, "ContainersNotReady"
		message = fmt.Sprintf("containers with unready status: [%s]", appContainer(pod).Name)
	}
	for _, condition := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		setPodCondition(pod, corev1.PodCondition{Type: condition, Status: ready, Reason: reason, Message: message})
	}
}

// status is the container's status.
func (s *sandbox) status() corev1.ContainerStatus {
	c := appContainer(s.pod)
	status := corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: c.Image, ContainerID: s.container,
		Ready: s.started, Started: ptr.To(s.started), RestartCount: s.restarts,
	}
	if s.before != nil {
		status.LastTerminationState.Terminated = s.before
	}
	switch {
	case s.running:
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: s.startedAt}
	case s.waits():
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: fmt.Sprintf(
			"back-off %s restarting failed container=%s pod=%s_%s(%s)", s.backOff, c.Name, s.pod.Name, s.pod.Namespace, s.pod.UID)}
		status.LastTerminationState.Terminated = s.ended
	default:
		status.State.Terminated = s.ended
	}
	return status
}
