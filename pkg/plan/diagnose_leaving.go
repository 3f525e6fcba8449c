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
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// leavingTrouble is why a member that is to leave has not left.
func (d *draft) leavingTrouble(m *member) trouble {
	t := d.setupTrouble(m)
	switch event := m.status.Event; {
	case m.nodeLost:
		t = nodeTrouble(m)
	case event != nil && event.Vetoes > 0 && !m.failed():
		t = trouble{reason: v1alpha1.ReasonScaleDownBlocked, message: fmt.Sprintf(
			"member %s has refused to leave %d times, and is being asked again", m.status.Pod, event.Vetoes)}
	case t.message == "" && m.container == "" && d.due(m) != nil:
		t = trouble{reason: v1alpha1.ReasonPodLost, message: fmt.Sprintf("member %s leaves once its script has run; its container does not run", m.status.Pod)}
	}
	if t.reason != "" && !m.blocks() {
		t.message += "; " + m.forceRemedy()
	}
	return t
}

// deletingTrouble is why something is left of a member that is gone from its cluster.
func (d *draft) deletingTrouble(m *member) trouble {
	pod := d.podOf(m)
	if pod == nil || pod.DeletionTimestamp == nil {
		return trouble{}
	}
	if onDeadNode(pod) {
		return trouble{reason: v1alpha1.ReasonPodTerminating, message: fmt.Sprintf(
			"member %s leaves, but the node %s of its pod does not answer and can't say that it has ended; %s", m.status.Pod, pod.Spec.NodeName, m.forceRemedy())}
	}
	if wait := pod.DeletionTimestamp.Add(unschedulableFor).Sub(d.seen.Now); wait > 0 {
		d.again(wait) // its grace period is not over yet
		return trouble{}
	}
	return trouble{reason: v1alpha1.ReasonPodTerminating, message: fmt.Sprintf(
		"member %s leaves, but its pod has not ended within its grace period; see kubectl describe pod %s; %s", m.status.Pod, m.status.Pod, m.forceRemedy())}
}

// vetoTrouble is a member that refuses to leave.
func (d *draft) vetoTrouble(m *member) trouble {
	text := fmt.Sprintf("member %s refuses to leave (attempt %d)", m.status.Pod, m.status.Event.Attempt)
	if words := strings.TrimSpace(m.status.Event.OutputTail); words != "" {
		text += fmt.Sprintf(", in its words %q", words)
	}
	return trouble{reason: v1alpha1.ReasonScaleDownBlocked, message: fmt.Sprintf("%s; it is asked again at %s; give it more members to call this off; %s",
		text, clock(&metav1.Time{Time: m.retryAt()}), m.forceRemedy())}
}

// forceRemedy is how a member that leaves is let go, whatever holds it.
func (m *member) forceRemedy() string {
	return fmt.Sprintf("to remove it now, annotate the cluster %s=%d", names.AnnotationForceRemove, m.status.NodeID)
}

// stuck is true for a trouble that others do not wait for: somebody else has to do something.
func (t trouble) stuck() bool {
	switch t.reason {
	case "", v1alpha1.ReasonRetrying, v1alpha1.ReasonWaitingForRole:
		return false
	}
	return true
}
