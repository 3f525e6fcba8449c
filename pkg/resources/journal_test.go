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
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

func TestPendingEventsAreReadBack(t *testing.T) {
	for name, status := range map[string]v1alpha1.KubeDirectorClusterStatus{
		"never one":   {},
		"none is due": {LastEvent: 4},
		"some are": {LastEvent: 4, PendingEvents: []v1alpha1.PendingEvent{
			{Number: 2, Event: v1alpha1.EventStop},
			{Number: 4, Event: v1alpha1.EventAddNodes, Role: "Worker_1", Members: []string{"spark-worker-1-1"}, NodeIDs: []int64{4}, Open: true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			service := HeadlessService(testCluster(), &status, "spark41", Journal{})
			journal, err := ReadJournal(service)
			last, events := journal.Last, journal.Events
			if err != nil || last != status.LastEvent {
				t.Errorf("the last number is %d, want %d; error %v", last, status.LastEvent, err)
			}
			if diff := cmp.Diff(status.PendingEvents, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestJournalKeepsWhoWasToBeCalled holds the form in which events are kept,
// for those written by one version are read by the next.
func TestJournalKeepsWhoWasToBeCalled(t *testing.T) {
	status := &v1alpha1.KubeDirectorClusterStatus{LastEvent: 3, PendingEvents: []v1alpha1.PendingEvent{
		{Number: 3, Event: v1alpha1.EventDelNodes, Role: "Worker_1", Members: []string{"spark-worker-1-1"}, NodeIDs: []int64{4}, For: []int64{2, 5}, MayKnow: []int64{5}},
	}, Roles: []v1alpha1.RoleStatus{{Members: []v1alpha1.MemberStatus{
		{NodeID: 6, Retired: &v1alpha1.RetiredPod{Why: v1alpha1.RetiredSuspended, StartsOver: true}}, {NodeID: 7, Retired: &v1alpha1.RetiredPod{Why: v1alpha1.RetiredSuspended}},
	}}}}
	written := []v1alpha1.PendingEvent{{Number: 2, For: []int64{3}}, {Number: 3, For: []int64{1, 2}}} // 1 has been called since
	got := HeadlessService(testCluster(), status, "spark41", Journal{Events: written}).Annotations[names.AnnotationPendingEvents]
	want := `{"last":3,"events":[{"number":3,"event":"delnodes","role":"Worker_1","members":["spark-worker-1-1"],"nodeIDs":[4],"for":[1,2,5]}],"startOver":[6]}`
	if got != want {
		t.Errorf("the journal is\n%s, want\n%s", got, want)
	}
	if len(status.PendingEvents[0].For) != 2 {
		t.Errorf("the status was edited: %+v", status.PendingEvents)
	}
}

// TestJournalHasABound: a Service whose annotations are too long is refused.
func TestJournalHasABound(t *testing.T) {
	status := &v1alpha1.KubeDirectorClusterStatus{LastEvent: 20}
	for number := range status.LastEvent {
		event := v1alpha1.PendingEvent{Number: number + 1, Event: v1alpha1.EventDelNodes, Role: "Worker_1"}
		for n := range int64(1000) {
			event.Members = append(event.Members, names.Pod(strings.Repeat("s", names.MaxStatefulSet), int(n)))
			event.NodeIDs = append(event.NodeIDs, n+1)
		}
		status.PendingEvents = append(status.PendingEvents, event)
	}
	service := HeadlessService(testCluster(), status, "spark41", Journal{})
	if got := len(service.Annotations[names.AnnotationPendingEvents]); got > maxJournal || got < maxJournal/2 {
		t.Errorf("the journal has %d bytes, %d are the most", got, maxJournal)
	}
	journal, err := ReadJournal(service)
	last, events := journal.Last, journal.Events
	if err != nil || last != 20 || len(events) == 0 || events[len(events)-1].Number != 20 {
		t.Errorf("the last number is %d, of %d events that are left; error %v", last, len(events), err)
	}
	if len(status.PendingEvents) != 20 {
		t.Errorf("the status has only %d events left", len(status.PendingEvents))
	}
}

func TestJournalsThatNoStatusHas(t *testing.T) {
	for text, want := range map[string]string{
		"":              "unexpected end of JSON input",
		"[]":            "cannot unmarshal array",
		`{"last":"1"}`:  "cannot unmarshal string",
		`{}`:            "the last number is 0",
		`{"last":-1}`:   "the last number is -1",
		`{"last":1} {}`: "after top-level value",
		`{"last":2,"events":[{"number":3,"event":"stop"}]}`:                                           "the last number is 2",
		`{"last":2,"events":[{"number":0,"event":"stop"}]}`:                                           "event 0 comes after 0",
		`{"last":2,"events":[{"number":2,"event":"stop"},{"number":2,"event":"delete"}]}`:             "event 2 comes after 2",
		`{"last":2,"events":[{"number":2}]}`:                                                          "event 2 has no name",
		`{"last":2,"events":[{"number":2,"event":"delnodes","members":["a-0","a-1"],"nodeIDs":[1]}]}`: "2 members and 1 node IDs",
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
				Name: "spark", Annotations: map[string]string{names.AnnotationPendingEvents: text},
			}}
			journal, err := ReadJournal(service)
			last, events := journal.Last, journal.Events
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Service spark") {
				t.Errorf("error is %v, want one that says %q", err, want)
			}
			if last != 0 || events != nil {
				t.Errorf("and yet it tells of %d, %v", last, events)
			}
		})
	}
}
