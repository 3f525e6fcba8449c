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

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// Apply reads one request, carries it out and writes the answer. The error
// tells only that no result could be written.
func (a *Agent) Apply(ctx context.Context, in io.Reader, out io.Writer) error {
	w := answer{out: out}
	req, refusal := protocol.DecodeRequest(in)
	if refusal != nil {
		return w.result(a.refused(Identity{}, refusal))
	}
	id, err := a.Identity()
	if err != nil {
		return w.result(a.refused(id, &protocol.Refusal{Reason: protocol.WrongPod, Message: err.Error()}))
	}
	if refusal := checkIdentity(req, id); refusal != nil {
		return w.result(a.refused(id, refusal))
	}
	lock, refusal := a.lockLedger(ctx, w.progress)
	if refusal != nil {
		return w.result(a.refused(id, refusal))
	}
	if refusal := a.checkLeader(req.Leader); refusal != nil {
		lock.Close()
		return w.result(a.refused(id, refusal))
	}
	if refusal := a.checkSetUp(req, id); refusal != nil {
		lock.Close()
		return w.result(a.refused(id, refusal))
	}
	work := &application{Agent: a, req: req, id: id, answer: w}
	work.run(ctx, lock)
	return w.result(work.result())
}

func (a *Agent) refused(id Identity, refusal *protocol.Refusal) *protocol.Result {
	r := a.state(id)
	r.Refusal = refusal
	return r
}

// state is a result that tells what is in place.
func (a *Agent) state(id Identity) *protocol.Result {
	r := &protocol.Result{
		ProtocolVersion: protocol.Version,
		PodUID:          id.PodUID,
		Incarnation:     id.Incarnation,
	}
	if id.Incarnation == "" {
		return r
	}
	r.Configured = a.ledger().configured(id.Incarnation)
	if stamp := a.metadataStamp(id.Incarnation); stamp != nil {
		r.MetadataGeneration = stamp.Generation
	}
	if stamp := a.packageStamp(id.Incarnation); stamp != nil {
		r.PackageSHA256 = stamp.SHA256
	}
	return r
}

func checkIdentity(req *protocol.Request, id Identity) *protocol.Refusal {
	switch {
	case req.PodUID != id.PodUID:
		return &protocol.Refusal{Reason: protocol.WrongPod, Message: fmt.Sprintf("the request is for pod %s, this is %s", req.PodUID, id.PodUID)}
	case req.Incarnation != "" && req.Incarnation != id.Incarnation:
		return &protocol.Refusal{Reason: protocol.WrongIncarnation, Message: fmt.Sprintf("the request is for container %s, this is %s", req.Incarnation, id.Incarnation)}
	}
	return nil
}

// lockLedger makes the ledger and waits for requests under way in this
// container; a download may take minutes, so not for long.
func (a *Agent) lockLedger(ctx context.Context, progress progressFunc) (*os.File, *protocol.Refusal) {
	l := a.ledger()
	if err := l.open(); err != nil {
		return nil, &protocol.Refusal{Reason: protocol.StateNotWritable, Message: err.Error()}
	}
	deadline := time.After(a.LockWait)
	for told := false; ; told = true {
		lock, err := flock(l.path("lock"), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return lock, nil
		}
		if !errors.Is(err, errLocked) {
			return nil, &protocol.Refusal{Reason: protocol.StateNotWritable, Message: err.Error()}
		}
		if !told {
			progress(protocol.StepRequest, "waiting for another request to this container")
		}
		select {
		case <-time.After(longestPause / 4):
		case <-deadline:
			return nil, &protocol.Refusal{Reason: protocol.InProgress, Message: fmt.Sprintf("another request to this container has been under way for more than %s", a.LockWait)}
		case <-ctx.Done():
			return nil, &protocol.Refusal{Reason: protocol.InProgress, Message: ctx.Err().Error()}
		}
	}
}

// checkLeader refuses a leader that has been replaced without knowing it, and
// what a leader has sent before it thought better: this process may have been
// frozen for as long as that took.
func (a *Agent) checkLeader(leader protocol.Leader) *protocol.Refusal {
	newest, err := a.ledger().admit(leader)
	switch {
	case err != nil:
		return &protocol.Refusal{Reason: protocol.StateNotWritable, Message: err.Error()}
	case newest.Epoch > leader.Epoch:
		return &protocol.Refusal{Reason: protocol.StaleLeader, Message: fmt.Sprintf("leader epoch %d: epoch %d has spoken already", leader.Epoch, newest.Epoch)}
	case newest.Request > leader.Request && leader.Request > 0:
		return &protocol.Refusal{Reason: protocol.StaleRequest, Message: fmt.Sprintf("request %d: request %d of the same leader was here already", leader.Request, newest.Request)}
	}
	return nil
}

// checkSetUp refuses an event for a container that is set up in one that is not:
// who sent it has not seen yet that the container was replaced, and could not
// name the one it means.
func (a *Agent) checkSetUp(req *protocol.Request, id Identity) *protocol.Refusal {
	if req.Event == nil || req.MarkConfigured != protocol.MarkNever || a.ledger().configured(id.Incarnation) {
		return nil
	}
	return &protocol.Refusal{Reason: protocol.WrongIncarnation, Message: fmt.Sprintf("the request is for a container that is configured, and %s is not", id.Incarnation)}
}

// application carries out one admitted request.
type application struct {
	*Agent
	req    *protocol.Request
	id     Identity
	answer answer

	event *protocol.EventResult
	fault *protocol.Fault
}

func (p *application) result() *protocol.Result {
	r := p.state(p.id)
	r.Event, r.Fault = p.event, p.fault
	return r
}

// run goes through the request's steps until one fails. lock is held while
// files are replaced and it is decided what to run, not while it runs.
func (p *application) run(ctx context.Context, lock *os.File) {
	if err := p.ledger().capSettledOutput(); err != nil {
		p.answer.progress(protocol.StepRequest, fmt.Sprintf("bounding the output of scripts: %v", err))
	}
	// What is fetched for a listener that has gone only keeps the next
	// request waiting, which may bring a better URL.
	listened, gone := context.WithCancel(ctx)
	defer gone()
	p.answer.gone = gone
	followed := p.deliver(listened)
	lock.Close()
	if p.fault == nil && followed != nil {
		p.follow(ctx, followed)
	}
	if p.fault == nil {
		p.markConfigured()
	}
}

// deliver brings metadata and package in place and sees to it that the event
// runs or has run. It returns the attempt to follow, if one runs.
func (p *application) deliver(ctx context.Context) (followed *attemptDir) {
	if p.fault = p.stageMetadata(p.req, p.id.Incarnation, p.answer.progress); p.fault != nil {
		return nil
	}
	if p.req.Event == nil {
		p.fault = p.deliverPackage(ctx, false)
		return nil
	}
	want := newAttempt(p.req, p.id.Incarnation)
	now, err := p.standing(want)
	if err != nil {
		p.fault = writeFault(protocol.StepEvent, protocol.LedgerNotWritable, err)
		return nil
	}
	switch {
	case now.ended != nil:
		p.event = now.ended.result(p.req.Event.MaxOutputBytes)
		if p.fault = p.keepSuccess(want, now.ended); p.fault == nil {
			p.fault = p.deliverPackage(ctx, false)
		}
		return nil
	case now.alive != nil:
		return now.alive
	case now.busy != nil:
		p.fault = &protocol.Fault{Step: protocol.StepEvent, Reason: protocol.Busy,
			Message: fmt.Sprintf("%s, attempt %d, runs in this container", now.busy.Event, now.busy.Number)}
		return nil
	}
	return p.begin(ctx, want)
}

// begin starts the attempt with the package that is to be in place.
func (p *application) begin(ctx context.Context, want *attempt) *attemptDir {
	if p.fault = p.deliverPackage(ctx, want.Number > 1); p.fault != nil {
		return nil
	}
	stamp := p.packageStamp(p.id.Incarnation)
	if stamp == nil {
		p.fault = &protocol.Fault{Step: protocol.StepEvent, Reason: protocol.PackageMissing,
			Message: "no package is in place in this container: send it with the event"}
		return nil
	}
	want.Script = p.startScript(stamp)
	if err := p.forgetSuccesses(want); err != nil {
		p.answer.progress(protocol.StepEvent, fmt.Sprintf("bounding the ledger: %v", err))
	}
	d := p.ledger().attemptDir(want)
	if err := errors.Join(p.ledger().prune(keptAttempts), p.start(d)); err != nil {
		p.fault = writeFault(protocol.StepEvent, protocol.EventNotStarted, err)
		return nil
	}
	return d
}

// deliverPackage leaves the package alone while a script runs from it.
func (p *application) deliverPackage(ctx context.Context, refresh bool) *protocol.Fault {
	if p.req.Package == nil {
		return nil
	}
	running, err := p.running(p.id.Incarnation)
	if err != nil {
		return writeFault(protocol.StepPackage, protocol.LedgerNotWritable, err)
	}
	if running != nil && !p.packageStamp(p.id.Incarnation).provides(p.req.Package) {
		return &protocol.Fault{Step: protocol.StepPackage, Reason: protocol.Busy,
			Message: fmt.Sprintf("%s, attempt %d, runs from the present package", running.Event, running.Number)}
	}
	return p.stagePackage(ctx, p.req.Package, p.id.Incarnation, refresh, p.answer.progress)
}

// keepSuccess repeats what the supervisor may have failed to write: that a
// success is known wherever it counts.
func (p *application) keepSuccess(want *attempt, o *outcome) *protocol.Fault {
	if o.State != protocol.EventSucceeded {
		return nil
	}
	if err := p.recordSuccess(want, o); err != nil {
		return writeFault(protocol.StepEvent, protocol.LedgerNotWritable, err)
	}
	return nil
}

// follow waits for the attempt as long as the request says.
func (p *application) follow(ctx context.Context, d *attemptDir) {
	until := time.Now().Add(time.Duration(p.req.FollowSeconds) * time.Second)
	ended, err := p.followAttempt(ctx, d, until, func(s *started) { p.answer.started(d.Number, s) })
	switch {
	case errors.Is(err, errNotStarted):
		p.fault = writeFault(protocol.StepEvent, protocol.EventNotStarted, err)
	case err != nil:
		p.fault = writeFault(protocol.StepEvent, protocol.LedgerNotWritable, err)
	case ended == nil:
		p.event = d.runningResult(p.req.Event.MaxOutputBytes)
	default:
		p.event = ended.result(p.req.Event.MaxOutputBytes)
		p.fault = p.keepSuccess(&d.attempt, ended)
	}
}

// markConfigured marks the container if the request's rule says so.
func (p *application) markConfigured() {
	succeeded := p.event != nil && p.event.State == protocol.EventSucceeded
	here := succeeded && p.event.Incarnation == p.id.Incarnation
	due := map[protocol.MarkConfigured]bool{
		protocol.MarkHere:   here,
		protocol.MarkAlways: succeeded || p.req.Event == nil,
	}[p.req.MarkConfigured]
	if !due || p.ledger().configured(p.id.Incarnation) {
		return
	}
	if err := p.ledger().markConfigured(p.id.Incarnation); err != nil {
		p.fault = writeFault(protocol.StepConfigured, protocol.LedgerNotWritable, err)
	}
}
