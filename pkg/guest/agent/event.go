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
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// A followed attempt is looked at often while it is young, because most
// scripts that are short are very short, and then less and less often.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = 200 * time.Millisecond
)

// standing is what the ledger says about a request's event before anything
// is done about it. The first field that is set decides; none means that the
// attempt is to be started.
type standing struct {
	// ended answers the request: a success of its scope, or its own attempt.
	ended *outcome
	// alive runs now and answers the request when it ends.
	alive *attemptDir
	// busy runs now and is another event.
	busy *attemptDir
}

// standing reads how things stand, and settles what was abandoned. The caller
// holds the ledger's lock.
func (a *Agent) standing(want *attempt) (standing, error) {
	if success := a.success(want); success != nil {
		return standing{ended: success}, nil
	}
	present, err := a.ledger().attempts(want.Incarnation)
	if err != nil {
		return standing{}, err
	}
	var s standing
	for _, d := range present {
		phase, err := a.settledPhase(d)
		if err != nil {
			return standing{}, err
		}
		switch {
		case phase == attemptEnded && d.key() == want.key():
			return standing{ended: d.outcome()}, nil
		case phase == attemptAlive && d.scopeKey() == want.scopeKey():
			s.alive = d
		case phase == attemptAlive:
			s.busy = d
		}
	}
	return s, nil
}

// settledPhase is the attempt's phase after giving it an outcome if it was
// abandoned. A supervisor may have died after it recorded the script's
// success: then that is the outcome, and what the script left running stays.
func (a *Agent) settledPhase(d *attemptDir) (attemptPhase, error) {
	phase, err := d.phase()
	if err != nil || phase != attemptAbandoned {
		return phase, err
	}
	if success := a.success(&d.attempt); success != nil && success.Attempt == d.Number && success.Incarnation == d.Incarnation {
		return attemptEnded, d.end(success)
	}
	return attemptEnded, d.abandon(time.Now())
}

// running is the attempt whose script runs in this incarnation, if any.
func (a *Agent) running(incarnation string) (*attemptDir, error) {
	present, err := a.ledger().attempts(incarnation)
	if err != nil {
		return nil, err
	}
	for _, d := range present {
		phase, err := d.phase()
		if err != nil {
			return nil, err
		}
		if phase == attemptAlive {
			return d, nil
		}
	}
	return nil, nil
}

// success looks for a success of the attempt's scope, in the pod's ledger and
// in the member's.
func (a *Agent) success(want *attempt) *outcome {
	if o := a.ledger().success(want); o != nil {
		return o
	}
	if volume := a.volumeLedger(want); volume != nil {
		return volume.success(want)
	}
	return nil
}

// start starts the attempt's supervisor, which outlives this process and
// whoever listens to it. The supervisor inherits the attempt's lock, so there
// is no instant in which the attempt looks abandoned.
func (a *Agent) start(d *attemptDir) error {
	if err := d.prepare(); err != nil {
		return err
	}
	lock, err := d.lock()
	if err != nil {
		return fmt.Errorf("the attempt's lock: %w", err)
	}
	defer lock.Close()
	if a.Spawn != nil {
		return a.Spawn(d.path, lock)
	}
	return a.startSupervisor(d, lock)
}

// startSupervisor starts the process that supervises the attempt.
func (a *Agent) startSupervisor(d *attemptDir, lock *os.File) error {
	log, err := openAppend(d.file("supervisor.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	args := append(append([]string{}, a.Supervisor...), d.path)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	// As long as this process lives it takes the supervisor's exit from the
	// kernel; afterwards the container's first process does.
	go func() { _ = cmd.Wait() }()
	return nil
}

// errNotStarted tells that a supervisor ended before it started its script.
var errNotStarted = errors.New("the supervisor ended before it started the script")

// followAttempt waits until the attempt has ended or until the given time, and
// returns the outcome, or nil while it runs. begun is called once when the
// script is known to run.
func (a *Agent) followAttempt(ctx context.Context, d *attemptDir, until time.Time, begun func(*started)) (*outcome, error) {
	told := false
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		phase, err := a.settledPhase(d)
		if err != nil {
			return nil, err
		}
		if s := d.started(); s != nil && !told {
			told = true
			begun(s)
		}
		switch phase {
		case attemptEnded:
			return d.outcome(), nil
		case attemptUnstarted:
			return nil, fmt.Errorf("%w: %s", errNotStarted, tailOf(d.file("supervisor.log"), 1024))
		}
		// A script that was not begun yet is waited for in any case: the
		// answer names its deadline.
		if told && !time.Now().Before(until) {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(pause):
		}
	}
}

// runningResult describes an attempt that has not ended.
func (d *attemptDir) runningResult(maxOutput int) *protocol.EventResult {
	r := &protocol.EventResult{
		Name:        d.Event,
		Attempt:     d.Number,
		State:       protocol.EventRunning,
		Incarnation: d.Incarnation,
	}
	if s := d.started(); s != nil {
		r.StartedAt, r.Deadline = s.StartedAt, s.Deadline
	}
	r.StdoutTail, r.StderrTail = d.tails(maxOutput)
	return r
}
