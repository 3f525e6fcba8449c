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
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// setConditions says whether the cluster can be used, and if not, why.
func (d *draft) setConditions() {
	worst, refused := d.worst(), d.refusal()
	if refused.reason != "" {
		worst = refused
		d.noteRefusal(refused)
	}
	d.setValid()
	d.setPaused()
	d.setSuspended()
	d.setScalingLimited()
	d.setProgressing(worst)
	d.setDegraded()
	d.setReady(worst)
}

func (d *draft) setValid() {
	if d.verdict.reason != "" {
		old := meta.FindStatusCondition(d.seen.Cluster.Status.Conditions, v1alpha1.ConditionValid)
		if old == nil || old.Reason != d.verdict.reason {
			d.note(corev1.EventTypeWarning, d.verdict.reason, d.verdict.message)
		}
		d.setCondition(v1alpha1.ConditionValid, metav1.ConditionFalse, d.verdict.reason, d.verdict.message)
		return
	}
	d.setCondition(v1alpha1.ConditionValid, metav1.ConditionTrue, v1alpha1.ReasonSpecValid, "the spec can be realised")
}

// noteRefusal tells people once that the API server refuses what the cluster needs.
func (d *draft) noteRefusal(refused trouble) {
	old := meta.FindStatusCondition(d.seen.Cluster.Status.Conditions, v1alpha1.ConditionProgressing)
	if old == nil || old.Reason != refused.reason {
		d.note(corev1.EventTypeWarning, refused.reason, refused.message)
	}
}

// setProgressing names what the cluster is doing or waiting for.
func (d *draft) setProgressing(worst trouble) {
	if d.paused() {
		d.setCondition(v1alpha1.ConditionProgressing, metav1.ConditionFalse, v1alpha1.ReasonPaused, pausedMessage)
		return
	}
	switch d.status.State {
	case v1alpha1.ClusterNew:
		d.setCondition(v1alpha1.ConditionProgressing, metav1.ConditionFalse, d.verdict.reason, "nothing is made until the spec is valid")
	case v1alpha1.ClusterReady:
		if worst.reason != "" {
			d.setCondition(v1alpha1.ConditionProgressing, metav1.ConditionTrue, worst.reason, worst.message)
			return
		}
		d.setCondition(v1alpha1.ConditionProgressing, metav1.ConditionFalse, v1alpha1.ReasonAsExpected, "nothing is under way")
	default:
		d.setCondition(v1alpha1.ConditionProgressing, metav1.ConditionTrue, cmp.Or(worst.reason, busyWith(d.status.State)), cmp.Or(worst.message, d.underway()))
	}
}

// setDegraded is about what will not mend by itself.
func (d *draft) setDegraded() {
	var lasting []string
	var reason string
	for _, m := range d.members {
		if m.trouble.lasting {
			lasting, reason = append(lasting, m.trouble.message), m.trouble.reason
		}
	}
	if len(lasting) > 0 {
		d.setCondition(v1alpha1.ConditionDegraded, metav1.ConditionTrue, reason, strings.Join(lasting, "\n"))
		return
	}
	d.setCondition(v1alpha1.ConditionDegraded, metav1.ConditionFalse, v1alpha1.ReasonAsExpected, "nothing has failed for good")
}

// setReady is the summary of the others: True only when the spec, as it stands, is fully realised.
func (d *draft) setReady(worst trouble) {
	switch {
	case d.paused() && d.status.State == v1alpha1.ClusterReady && worst.reason == "":
		// It is as ready as it was, for the generation that it was ready for.
	case d.paused() && worst.reason == "":
		d.setCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPaused, pausedMessage)
	case d.suspended() && d.status.State == v1alpha1.ClusterReady && d.verdict.reason == "":
		d.setCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSuspended, "every member has stopped, as spec.suspend asks")
	case d.verdict.reason != "" && (d.status.State == v1alpha1.ClusterNew || d.status.State == v1alpha1.ClusterReady || worst.reason == ""):
		d.setCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, d.verdict.reason, d.verdict.message)
	case d.status.State == v1alpha1.ClusterReady && worst.reason == "":
		d.setCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonClusterReady, fmt.Sprintf("all %d members are configured", len(d.members)))
	default:
		d.setCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, cmp.Or(worst.reason, busyWith(d.status.State)), cmp.Or(worst.message, d.underway()))
	}
}

func busyWith(state v1alpha1.ClusterState) string {
	switch state {
	case v1alpha1.ClusterCreating:
		return v1alpha1.ReasonCreating
	case v1alpha1.ClusterResizing:
		return v1alpha1.ReasonResizing
	case v1alpha1.ClusterNodeDown:
		return v1alpha1.ReasonPodLost
	}
	return v1alpha1.ReasonConfiguring
}

// underway counts the members by state: "configuring: 2 ready, 1 creating, 1 configuring".
func (d *draft) underway() string {
	count := map[v1alpha1.MemberState]int{}
	for _, m := range d.members {
		count[m.status.State]++
	}
	var parts []string
	for _, state := range []v1alpha1.MemberState{
		v1alpha1.MemberReady, v1alpha1.MemberPending, v1alpha1.MemberCreating, v1alpha1.MemberConfiguring,
		v1alpha1.MemberLost, v1alpha1.MemberError, v1alpha1.MemberLeaving, v1alpha1.MemberDeleting,
	} {
		if n := count[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	text := fmt.Sprintf("%s: members %s", d.status.State, strings.Join(parts, ", "))
	if old := d.countOutdated(); old > 0 && d.everReady() {
		text += fmt.Sprintf("; %d with a pod of an older template, made anew one at a time", old)
	}
	return text
}

// countOutdated counts the members whose pods are to be made anew.
func (d *draft) countOutdated() int {
	n := 0
	for _, m := range d.members {
		if d.outdated(m) {
			n++
		}
	}
	return n
}

// setCondition sets a condition for the generation that was observed.
func (d *draft) setCondition(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&d.status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: truncate(message, maxMessage),
		ObservedGeneration: d.seen.Cluster.Generation, LastTransitionTime: metav1.NewTime(d.seen.Now.Truncate(time.Second)),
	})
}
