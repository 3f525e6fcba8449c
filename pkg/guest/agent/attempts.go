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
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// keptAttempts is how many attempts that do not run a ledger keeps. The
// controller asks only for the latest attempt of an event.
const keptAttempts = 32

// attemptDir is one attempt's part of a ledger.
type attemptDir struct {
	path string
	attempt
}

// attemptPhase is how far an attempt has come, read from its files.
type attemptPhase int

const (
	// attemptUnstarted: no script was started yet and nobody is about to.
	attemptUnstarted attemptPhase = iota
	// attemptAlive: its supervisor lives.
	attemptAlive
	// attemptAbandoned: its supervisor died without an outcome.
	attemptAbandoned
	// attemptEnded: its outcome stands.
	attemptEnded
)

func (l *ledger) attemptDir(a *attempt) *attemptDir {
	return &attemptDir{path: l.path("attempts", a.key()), attempt: *a}
}

// attempts lists those of one incarnation.
func (l *ledger) attempts(incarnation string) ([]*attemptDir, error) {
	entries, err := os.ReadDir(l.path("attempts"))
	if err != nil {
		return nil, err
	}
	var found []*attemptDir
	for _, entry := range entries {
		d := &attemptDir{path: l.path("attempts", entry.Name())}
		if readJSON(d.file("attempt.json"), &d.attempt) && d.Incarnation == incarnation {
			found = append(found, d)
		}
	}
	return found, nil
}

func (d *attemptDir) file(name string) string { return filepath.Join(d.path, name) }

// outcome is nil until the attempt has ended.
func (d *attemptDir) outcome() *outcome {
	var o outcome
	if !readJSON(d.file("outcome.json"), &o) {
		return nil
	}
	return &o
}

// started is nil until the script is about to be started.
func (d *attemptDir) started() *started {
	var s started
	if !readJSON(d.file("started.json"), &s) {
		return nil
	}
	return &s
}

// phase reads how far the attempt has come. The supervisor's lock is read
// before the outcome: it writes the one before it lets go of the other. It is
// asked for shared, so that those who ask do not see each other.
func (d *attemptDir) phase() (attemptPhase, error) {
	lock, err := flock(d.file("lock"), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, errLocked) {
		return attemptAlive, nil
	}
	if err != nil {
		return attemptUnstarted, err
	}
	defer lock.Close()
	switch {
	case d.outcome() != nil:
		return attemptEnded, nil
	case d.started() != nil:
		return attemptAbandoned, nil
	}
	return attemptUnstarted, nil
}

// errLocked tells that another open file holds the lock.
var errLocked = errors.New("locked")

// lock takes the attempt's lock, which the kernel gives back when the last
// process that holds the file is gone. So a supervisor that was killed is
// told from one that works, whatever its process number. It waits for those
// who ask for the phase in this instant; the caller knows that no supervisor
// lives.
func (d *attemptDir) lock() (*os.File, error) {
	return flock(d.file("lock"), syscall.LOCK_EX)
}

// flock opens and locks a file, as flock(2) does for how.
func flock(path string, how int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	err = syscall.EINTR
	for errors.Is(err, syscall.EINTR) {
		err = syscall.Flock(int(file.Fd()), how)
	}
	if err == nil {
		return file, nil
	}
	file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, &fs.PathError{Op: "flock", Path: path, Err: err}
}

// prepare makes the directory of an attempt that was not started yet.
func (d *attemptDir) prepare() error {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return err
	}
	return atomicfile.WriteJSON(d.file("attempt.json"), &d.attempt, 0o644)
}

// abandon settles an attempt whose supervisor died: what is left of its
// script is ended, lest a further attempt run beside it, and the outcome is
// that there is none.
func (d *attemptDir) abandon(now time.Time) error {
	s := d.started()
	killScript(s)
	stdout, stderr := d.tails(protocol.MaxOutputLimit)
	return d.end(&outcome{
		Event:       d.Event,
		Attempt:     d.Number,
		State:       protocol.EventLost,
		Incarnation: d.Incarnation,
		StartedAt:   s.StartedAt,
		FinishedAt:  now,
		Deadline:    s.Deadline,
		StdoutTail:  stdout,
		StderrTail:  stderr,
	})
}

func (d *attemptDir) end(o *outcome) error {
	return atomicfile.WriteJSON(d.file("outcome.json"), o, 0o644)
}

// prune removes the oldest attempts beyond the number to keep, whichever
// container they were of and however they ended, but none that runs.
func (l *ledger) prune(keep int) error {
	entries, err := os.ReadDir(l.path("attempts"))
	if err != nil || len(entries) <= keep {
		return err
	}
	settled, err := l.settled(entries)
	if err != nil {
		return err
	}
	for _, d := range settled[min(len(settled), keep):] {
		if err := os.RemoveAll(d.path); err != nil {
			return err
		}
	}
	return nil
}

// settled picks the attempts of all containers that do not run, the newest
// first. One that cannot be read has no identity.
func (l *ledger) settled(entries []os.DirEntry) ([]*attemptDir, error) {
	var found []*attemptDir
	begun := map[*attemptDir]time.Time{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		d := &attemptDir{path: l.path("attempts", entry.Name())}
		phase, err := d.phase()
		if err != nil {
			return nil, err
		}
		if phase == attemptAlive {
			continue
		}
		readJSON(d.file("attempt.json"), &d.attempt)
		found = append(found, d)
		begun[d] = info.ModTime()
		if s := d.started(); s != nil {
			begun[d] = s.StartedAt
		}
	}
	slices.SortStableFunc(found, func(a, b *attemptDir) int { return begun[b].Compare(begun[a]) })
	return found, nil
}
