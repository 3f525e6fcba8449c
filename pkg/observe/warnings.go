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
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

const (
	// firstLook is the age of an object before anybody asks what keeps it, and the wait between the first two looks.
	firstLook = 2 * time.Second
	// longestWait is the wait between looks in the long run.
	longestWait = 30 * time.Second
	// sameTime is how far apart Events are that tell of one and the same trouble.
	sameTime = time.Minute
	// maxEvents is how many Events of one object are read. Kubernetes aggregates
	// those about one object that are alike, so that there are seldom more than a dozen.
	maxEvents = 100
)

// Warnings finds the newest warning Events about objects that are stuck. It
// stands in for an informer: while an object is asked about, it looks again by
// itself, with back-off, and has the owner observed anew.
type Warnings struct {
	Events typedcorev1.EventsGetter
	Clock  clock.PassiveClock
	// Later has an owner observed after a while.
	Later func(owner cache.ObjectName, after time.Duration)

	mu    sync.Mutex
	looks map[types.UID]look
}

// look is what was found about an object, and when to look again.
type look struct {
	found *plan.Warning
	due   time.Time
	wait  time.Duration
}

// Newest is the newest warning about an object, as far as is known; nil: none.
func (w *Warnings) Newest(ctx context.Context, owner cache.ObjectName, object metav1.Object) *plan.Warning {
	now := w.Clock.Now()
	last, known := w.last(object, now)
	if now.Before(last.due) {
		w.Later(owner, last.due.Sub(now))
		return last.found
	}
	next := look{wait: firstLook}
	if known {
		next.wait = min(2*last.wait, longestWait)
	}
	next.due = now.Add(next.wait)
	found, err := w.list(ctx, object, last.found)
	if err != nil {
		// Warnings are shown to people and decide nothing: the next look is soon enough.
		klog.FromContext(ctx).Error(err, "Could not list Events", "object", klog.KObj(object))
		found = last.found
	}
	next.found = found
	w.keep(object, next, now)
	w.Later(owner, next.wait)
	return found
}

// last is the latest look at an object; the first is due when the object is old enough.
func (w *Warnings) last(object metav1.Object, now time.Time) (look, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, known := w.looks[object.GetUID()]
	if !known {
		last = look{due: object.GetCreationTimestamp().Add(firstLook)}
	}
	return last, known
}

// keep records a look, and forgets those at objects that nobody asks about any
// more: if one is stuck again later, it is looked at again from the start.
func (w *Warnings) keep(object metav1.Object, next look, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looks == nil {
		w.looks = map[types.UID]look{}
	}
	for uid, old := range w.looks {
		if now.Sub(old.due) > longestWait {
			delete(w.looks, uid)
		}
	}
	w.looks[object.GetUID()] = next
}

// list finds the newest warning. Of several pods that a StatefulSet can't make,
// now one and now another is the newest: the words found before stay as long as they are still said.
func (w *Warnings) list(ctx context.Context, object metav1.Object, before *plan.Warning) (*plan.Warning, error) {
	events, err := w.Events.Events(object.GetNamespace()).List(ctx, metav1.ListOptions{
		FieldSelector: fields.AndSelectors(
			fields.OneTermEqualSelector("involvedObject.uid", string(object.GetUID())),
			fields.OneTermEqualSelector("type", corev1.EventTypeWarning),
		).String(),
		Limit: maxEvents,
	})
	if err != nil || len(events.Items) == 0 {
		return nil, err
	}
	newest := slices.MaxFunc(events.Items, func(a, b corev1.Event) int { return lastSeen(&a).Compare(lastSeen(&b)) })
	for _, event := range events.Items {
		if before != nil && event.Reason == before.Reason && event.Message == before.Message && lastSeen(&newest).Sub(lastSeen(&event)) < sameTime {
			newest = event
			break
		}
	}
	return &plan.Warning{Reason: newest.Reason, Message: newest.Message, At: lastSeen(&newest)}, nil
}

// lastSeen is when an Event happened last, whichever of the two APIs wrote it.
func lastSeen(event *corev1.Event) time.Time {
	at := event.EventTime.Time
	if event.LastTimestamp.After(at) {
		at = event.LastTimestamp.Time
	}
	if event.Series != nil && event.Series.LastObservedTime.After(at) {
		at = event.Series.LastObservedTime.Time
	}
	return at
}
