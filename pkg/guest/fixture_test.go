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

package guest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// deliveryTime is what a fake guest takes to put things in place and to start a script.
const deliveryTime = 50 * time.Millisecond

// play is what the guest in a container does; emit writes a line of its answer.
type play func(ctx context.Context, request *protocol.Request, emit func(protocol.Record)) error

// fakeGuests is an Executor whose containers do what a test says.
type fakeGuests struct {
	mu       sync.Mutex
	play     play
	requests []*protocol.Request
	inside   map[string]int
	most     int
	overlaps []string
}

func (f *fakeGuests) Apply(ctx context.Context, _ plan.Container, raw []byte, answer io.Writer) error {
	request := &protocol.Request{}
	if err := json.Unmarshal(raw, request); err != nil {
		return err
	}
	play := f.enter(request)
	defer f.leave(request)
	return play(ctx, request, func(record protocol.Record) {
		line, err := json.Marshal(record)
		if err != nil {
			panic(err)
		}
		_, _ = answer.Write(append(line, '\n')) // a reader that has gone is no concern of a guest
	})
}

func (f *fakeGuests) enter(request *protocol.Request) play {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, request)
	if f.inside[request.PodUID]++; f.inside[request.PodUID] > 1 {
		f.overlaps = append(f.overlaps, request.PodUID)
	}
	total := 0
	for _, n := range f.inside {
		total += n
	}
	f.most = max(f.most, total)
	return f.play
}

// become changes what guests do from the next request on.
func (f *fakeGuests) become(p play) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.play = p
}

func (f *fakeGuests) leave(request *protocol.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside[request.PodUID]--
}

// sent are the requests that came to a pod.
func (f *fakeGuests) sent(pod types.UID) []*protocol.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var sent []*protocol.Request
	for _, request := range f.requests {
		if request.PodUID == string(pod) {
			sent = append(sent, request)
		}
	}
	return sent
}

func (f *fakeGuests) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests)
}

// result is the last line of an answer.
func result(request *protocol.Request, state protocol.EventState) protocol.Record {
	r := &protocol.Result{
		ProtocolVersion:    protocol.Version,
		PodUID:             request.PodUID,
		Incarnation:        "token-of-" + request.ContainerID,
		MetadataGeneration: request.MetadataGeneration,
	}
	if e := request.Event; e != nil {
		r.Event = &protocol.EventResult{Name: e.Name, Attempt: e.Attempt, State: state, Incarnation: r.Incarnation, StartedAt: time.Now().Add(-time.Second)}
		if state != protocol.EventRunning {
			r.Event.FinishedAt = time.Now()
		}
	}
	return protocol.Record{Type: protocol.RecordResult, Result: r}
}

// succeeds plays a guest whose script ends well at once.
func succeeds(_ context.Context, request *protocol.Request, emit func(protocol.Record)) error {
	time.Sleep(deliveryTime)
	emit(result(request, protocol.EventSucceeded))
	return nil
}

// runsForever plays a guest whose script never ends.
func runsForever(ctx context.Context, request *protocol.Request, emit func(protocol.Record)) error {
	time.Sleep(deliveryTime)
	emit(protocol.Record{Type: protocol.RecordStarted, Started: &protocol.Started{Attempt: 1, StartedAt: time.Now()}})
	select {
	case <-time.After(time.Duration(request.FollowSeconds) * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	emit(result(request, protocol.EventRunning))
	return nil
}

// isSilent plays a node that does not answer.
func isSilent(ctx context.Context, _ *protocol.Request, _ func(protocol.Record)) error {
	<-ctx.Done()
	return ctx.Err()
}

// world is a Pool with all that is around it.
type world struct {
	*Pool
	guests *fakeGuests

	mu      sync.Mutex
	changes map[cache.ObjectName][]time.Time
}

// inBubble runs a test with a world in a bubble, and drains it: a goroutine
// that is left behind fails the test.
func inBubble(t *testing.T, options Options, answer play, test func(*testing.T, *world), objects ...runtime.Object) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{changes: map[cache.ObjectName][]time.Time{}, guests: &fakeGuests{play: answer, inside: map[string]int{}}}
		options.Executor = w.guests
		options.ConfigMaps = fake.NewClientset(objects...).CoreV1()
		options.Leader = func() (string, int64) { return "lease", 7 }
		options.Changed = func(cluster cache.ObjectName) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.changes[cluster] = append(w.changes[cluster], time.Now())
		}
		if options.Slots == 0 {
			options.Slots = 4
		}
		w.Pool = New(t.Context(), options)
		test(t, w)
		if err := w.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if len(w.guests.overlaps) > 0 {
			t.Errorf("two visits at a time to the pods %v", w.guests.overlaps)
		}
		if w.slots != 0 || w.streams != 0 {
			t.Errorf("%d slots and %d streams are still in use", w.slots, w.streams)
		}
	})
}

// told is when a cluster was told of outcomes.
func (w *world) told(cluster cache.ObjectName) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changes[cluster]
}

func cluster(i int) cache.ObjectName { return cache.NewObjectName("ml", fmt.Sprintf("cluster-%d", i)) }

// step is a first attempt at configure in a pod; edits change it.
func step(pod string, edits ...func(*plan.Step)) plan.Step {
	s := plan.Step{
		Container:          plan.Container{Pod: types.NamespacedName{Namespace: "ml", Name: pod}, PodUID: types.UID("uid-" + pod), ID: "containerd://1"},
		Cluster:            "uid-of-cluster",
		NodeID:             1,
		MetadataGeneration: 1,
		Metadata:           func() ([]byte, error) { return []byte(`{"version":"1"}`), nil },
		Event: &plan.Event{Name: v1alpha1.EventConfigure, Args: []string{"--configure"}, Once: plan.OncePerContainer,
			Generation: 1, Attempt: 1, Timeout: time.Hour, MaxOutput: 4096},
		Configured: plan.ConfiguredAlways,
	}
	for _, edit := range edits {
		edit(&s)
	}
	return s
}

func attempt(n int32) func(*plan.Step) { return func(s *plan.Step) { s.Event.Attempt = n } }

func container(id string) func(*plan.Step) { return func(s *plan.Step) { s.Container.ID = id } }

// expect compares what a test is about in the outcome of a step.
func (w *world) expect(t *testing.T, s plan.Step, phase plan.Phase, reason string, tries int) {
	t.Helper()
	got, known := w.Outcome(s.Container.PodUID)
	switch {
	case !known:
		t.Errorf("%s: no outcome, want %s", s.Container.Pod.Name, phase)
	case got.Key != s.Key():
		t.Errorf("%s: outcome of %+v, want that of %+v", s.Container.Pod.Name, got.Key, s.Key())
	case got.Phase != phase || got.Reason != reason || got.Tries != tries:
		t.Errorf("%s: %s %q (%s) tries %d, want %s %q tries %d", s.Container.Pod.Name, got.Phase, got.Reason, got.Message, got.Tries, phase, reason, tries)
	}
}
