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
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

func wantEvent(t *testing.T, r *protocol.Result, state protocol.EventState, attempt int) *protocol.EventResult {
	t.Helper()
	if r.Refusal != nil || r.Fault != nil || r.Event == nil {
		t.Fatalf("refusal %+v, fault %+v, event %+v", r.Refusal, r.Fault, r.Event)
	}
	if r.Event.State != state || r.Event.Attempt != attempt {
		t.Fatalf("event is %s in attempt %d, want %s in %d; stderr %q", r.Event.State, r.Event.Attempt, state, attempt, r.Event.StderrTail)
	}
	return r.Event
}

// peersJoined is the first attempt to tell a member of others, under a number
// that has nothing to do with the metadata's generation.
func peersJoined(number int64) *protocol.Event {
	return &protocol.Event{
		Name:           "addnodes",
		Args:           []string{"--addnodes", "--fqdns", fmt.Sprintf("peer-%d", number)},
		Scope:          protocol.ScopeNodeGeneration,
		Generation:     number,
		Attempt:        1,
		TimeoutSeconds: 60,
		MaxOutputBytes: 1024,
	}
}

func TestConcurrentRequestsRunAnEventOnce(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs; until test -e $HERE/go; do sleep 0.02; done`)
	results := make(chan *protocol.Result)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { results <- c.apply(req) })
	}
	c.eventually("the script runs", func() bool { return c.runs() > 0 })
	c.write("go", "")
	go func() { wait.Wait(); close(results) }()
	for r := range results {
		wantEvent(t, r, protocol.EventSucceeded, 1)
	}
	if c.runs() != 1 {
		t.Errorf("%d runs", c.runs())
	}
}

func TestRunningEventIsToldAndThenFollowed(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs; echo busy; until test -e $HERE/go; do sleep 0.02; done`)
	req.FollowSeconds = 0
	e := wantEvent(t, c.apply(req), protocol.EventRunning, 1)
	if e.ExitCode != nil || e.StartedAt.IsZero() || !e.Deadline.After(e.StartedAt) {
		t.Errorf("running event %+v", e)
	}
	// Another attempt follows the one that runs.
	req.Event = configure(2)
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)
	c.write("go", "")
	req.FollowSeconds = 60
	r := c.apply(req)
	if e := wantEvent(t, r, protocol.EventSucceeded, 1); e.StdoutTail != "busy\n" {
		t.Errorf("stdout %q", e.StdoutTail)
	}
	if !r.Configured || c.runs() != 1 {
		t.Errorf("configured %t after %d runs", r.Configured, c.runs())
	}
}

func TestSupervisorMarksConfiguredWithNobodyListening(t *testing.T) {
	c := newContainer(t)
	req := c.request(`until test -e $HERE/go; do sleep 0.02; done`)
	req.FollowSeconds = 0
	if r := c.apply(req); r.Configured {
		t.Fatal("configured while the script runs")
	}
	c.write("go", "")
	if done, err := c.Configured(t.Context()); err != nil || !done {
		t.Errorf("Configured() = %t, %v", done, err)
	}
}

func TestScriptOutlivesItsRequest(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs; until test -e $HERE/go; do sleep 0.02; done`)
	raw, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	apply := exec.Command(os.Args[0], "apply", c.root, "-")
	apply.Stdin = bytes.NewReader(raw)
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	c.eventually("the script runs", func() bool { return c.runs() > 0 })
	if err := apply.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := apply.Wait(); err == nil {
		t.Fatal("the request was not killed")
	}
	req.FollowSeconds = 0
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)
	c.write("go", "")
	req.FollowSeconds = 60
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if c.runs() != 1 {
		t.Errorf("%d runs", c.runs())
	}
}

// TestKilledSupervisorIsALostAttempt also sees that nothing of the lost
// attempt runs on beside the next one.
func TestKilledSupervisorIsALostAttempt(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs; sleep 600 & echo $! >$HERE/child.tmp; echo $PPID >$HERE/supervisor.tmp
echo $$ >$HERE/script; mv $HERE/child.tmp $HERE/child; mv $HERE/supervisor.tmp $HERE/supervisor; test -e $HERE/go || wait`)
	req.FollowSeconds = 0
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)
	c.eventually("the script tells its processes", func() bool { return c.read("supervisor") != "" })
	child := c.pid("child")
	if err := syscall.Kill(c.pid("supervisor"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// A script never goes on without its supervisor, asked for or not.
	c.eventually("the script is gone", func() bool { return !alive(c.pid("script")) })
	var lost *protocol.Result
	c.eventually("the attempt is lost", func() bool {
		lost = c.apply(req)
		return lost.Event != nil && lost.Event.State == protocol.EventLost
	})
	if e := wantEvent(t, lost, protocol.EventLost, 1); e.ExitCode != nil || e.FinishedAt.IsZero() {
		t.Errorf("lost event %+v", e)
	}
	c.eventually("the lost attempt's child is gone", func() bool { return !alive(child) })
	if lost.Configured {
		t.Error("configured by a lost attempt")
	}
	c.write("go", "")
	req.Event, req.FollowSeconds = configure(2), 60
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 2)
	syscall.Kill(c.pid("child"), syscall.SIGKILL)
	if c.runs() != 2 {
		t.Errorf("%d runs", c.runs())
	}
}

func (c *container) pid(file string) int {
	c.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(c.read(file)))
	if err != nil {
		c.t.Fatal(err)
	}
	return pid
}

// alive tells whether the process runs; a zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func TestDeadlineEndsAScriptThatIgnoresTheRequest(t *testing.T) {
	c := newContainer(t)
	req := c.request(`trap 'echo asked' TERM; sleep 600 & echo $! >$HERE/child; while :; do sleep 0.02; done`)
	req.Event.TimeoutSeconds = 1
	r := c.apply(req)
	e := wantEvent(t, r, protocol.EventTimedOut, 1)
	if e.ExitCode == nil || *e.ExitCode != 128+int(syscall.SIGKILL) || !strings.Contains(e.StdoutTail, "asked") || r.Configured {
		t.Errorf("event %+v, configured %t", e, r.Configured)
	}
	c.eventually("the script's child is gone", func() bool { return !alive(c.pid("child")) })
	wantEvent(t, c.apply(req), protocol.EventTimedOut, 1)
}

func TestDeadlineEndsWhatTheScriptLeaves(t *testing.T) {
	c := newContainer(t)
	req := c.request(`sh -c 'trap "" TERM; echo $$ >'$HERE'/child; exec sleep 600' & wait`)
	req.Event.TimeoutSeconds = 1
	wantEvent(t, c.apply(req), protocol.EventTimedOut, 1)
	c.eventually("the child that ignores the request to end is gone", func() bool { return !alive(c.pid("child")) })
}

func TestBackgroundProcessesStay(t *testing.T) {
	c := newContainer(t)
	r := c.apply(c.request(`sleep 600 & echo $! >$HERE/child`))
	wantEvent(t, r, protocol.EventSucceeded, 1)
	child := c.pid("child")
	defer syscall.Kill(child, syscall.SIGKILL)
	if !alive(child) {
		t.Error("what the script started is gone")
	}
	// It does not hold the supervisor's lock either: another event may run.
	req := c.request(`sleep 600 & echo $! >$HERE/child`)
	req.Event = &protocol.Event{Name: "addnodes", Scope: protocol.ScopeNode, Attempt: 1, TimeoutSeconds: 60}
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	syscall.Kill(c.pid("child"), syscall.SIGKILL)
}

func TestFailedAttemptsAreAnsweredFromTheLedger(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs; echo no >&2; test -e $HERE/go || exit 7`)
	for range 2 {
		r := c.apply(req)
		if e := wantEvent(t, r, protocol.EventFailed, 1); *e.ExitCode != 7 || e.StderrTail != "no\n" || r.Configured {
			t.Errorf("event %+v, configured %t", e, r.Configured)
		}
	}
	req.Event = configure(2)
	wantEvent(t, c.apply(req), protocol.EventFailed, 2)
	if c.runs() != 2 {
		t.Errorf("%d runs for two attempts", c.runs())
	}
	c.write("go", "")
	req.Event = configure(3)
	if r := c.apply(req); !r.Configured {
		t.Errorf("not configured by %+v", r.Event)
	}
	// A success answers every attempt.
	req.Event = configure(4)
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 3)
	if c.runs() != 3 {
		t.Errorf("%d runs for three attempts", c.runs())
	}
}

func TestScriptThatCannotStartIsAFailedAttempt(t *testing.T) {
	c := newContainer(t)
	req := c.request("")
	req.Package.Bytes = tgz(t, tarFile("demo/startscript", "#!/no/such/interpreter\n", 0o755))
	if e := wantEvent(t, c.apply(req), protocol.EventFailed, 1); *e.ExitCode != exitNotStarted || !strings.Contains(e.StderrTail, "cannot be started") {
		t.Errorf("event %+v", e)
	}
}

func TestScriptWithoutInterpreterLineIsRunByTheShell(t *testing.T) {
	c := newContainer(t)
	req := c.request("")
	req.Package.Bytes = tgz(t, tarFile("demo/startscript", "echo shell $1\n", 0o644))
	if e := wantEvent(t, c.apply(req), protocol.EventSucceeded, 1); e.StdoutTail != "shell --configure\n" {
		t.Errorf("stdout %q", e.StdoutTail)
	}
}

func TestOneEventRunsAtATime(t *testing.T) {
	c := newContainer(t)
	req := c.request(`until test -e $HERE/go; do sleep 0.02; done`)
	req.FollowSeconds = 0
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)
	other := *req
	other.Event = &protocol.Event{Name: "addnodes", Scope: protocol.ScopeNodeGeneration, Generation: 2, Attempt: 1, TimeoutSeconds: 60}
	r := c.apply(&other)
	if r.Fault == nil || r.Fault.Reason != protocol.Busy || r.Event != nil || r.Configured {
		t.Errorf("result %+v, fault %+v", r, r.Fault)
	}
	c.write("go", "")
	req.FollowSeconds, other.FollowSeconds = 60, 60
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	wantEvent(t, c.apply(&other), protocol.EventSucceeded, 1)
}

func TestOldAttemptsArePruned(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs; exit 1`)
	for attempt := 1; attempt <= 4; attempt++ {
		req.Event = configure(attempt)
		wantEvent(t, c.apply(req), protocol.EventFailed, attempt)
	}
	if err := c.ledger().prune(2); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(c.root, protocol.MountState, "attempts"))
	if err != nil || len(entries) != 2 {
		t.Errorf("%d attempts are kept, %v", len(entries), err)
	}
	// The latest is among them.
	wantEvent(t, c.apply(req), protocol.EventFailed, 4)
	if c.runs() != 4 {
		t.Errorf("%d runs", c.runs())
	}
}
