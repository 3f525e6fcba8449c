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
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"time"

	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

const (
	// maxOutputTail bounds what status keeps of a script's output.
	maxOutputTail = 256
	// maxMessage bounds a message from a guest or a server.
	maxMessage = 1024
)

var scopes = map[plan.Once]protocol.Scope{
	plan.OncePerContainer:  protocol.ScopeIncarnation,
	plan.OncePerMember:     protocol.ScopeNode,
	plan.OncePerGeneration: protocol.ScopeNodeGeneration,
}

var marks = map[plan.ConfiguredWhen]protocol.MarkConfigured{
	plan.ConfiguredNever:  protocol.MarkNever,
	plan.ConfiguredHere:   protocol.MarkHere,
	plan.ConfiguredAlways: protocol.MarkAlways,
}

var states = map[protocol.EventState]v1alpha1.EventState{
	protocol.EventRunning:   v1alpha1.EventRunning,
	protocol.EventSucceeded: plan.EventSucceeded,
	protocol.EventFailed:    v1alpha1.EventFailed,
	protocol.EventTimedOut:  v1alpha1.EventTimedOut,
	protocol.EventLost:      v1alpha1.EventLost,
}

// compose makes the request of a visit, or says why there can be none.
func (p *Pool) compose(ctx context.Context, v *visit) (*protocol.Request, *plan.Outcome) {
	step := &v.step
	metadata, err := step.Metadata()
	if err != nil {
		outcome := ended(plan.PhaseFaulted, string(protocol.MetadataNotWritable), err.Error())
		return nil, &outcome
	}
	pkg, failure := p.packageFor(ctx, v)
	if failure != nil {
		return nil, failure
	}
	leaseUID, epoch := p.Leader()
	request := &protocol.Request{
		ProtocolVersion:    protocol.Version,
		PodUID:             string(step.Container.PodUID),
		ContainerID:        step.Container.ID,
		Incarnation:        v.incarnation,
		Leader:             protocol.Leader{LeaseUID: leaseUID, Epoch: epoch, Request: p.sent.Add(1)},
		Cluster:            protocol.Cluster{UID: string(step.Cluster), Namespace: v.cluster.Namespace, Name: v.cluster.Name},
		NodeID:             step.NodeID,
		Metadata:           metadata,
		MetadataGeneration: step.MetadataGeneration,
		Package:            pkg,
		Event:              eventOf(step.Event),
		MarkConfigured:     marks[step.Configured],
	}
	if step.KeepsLedger {
		request.VolumeDir = protocol.MountVolumeState
	}
	if v.follows {
		request.FollowSeconds = followSeconds
	}
	return request, nil
}

func eventOf(event *plan.Event) *protocol.Event {
	if event == nil {
		return nil
	}
	return &protocol.Event{
		Name:           string(event.Name),
		Args:           event.Args,
		Scope:          scopes[event.Once],
		Generation:     event.Generation,
		Attempt:        int(event.Attempt),
		TimeoutSeconds: int(math.Ceil(event.Timeout.Seconds())),
		MaxOutputBytes: outputLimit(event),
	}
}

func outputLimit(event *plan.Event) int { return int(min(max(event.MaxOutput, 0), maxOutputTail)) }

// ended is the outcome of a visit that did not come to what it was made for.
func ended(phase plan.Phase, reason, message string) plan.Outcome {
	return plan.Outcome{Phase: phase, Reason: clean(reason), Message: clean(message)}
}

// clean makes text of others fit to be shown. What is too long is cut at the end.
func clean(message string) string {
	text := []byte(strings.TrimSpace(message))
	return protocol.CleanText(text[:min(len(text), maxMessage)], 2*maxMessage)
}

// outcomeOf is what an answer means for its step.
func outcomeOf(step *plan.Step, request *protocol.Request, result *protocol.Result) plan.Outcome {
	outcome := plan.Outcome{Phase: plan.PhaseDone, Configured: result.Configured, MetadataGeneration: result.MetadataGeneration, PackageVersion: digestIn(result.PackageSHA256)}
	if sent := request.Package; outcome.PackageVersion == "" && sent != nil && sent.Source == protocol.PackageInline {
		outcome.PackageVersion = versionOf(sent.Bytes) // what is at fault
	}
	if step.Event != nil && result.Event != nil {
		event, err := eventResultOf(step.Event, result)
		if err != nil {
			return ended(plan.PhaseUnreachable, BadAnswer, err.Error())
		}
		outcome.Event = event
	}
	switch fault := result.Fault; {
	case fault != nil && fault.Reason == protocol.Busy:
		// Nothing is wrong but the moment.
		outcome.Phase, outcome.Reason, outcome.Message = plan.PhaseRefused, clean(string(fault.Reason)), clean(fault.Message)
	case fault != nil:
		outcome.Phase, outcome.Reason, outcome.Message = plan.PhaseFaulted, clean(string(fault.Reason)), clean(fault.Message)
	case step.Event == nil:
	case outcome.Event == nil:
		return ended(plan.PhaseUnreachable, BadAnswer, fmt.Sprintf("the answer says nothing of event %s", step.Event.Name))
	case outcome.Event.State == v1alpha1.EventRunning:
		outcome.Phase = plan.PhaseRunning
	}
	return outcome
}

// digestIn is a digest that a guest names, or nothing: what is none would be cut
// for a status anywhere, also within a letter, and never be read back as it was written.
func digestIn(text string) string {
	if len(text) > sha256.Size*2 || strings.Trim(text, "0123456789abcdef") != "" {
		return ""
	}
	return text
}

func eventResultOf(asked *plan.Event, result *protocol.Result) (*plan.EventResult, error) {
	got := result.Event
	state, known := states[got.State]
	switch {
	case got.Name != string(asked.Name):
		return nil, fmt.Errorf("the answer is about event %q instead of %s", clean(got.Name), asked.Name)
	case !known:
		return nil, fmt.Errorf("the answer has the unknown event state %q", clean(string(got.State)))
	case got.Attempt < 1 || got.Attempt > math.MaxInt32:
		return nil, fmt.Errorf("the answer is about attempt %d", got.Attempt)
	}
	event := &plan.EventResult{
		State:      state,
		Attempt:    int32(got.Attempt),
		Here:       got.Incarnation == result.Incarnation,
		StartedAt:  plausible(got.StartedAt),
		FinishedAt: plausible(got.FinishedAt),
		Deadline:   plausible(got.Deadline),
		OutputTail: outputTail(got.StderrTail, got.StdoutTail, outputLimit(asked)),
	}
	if got.ExitCode != nil {
		event.ExitCode = ptr.To(int32(min(max(*got.ExitCode, 0), 255)))
	}
	return event, nil
}

// plausible is a time that the API accepts in a status, or none.
func plausible(t time.Time) time.Time {
	if year := t.UTC().Year(); year < 1970 || year > 9998 {
		return time.Time{}
	}
	return t.UTC()
}

// outputTail is what a script said last: its complaints, and as far as there is
// room its output.
func outputTail(stderr, stdout string, limit int) string {
	tail := protocol.CleanText([]byte(strings.TrimSpace(stderr)), limit)
	out := strings.TrimSpace(stdout)
	switch room := limit - len(tail) - 1; {
	case tail == "":
		return protocol.CleanText([]byte(out), limit)
	case out == "" || room <= 0:
		return tail
	default:
		return tail + "\n" + protocol.CleanText([]byte(out), room)
	}
}
