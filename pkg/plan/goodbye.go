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
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// defaultHookDeadline is how long deletion waits for scripts where the spec says nothing.
const defaultHookDeadline = 5 * time.Minute

// saidGoodbye is true when no member's script for event delete is to be waited
// for. Members that can't be reached are not called, and the deadline ends it in
// any case. A script runs once in a member's life, so that nothing needs to be
// recorded for that.
func (d *draft) saidGoodbye() bool {
	if d.app == nil {
		return true
	}
	d.status.PendingEvents = slices.DeleteFunc(d.status.PendingEvents, func(e v1alpha1.PendingEvent) bool { return e.Event != v1alpha1.EventDelete })
	d.bindMembers()
	if len(d.status.PendingEvents) == 0 {
		hear := d.wantGoodbye()
		if len(hear) > 0 {
			d.newEvent(v1alpha1.PendingEvent{Event: v1alpha1.EventDelete, For: hear})
			d.record("whom deletion waits for")
		}
		return len(hear) == 0
	}
	d.tidyEvents()
	left := d.goodbyeDeadline().Sub(d.seen.Now)
	for _, m := range d.members {
		if left > 0 && d.due(m) != nil {
			d.sayGoodbye(m)
		}
	}
	if waiting := d.status.PendingEvents[0].For; len(waiting) == 0 || left <= 0 {
		return true
	}
	d.again(left)
	return false
}

// wantGoodbye are the configured members that run and whose package wants to be told.
func (d *draft) wantGoodbye() []int64 {
	var ids []int64
	for _, m := range d.members {
		if m.mayHaveWorked() && m.role.Takes(v1alpha1.EventDelete) {
			ids = append(ids, m.status.NodeID)
		}
	}
	return ids
}

func (d *draft) sayGoodbye(m *member) {
	d.judgeEvent(m)
	switch {
	case d.due(m) == nil:
	case m.failed():
		d.retry(m)
	case d.plan.Record == "":
		d.visit(m)
	}
}

// goodbyeDeadline is when deletion goes on whatever the scripts do.
func (d *draft) goodbyeDeadline() time.Time {
	limit := defaultHookDeadline
	if policy := d.seen.Cluster.Spec.DeletionPolicy; policy != nil && policy.HookDeadlineSeconds != nil {
		limit = time.Duration(*policy.HookDeadlineSeconds) * time.Second
	}
	return ptr.Deref(d.seen.Cluster.DeletionTimestamp, metav1.Time{}).Add(limit)
}

// noteMissedGoodbyes tells who was not heard out. The event stays, as a record that goodbye was said.
func (d *draft) noteMissedGoodbyes() {
	for i := range d.status.PendingEvents {
		event := &d.status.PendingEvents[i]
		if event.Event != v1alpha1.EventDelete || len(event.For) == 0 {
			continue
		}
		d.note(corev1.EventTypeWarning, v1alpha1.ReasonScriptFailed, fmt.Sprintf("the scripts of event delete of %d members have not ended within spec.deletionPolicy.hookDeadlineSeconds; deletion goes on", len(event.For)))
		event.For = nil
	}
}
