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
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// DefaultRescheduleAfter is how long a node may not answer before its pods are
// rescheduled, where a cluster asks for that and says no time.
const DefaultRescheduleAfter = 5 * time.Minute

// RescheduleAfter is how long a node may not answer before a cluster's pods on
// it are rescheduled; false: they wait for their node.
func RescheduleAfter(cluster *v1alpha1.KubeDirectorCluster) (time.Duration, bool) {
	recovery := cluster.Spec.Recovery
	if recovery == nil || recovery.NodeDown == nil || recovery.NodeDown.Action != v1alpha1.NodeDownReschedule {
		return 0, false
	}
	if recovery.NodeDown.After == nil {
		return DefaultRescheduleAfter, true
	}
	return recovery.NodeDown.After.Duration, true
}

// rescheduleSeconds is RescheduleAfter as tolerations have it; 0: pods wait for their node.
func rescheduleSeconds(cluster *v1alpha1.KubeDirectorCluster) int64 {
	after, _ := RescheduleAfter(cluster)
	return int64(after / time.Second)
}

// nodeTolerations say how long a pod stays on a node that does not answer.
// Without them Kubernetes would decide, and have each pod deleted after 300 seconds.
func nodeTolerations(cluster *v1alpha1.KubeDirectorCluster) []corev1.Toleration {
	var seconds *int64
	if after := rescheduleSeconds(cluster); after > 0 {
		seconds = ptr.To(after)
	}
	var tolerations []corev1.Toleration
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		tolerations = append(tolerations, corev1.Toleration{
			Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: seconds,
		})
	}
	return tolerations
}
