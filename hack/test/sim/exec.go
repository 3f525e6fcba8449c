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

package sim

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

// execs is the exec transport of a replica: each request waits for the walk to say what becomes of it.
type execs struct{ replica *replica }

// call is a request on its way to a container.
type call struct {
	replica *replica
	pod     string
	fate    chan fate
}

// delivery is the step by which it is delivered.
func (c *call) delivery() step {
	return step(fmt.Sprintf("exec %s %s %s", c.replica.name, c.pod, delivered))
}

// fate is what becomes of a call.
type fate string

const (
	delivered fate = "delivered"
	// unanswered is done, and its answer is lost.
	unanswered fate = "unanswered"
	refused    fate = "refused"
	// late is one whose process in the container goes on much later, on a node that was frozen, say.
	late fate = "late"
)

// frozen is a request that is late.
type frozen struct {
	pod  string
	goOn chan struct{}
}

// Apply implements guest.Executor.
func (e *execs) Apply(ctx context.Context, container plan.Container, request []byte, answer io.Writer) error {
	r, w := e.replica, e.replica.world
	w.inOrder()
	if r.network.dead {
		return errDead
	}
	if r.network.outage {
		return errOutage
	}
	if err := r.holds(); err != nil {
		return err
	}
	c := &call{replica: r, pod: container.Pod.Name, fate: make(chan fate)}
	w.addCall(c)
	select {
	case <-ctx.Done():
		w.dropCall(c)
		return ctx.Err()
	case what := <-c.fate:
		w.dropCall(c)
		return e.meet(ctx, what, container, request, answer)
	}
}

func (e *execs) meet(ctx context.Context, what fate, container plan.Container, request []byte, answer io.Writer) error {
	network := e.replica.network
	if what == refused || network.dead {
		return fmt.Errorf("error dialing backend: %w", errOutage)
	}
	if burnt := network.burns(); burnt && network.stalls {
		what = late
	} else if burnt {
		network.dead = true
		if network.unsent {
			return errDead
		}
		what = unanswered
	}
	if !e.replica.world.kube.Reachable(container.Pod.Namespace, container.Pod.Name) {
		return fmt.Errorf("error dialing backend: %w", errOutage)
	}
	if what == late {
		return e.replica.world.freezeExec(container, request)
	}
	if what == unanswered {
		go func() { _ = e.replica.world.guests.Apply(context.Background(), container, request, io.Discard) }()
		return errLost
	}
	return e.replica.world.guests.Apply(ctx, container, request, answer)
}

func (w *world) freezeExec(container plan.Container, request []byte) error {
	f := frozen{pod: container.Pod.Name, goOn: make(chan struct{})}
	if err := w.guests.Late(container, request, f.goOn); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = append(w.frozen, f)
	return errLost
}

// thawExec POD lets the oldest request go on that is late there.
func (w *world) thawExec(args []string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, f := range w.frozen {
		if f.pod == args[0] {
			w.frozen = slices.Delete(w.frozen, i, i+1)
			close(f.goOn)
			return true
		}
	}
	return false
}

// lateAt are the pods in which requests are late, the oldest first.
func (w *world) lateAt() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var pods []string
	for _, f := range w.frozen {
		pods = append(pods, f.pod)
	}
	return pods
}

func (w *world) addCall(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
}

func (w *world) dropCall(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = slices.DeleteFunc(w.calls, func(other *call) bool { return other == c })
}

// waiting are the calls that no fate has met yet, in an order that does not
// depend on that in which goroutines ran.
func (w *world) waiting() []*call {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := slices.Clone(w.calls)
	slices.SortFunc(calls, func(a, b *call) int {
		return strings.Compare(a.replica.name+" "+a.pod, b.replica.name+" "+b.pod)
	})
	return calls
}
