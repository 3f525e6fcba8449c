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
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// maxJournal is how long a journal may be: all annotations of an object
// together have at most 256 KiB, and others write some too.
const maxJournal = 192 << 10

// Journal is what the headless Service says of pending events. Whom one concerns
// is all those whom it ever concerned: to take out who has been called would be a
// write each, and a member's disk tells what it was called for.
type Journal struct {
	// Last is the last number that was given to an event; 0 where none was.
	Last   int64                   `json:"last"`
	Events []v1alpha1.PendingEvent `json:"events,omitempty"`
	// StartOver are the node IDs of members that are configured again in another pod; their disks do not tell.
	StartOver []int64 `json:"startOver,omitempty"`
}

// formatJournal is the journal of a status, after what was written before. Of one that is too long the oldest
// events are left out, for a Service that is refused would hold up the cluster.
func formatJournal(status *v1alpha1.KubeDirectorClusterStatus, written Journal) string {
	said := Journal{Last: status.LastEvent, Events: slices.Clone(status.PendingEvents)}
	for _, role := range status.Roles {
		for _, m := range role.Members {
			if m.Retired != nil && m.Retired.StartsOver {
				said.StartOver = append(said.StartOver, m.NodeID)
			}
		}
	}
	concerned := map[int64][]int64{}
	for _, event := range written.Events {
		concerned[event.Number] = event.For
	}
	for i := range said.Events {
		event := &said.Events[i]
		event.For, event.MayKnow = union(event.For, concerned[event.Number]), nil
	}
	text := toJSON(said)
	for len(text) > maxJournal && len(said.Events) > 0 {
		said.Events = said.Events[1:]
		text = toJSON(said)
	}
	return string(text)
}

// ReadJournal is the journal on a headless Service; an empty one where there is none, or an error says that others have spoilt it.
func ReadJournal(headless *corev1.Service) (Journal, error) {
	text, told := headless.Annotations[names.AnnotationPendingEvents]
	if !told {
		return Journal{}, nil
	}
	var said Journal
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return Journal{}, fmt.Errorf("annotation %s of Service %s: %w", names.AnnotationPendingEvents, headless.Name, err)
	}
	if err := said.check(); err != nil {
		return Journal{}, fmt.Errorf("annotation %s of Service %s: %w", names.AnnotationPendingEvents, headless.Name, err)
	}
	for i := range said.Events {
		said.Events[i].For, said.Events[i].MayKnow = union(said.Events[i].For, nil), nil
	}
	return said, nil
}

// union is sorted, and has each number once; nil when there is none.
func union(a, b []int64) []int64 {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// check finds what no status has: anybody can write an annotation.
func (j *Journal) check() error {
	var before int64
	for _, event := range j.Events {
		if event.Number <= before {
			return fmt.Errorf("event %d comes after %d: numbers grow, from 1 on", event.Number, before)
		}
		if event.Event == "" {
			return fmt.Errorf("event %d has no name", event.Number)
		}
		if len(event.Members) != len(event.NodeIDs) {
			return fmt.Errorf("event %d has %d members and %d node IDs", event.Number, len(event.Members), len(event.NodeIDs))
		}
		before = event.Number
	}
	if j.Last < max(before, 1) {
		return fmt.Errorf("the last number is %d, less than one that was given", j.Last)
	}
	return nil
}
