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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// FuzzJournal looks for journals that are accepted and not written again
// as they were read, or that no status can hold.
func FuzzJournal(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", "[]", `{"last":1}`, `{"last":0}`, `{"last":-1}`, `{"last":3,"events":[]}`, `{"last":1e9}`,
		`{"last":4,"events":[{"number":2,"event":"stop","for":[1]},{"number":4,"event":"addnodes","role":"worker","members":["c-worker-1"],"nodeIDs":[4],"open":true}]}`,
		`{"last":4,"events":[{"number":4,"event":"delnodes","members":["a"],"nodeIDs":[]}]}`,
		`{"last":4,"events":[{"number":4,"event":"delete"},{"number":4,"event":"delete"}]}`, `{"last":1}{}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		headless := &corev1.Service{}
		headless.Name, headless.Annotations = "spark", map[string]string{names.AnnotationPendingEvents: text}
		journal, err := ReadJournal(headless)
		last, events := journal.Last, journal.Events
		if err != nil {
			if events != nil || !strings.Contains(err.Error(), names.AnnotationPendingEvents) || !strings.Contains(err.Error(), "spark") {
				t.Errorf("ReadJournal(%q) = %v, %v", text, events, err)
			}
			return
		}
		for _, event := range events {
			if event.Number < 1 || event.Number > last || event.Event == "" || len(event.Members) != len(event.NodeIDs) {
				t.Errorf("ReadJournal(%q): last %d, %+v", text, last, event)
			}
		}
		status := v1alpha1.KubeDirectorClusterStatus{LastEvent: last, PendingEvents: events}
		if len(formatJournal(&status, Journal{})) > maxJournal {
			t.Errorf("a journal of %d bytes is written again as %d", len(text), len(formatJournal(&status, Journal{})))
		}
		if len(text) > maxJournal/2 {
			return // written again it may be longer, and lose its first events
		}
		headless.Annotations[names.AnnotationPendingEvents] = formatJournal(&status, Journal{})
		again, err := ReadJournal(headless)
		if err != nil || again.Last != last || !cmp.Equal(events, again.Events, equateEmpty) {
			t.Errorf("%q is read as %d, %v and, written again, as %d, %v, %v", text, last, events, again.Last, again.Events, err)
		}
	})
}

// equateEmpty compares lists as JSON with omitted fields does.
var equateEmpty = cmp.FilterValues(func(a, b any) bool { return isEmpty(a) && isEmpty(b) }, cmp.Ignore())

func isEmpty(value any) bool {
	switch list := value.(type) {
	case []string:
		return len(list) == 0
	case []int64:
		return len(list) == 0
	case []v1alpha1.PendingEvent:
		return len(list) == 0
	}
	return false
}
