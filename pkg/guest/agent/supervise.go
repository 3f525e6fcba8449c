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
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// exitNotStarted is what shells answer for a program they cannot start.
const exitNotStarted = 126

// inheritedLock is the descriptor at which start hands down the attempt's lock.
const inheritedLock = 3

// Supervise runs the script of the attempt recorded in dir to its end and
// records the outcome. It inherits the attempt's lock as an open file and
// holds it by living.
func (a *Agent) Supervise(dir string) error {
	runtime.LockOSThread()
	// The lock must die with this process, not with what the script leaves
	// running.
	syscall.CloseOnExec(inheritedLock)
	return a.SuperviseScript(context.Background(), dir, startScriptProcess)
}

// SuperviseScript is Supervise for a script that start starts, by a caller
// that holds the attempt's lock until it returns. A supervisor whose context
// ends leaves what one that is killed leaves: no outcome.
func (a *Agent) SuperviseScript(ctx context.Context, dir string, start StartScript) error {
	d := &attemptDir{path: dir}
	if !readJSON(d.file("attempt.json"), &d.attempt) {
		return fmt.Errorf("%s: no attempt is recorded", dir)
	}
	if d.started() != nil {
		return fmt.Errorf("%s: was started before", dir)
	}
	stdout, stderr, err := a.openOutput(d)
	if err != nil {
		return err
	}
	defer stdout.Close()
	defer stderr.Close()
	if err := a.showStatus(d, nil); err != nil {
		return err
	}
	now := time.Now()
	s := started{StartedAt: now, Deadline: now.Add(time.Duration(d.TimeoutSeconds) * time.Second)}
	// From here on the script counts as started: a crash loses the attempt
	// rather than running it twice.
	if err := atomicfile.WriteJSON(d.file("started.json"), s, 0o644); err != nil {
		return err
	}
	o := a.runScript(ctx, d, s, start, stdout, stderr)
	if err := ctx.Err(); err != nil {
		return err
	}
	return a.recordOutcome(d, o)
}

// runScript starts the script and waits for its end.
func (a *Agent) runScript(ctx context.Context, d *attemptDir, s started, start StartScript, stdout, stderr *os.File) *outcome {
	o := &outcome{
		Event:       d.Event,
		Attempt:     d.Number,
		State:       protocol.EventFailed,
		Incarnation: d.Incarnation,
		StartedAt:   s.StartedAt,
		Deadline:    s.Deadline,
	}
	code := exitNotStarted
	script, err := start(Invocation{Script: d.Script, Args: d.Args, Stdout: stdout, Stderr: stderr})
	if err != nil {
		fmt.Fprintf(stderr, "kdguest: the startscript cannot be started: %v\n", err)
	} else {
		s.PID = script.PID()
		s.StartTime = processStart(s.PID)
		if err := atomicfile.WriteJSON(d.file("started.json"), s, 0o644); err != nil {
			// Only killScript would need it; the script goes on.
			fmt.Fprintf(os.Stderr, "recording the script's process: %v\n", err)
		}
		var inTime bool
		code, inTime = a.waitScript(ctx, script, s.Deadline, stdout, stderr)
		switch {
		case !inTime:
			o.State = protocol.EventTimedOut
		case code == 0:
			o.State = protocol.EventSucceeded
		}
	}
	tellUnbounded(errors.Join(capOutput(stdout, maxEndedOutput), capOutput(stderr, maxEndedOutput)))
	o.ExitCode = &code
	o.FinishedAt = time.Now()
	o.StdoutTail, o.StderrTail = d.tails(protocol.MaxOutputLimit)
	return o
}

// waitScript waits for the script and ends it, first kindly, when its
// deadline passes. What the script left running in the background is let be
// when it ends by itself: that is what it was started for.
func (a *Agent) waitScript(ctx context.Context, script Script, deadline time.Time, stdout, stderr *os.File) (code int, inTime bool) {
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	check := time.NewTicker(a.OutputCheck)
	defer check.Stop()
	var kill <-chan time.Time
	inTime = true
	for {
		select {
		case code := <-script.Exited():
			if !inTime {
				// What ignored the request to end goes with the script.
				script.Signal(syscall.SIGKILL)
			}
			return code, inTime
		case <-timeout.C:
			inTime = false
			script.Signal(syscall.SIGTERM)
			kill = time.After(a.TermGrace)
		case <-kill:
			script.Signal(syscall.SIGKILL)
		case <-check.C:
			tellUnbounded(errors.Join(capOutput(stdout, maxOutputFile), capOutput(stderr, maxOutputFile)))
		case <-ctx.Done():
			return exitNotStarted, inTime
		}
	}
}

// tellUnbounded leaves a trace of output that could not be cut, for which no
// script is ended.
func tellUnbounded(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "bounding the output: %v\n", err)
	}
}

// recordOutcome writes what can never be found out again, most needed first:
// a success outlives the attempt, the outcome ends it, the mark opens the
// startup probe, whose listener finds the outcome recorded. A container whose
// success could not be recorded wherever it counts is not configured.
func (a *Agent) recordOutcome(d *attemptDir, o *outcome) error {
	unrecorded := a.recordEnd(d, o)
	err := errors.Join(unrecorded, a.showStatus(d, o.ExitCode))
	if o.State != protocol.EventSucceeded || d.MarkConfigured == protocol.MarkNever || unrecorded != nil {
		return err
	}
	return errors.Join(err, a.ledger().markConfigured(d.Incarnation))
}

// recordEnd does not give up while the ledger exists, be the disk full or
// broken: this process alone knows how the script ended. Until that is on
// disk it keeps the lock, and the attempt counts as running. A success that
// is only missing elsewhere is repeated by the next request.
func (a *Agent) recordEnd(d *attemptDir, o *outcome) error {
	const firstPause, lastPause = 100 * time.Millisecond, 10 * time.Second
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		var unrecorded error
		if o.State == protocol.EventSucceeded {
			unrecorded = a.recordSuccess(&d.attempt, o)
		}
		err := d.end(o)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return errors.Join(unrecorded, err)
		}
		if pause == firstPause {
			fmt.Fprintf(os.Stderr, "recording how the script ended: %v; trying until it succeeds\n", err)
		}
		time.Sleep(pause)
	}
}

// recordSuccess records a success with the member, if it counts for the
// member's whole life, and with the pod. The member comes first: it outlives
// the pod, which may be lost in between.
func (a *Agent) recordSuccess(at *attempt, o *outcome) error {
	const keptTail = 4 << 10
	short := *o
	short.StdoutTail = protocol.CleanText([]byte(o.StdoutTail), keptTail)
	short.StderrTail = protocol.CleanText([]byte(o.StderrTail), keptTail)
	var err error
	if volume := a.volumeLedger(at); volume != nil {
		err = volume.recordSuccess(at, &short)
	}
	return errors.Join(err, a.ledger().recordSuccess(at, &short))
}

// volumeLedger is the member's own ledger, for an attempt whose success
// counts beyond the container; nil without storage.
func (a *Agent) volumeLedger(at *attempt) *ledger {
	if at.VolumeDir == "" || at.Scope == protocol.ScopeIncarnation {
		return nil
	}
	return &ledger{dir: a.path(at.VolumeDir), durable: true}
}

// forgetSuccesses bounds the ledgers before an attempt adds to them.
func (a *Agent) forgetSuccesses(at *attempt) error {
	err := a.ledger().forgetSuccesses(at)
	if volume := a.volumeLedger(at); volume != nil {
		err = errors.Join(err, volume.forgetSuccesses(at))
	}
	return err
}
