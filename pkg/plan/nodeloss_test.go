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
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func TestNodeLost(t *testing.T) {
	w := readyWorld(t, testCluster())
	w.podReady("c-worker-0", corev1.ConditionTrue)
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)

	w.podReady("c-worker-0", corev1.ConditionFalse) // by the node controller, for the kubelet is silent
	w.settle()
	w.expect(v1alpha1.ClusterNodeDown, v1alpha1.ReasonNodeLost)

	w.podReady("c-worker-0", corev1.ConditionTrue)
	w.settle()
	w.succeed("c-worker-0") // the guest has it on record
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
}

// podReady sets the pod's own condition; the kubelet's last word is that its container is ready.
func (w *world) podReady(pod string, status corev1.ConditionStatus) {
	p := w.Pods[pod].DeepCopy()
	p.Spec.NodeName = "node-1"
	p.Status.ContainerStatuses[0].Ready = true
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	w.Pods[pod] = p
}
