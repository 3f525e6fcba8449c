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

package observe

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2/ktesting"
)

func event(message string, at time.Time) corev1.Event {
	return corev1.Event{Reason: "FailedCreate", Message: message, LastTimestamp: metav1.NewTime(at)}
}

// answers makes the API server answer requests for Events, and returns the
// options of the last one.
func (f *fixture) answers(list *corev1.EventList, err error) *metav1.ListOptions {
	asked := &metav1.ListOptions{}
	f.kube.PrependReactor("list", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		*asked = action.(clienttesting.ListActionImpl).ListOptions
		return true, list, err
	})
	return asked
}

func TestNewestWarning(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	series := event("series", started)
	series.Series = &corev1.EventSeries{LastObservedTime: metav1.NewMicroTime(started.Add(9 * time.Minute))}
	asked := f.answers(&corev1.EventList{Items: []corev1.Event{
		event("older", started), series, event("newer", started.Add(5*time.Minute)),
	}}, nil)

	got := f.Warnings.Newest(ctx, key, set("spark-worker", 1))

	if got == nil || got.Message != "series" || got.Reason != "FailedCreate" || !got.At.Equal(started.Add(9*time.Minute)) {
		t.Errorf("newest warning is %+v", got)
	}
	if want := "involvedObject.uid=u-spark-worker,type=Warning"; asked.FieldSelector != want || asked.Limit != maxEvents {
		t.Errorf("asked for %q, at most %d", asked.FieldSelector, asked.Limit)
	}
}

// TestBackOff lets time pass second by second: the looks, and the observations asked for.
func TestBackOff(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	f.answers(&corev1.EventList{Items: []corev1.Event{event("no", started)}}, nil)
	stuck := set("spark-worker", 1)

	var looks []string
	for second := range 70 {
		f.clock.SetTime(started.Add(time.Duration(second) * time.Second))
		f.kube.ClearActions()
		found := f.Warnings.Newest(ctx, key, stuck)
		if (found != nil) != (second >= 2) {
			t.Errorf("after %d s the warning is %v", second, found)
		}
		if len(f.kube.Actions()) > 0 {
			looks = append(looks, fmt.Sprintf("%d: again in %s", second, f.later[len(f.later)-1]))
		}
	}
	want := []string{"2: again in 2s", "4: again in 4s", "8: again in 8s", "16: again in 16s", "32: again in 30s", "62: again in 30s"}
	if diff := cmp.Diff(want, looks); diff != "" {
		t.Errorf("looks (-want +got):\n%s", diff)
	}
	if f.later[0] != 2*time.Second || f.later[1] != time.Second {
		t.Errorf("a young object is to be looked at in %s, then in %s", f.later[0], f.later[1])
	}
}

func TestLooksAreForgotten(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	for minute := range 5 {
		f.clock.SetTime(started.Add(time.Duration(minute+1) * time.Minute))
		f.Warnings.Newest(ctx, key, set(fmt.Sprintf("set-%d", minute), 1))
	}
	if got := len(f.Warnings.looks); got != 1 {
		t.Errorf("%d looks are kept", got)
	}
}

func TestAnUnanswerableLookKeepsTheLast(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	f.answers(&corev1.EventList{Items: []corev1.Event{event("no", started)}}, nil)
	f.Warnings.Newest(ctx, key, set("spark-worker", 1))
	f.clock.SetTime(f.clock.Now().Add(time.Minute))
	f.answers(&corev1.EventList{}, errors.New("no route"))
	if got := f.Warnings.Newest(ctx, key, set("spark-worker", 1)); got == nil || got.Message != "no" {
		t.Errorf("the warning is %v", got)
	}
}

func TestWordsDoNotAlternate(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	stuck := set("spark-worker", 1)
	look := func(at time.Time, events ...corev1.Event) string {
		f.clock.SetTime(at)
		f.answers(&corev1.EventList{Items: events}, nil)
		return f.Warnings.Newest(ctx, key, stuck).Message
	}
	at := started.Add(time.Minute)
	first := look(at, event("worker-0", at), event("worker-1", at.Add(-time.Second)))
	at = at.Add(time.Minute)
	if second := look(at, event("worker-0", at.Add(-time.Second)), event("worker-1", at)); second != first {
		t.Errorf("the warning went from %q to %q", first, second)
	}
	at = at.Add(time.Minute)
	if third := look(at, event("worker-0", at.Add(-2*sameTime)), event("worker-1", at)); third != "worker-1" {
		t.Errorf("a warning that is said no more stays: %q", third)
	}
}
