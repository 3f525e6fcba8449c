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

package plan

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// lostWithNode is true when Kubernetes has given up the pod's node. The kubelet's
// last word, that the container is ready, then stands beside a pod that is not:
// no kubelet says so, and the pods have no readiness gates. Nodes themselves
// can't be seen by a controller that has the rights of one namespace.
func lostWithNode(pod *corev1.Pod, c *corev1.ContainerStatus) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return c.Ready && condition.Status == corev1.ConditionFalse
		}
	}
	return false
}

// lossOf says what became of a configured member.
func lossOf(m *member) trouble {
	switch {
	case m.nodeLost:
		return nodeTrouble(m)
	case m.pod == nil && m.ending != nil && onDeadNode(m.ending):
		return trouble{reason: v1alpha1.ReasonNodeLost, message: fmt.Sprintf(
			"member %s: its pod was deleted, but its node %s does not answer and can't say that it has ended; the member goes on when the node returns, is deleted or gets the taint %s",
			m.status.Pod, m.ending.Spec.NodeName, corev1.TaintNodeOutOfService)}
	case m.pod == nil:
		return trouble{reason: v1alpha1.ReasonPodLost, message: fmt.Sprintf("member %s: its pod is gone or ending", m.status.Pod)}
	case m.container == "":
		return trouble{reason: v1alpha1.ReasonContainerRestarted, message: fmt.Sprintf("member %s: its container does not run%s", m.status.Pod, endOf(m.pod))}
	default:
		return trouble{reason: v1alpha1.ReasonContainerRestarted, message: fmt.Sprintf("member %s: its container was replaced%s", m.status.Pod, endOf(m.pod))}
	}
}

// onDeadNode is true for a pod whose node does not answer.
func onDeadNode(pod *corev1.Pod) bool {
	c := containerStatus(pod.Status.ContainerStatuses, names.ContainerName)
	return c != nil && lostWithNode(pod, c)
}

func nodeTrouble(m *member) trouble {
	return trouble{reason: v1alpha1.ReasonNodeLost, message: fmt.Sprintf(
		"member %s: its node %s does not answer; the member goes on when the node returns, or when its pod is moved", m.status.Pod, m.pod.Spec.NodeName)}
}

// endOf says how the container's last life ended, as far as the kubelet tells: ": exit code 137 (OOMKilled)".
func endOf(pod *corev1.Pod) string {
	c := containerStatus(pod.Status.ContainerStatuses, names.ContainerName)
	if c == nil {
		return ""
	}
	ended := c.State.Terminated
	if ended == nil {
		ended = c.LastTerminationState.Terminated
	}
	if ended == nil {
		return ""
	}
	return fmt.Sprintf(": exit code %d (%s)", ended.ExitCode, ended.Reason)
}
