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
	"io"
	"time"

	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

const (
	// followSeconds is how long a young script is followed, so that a short one needs one visit only.
	followSeconds = 10
	// slotTime is how long a visit holds a slot at most.
	slotTime = 10 * time.Second
	// visitTime is how long a visit may take in all; large packages take their time.
	visitTime = 10 * time.Minute
	// hangUpTime is how long an exec may take to end by itself once it has answered.
	hangUpTime = time.Second
)

// visit is one exchange with one guest. Pool.mu guards what changes in it.
type visit struct {
	cluster cache.ObjectName
	step    plan.Step
	key     plan.StepKey

	// cancel cuts the stream; nil before the visit starts.
	cancel context.CancelFunc
	// abandoned visits have no outcome.
	abandoned bool
	holdsSlot bool

	// follows is true of a visit that may go on without a slot.
	follows bool
	// resumes is true when a script of this very step is known to have been started.
	resumes bool
	// incarnation is the guest's word for the container, as far as it is known.
	incarnation string
	// learnt is the same from this visit's own answer; set before finish, by nobody else.
	learnt string
}

// abandon gives up a visit that is under way. Pool.mu is held.
func (v *visit) abandon() {
	v.abandoned = true
	v.cancel()
}

// perform makes a visit and says how it ended.
func (p *Pool) perform(ctx context.Context, v *visit) plan.Outcome {
	limit := slotTime
	if v.follows {
		limit = visitTime
		release := time.AfterFunc(slotTime, func() { p.releaseSlot(v) })
		defer release.Stop()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errNoAnswer)
	defer cancel()

	request, failure := p.compose(ctx, v)
	if failure != nil {
		return *failure
	}
	raw, err := json.Marshal(request)
	if err != nil {
		return ended(plan.PhaseFaulted, string(protocol.MetadataNotWritable), "the metadata document is no JSON: "+err.Error())
	}
	result, err := p.exchange(ctx, v.step.Container, raw, func(record protocol.Record) {
		if record.Type == protocol.RecordStarted && v.follows {
			p.releaseSlot(v)
		}
	})
	if err != nil {
		return unreachable(err)
	}
	if outcome, ok := vouch(v, result); !ok {
		return outcome
	}
	v.learnt = result.Incarnation
	return outcomeOf(&v.step, request, result)
}

// vouch checks that an answer comes from the pod and the container that were
// asked: pods/exec names neither, and either may have been replaced meanwhile.
func vouch(v *visit, result *protocol.Result) (plan.Outcome, bool) {
	switch {
	case result.Refusal != nil:
		return ended(plan.PhaseRefused, string(result.Refusal.Reason), result.Refusal.Message), false
	case result.PodUID != string(v.step.Container.PodUID):
		return ended(plan.PhaseRefused, string(protocol.WrongPod), "another pod of that name answered"), false
	case result.Incarnation == "":
		return ended(plan.PhaseUnreachable, BadAnswer, "the answer names no container"), false
	case v.incarnation != "" && result.Incarnation != v.incarnation:
		return ended(plan.PhaseRefused, string(protocol.WrongIncarnation), "another container of the pod answered"), false
	}
	return plan.Outcome{}, true
}

// exchange sends a request and reads the answer. No exec is left behind.
func (p *Pool) exchange(ctx context.Context, container plan.Container, request []byte, observe func(protocol.Record)) (*protocol.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer, writer := io.Pipe()
	over := make(chan struct{})
	go func() {
		defer close(over)
		writer.CloseWithError(p.Executor.Apply(ctx, container, request, writer))
	}()
	result, err := protocol.ReadResult(answer, observe)
	answer.Close() // whatever else the guest says goes nowhere
	if err == nil {
		select {
		case <-over:
		case <-time.After(hangUpTime):
		}
	}
	cancel()
	<-over
	return result, err
}
