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
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// onlyIncarnation is the container's present one.
func (c *container) onlyIncarnation() string {
	c.t.Helper()
	id, err := c.Identity()
	if err != nil {
		c.t.Fatal(err)
	}
	return id.Incarnation
}

func (c *container) count(pattern string) int {
	c.t.Helper()
	found, err := filepath.Glob(filepath.Join(c.root, protocol.MountState, pattern))
	if err != nil {
		c.t.Fatal(err)
	}
	return len(found)
}

// TestCrashLoopLeavesABoundedLedger has a ledger in which many containers
// died in the middle of their script, or after it.
func TestCrashLoopLeavesABoundedLedger(t *testing.T) {
	c := newContainer(t)
	req := c.request("true")
	l := c.ledger()
	for n := range 2 * keptAttempts {
		d := l.attemptDir(newAttempt(req, fmt.Sprintf("container-%d", n)))
		if err := d.prepare(); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			continue
		}
		o := &outcome{Attempt: 1, State: protocol.EventSucceeded, Incarnation: d.Incarnation}
		if err := errors.Join(l.recordSuccess(&d.attempt, o), d.end(o)); err != nil {
			t.Fatal(err)
		}
	}
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if n := c.count("attempts/*"); n != keptAttempts+1 {
		t.Errorf("%d attempts are kept", n)
	}
	if n := c.count("successes/*"); n > keptAttempts+1 {
		t.Errorf("%d successes are kept", n)
	}
	// What this container knows is kept.
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
}

func TestSuccessOfTheMemberIsNeverPruned(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs`)
	req.Event.Scope = protocol.ScopeNode
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	c.restart(2)
	if err := c.ledger().prune(0); err != nil {
		t.Fatal(err)
	}
	if n := c.count("attempts/*"); n != 0 {
		t.Errorf("%d attempts are kept", n)
	}
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if c.runs() != 1 {
		t.Errorf("%d runs", c.runs())
	}
}

// TestNumbersOfEventsLeaveABoundedLedger has ledgers of a member that was
// called for far more changes of its cluster than they keep.
func TestNumbersOfEventsLeaveABoundedLedger(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs`)
	req.VolumeDir = "/volume"
	record := func(edit func(*attempt)) {
		at := newAttempt(req, c.onlyIncarnation())
		edit(at)
		if err := c.recordSuccess(at, &outcome{Event: at.Event, Attempt: 1, State: protocol.EventSucceeded, Incarnation: at.Incarnation}); err != nil {
			t.Fatal(err)
		}
	}
	const called = 3 * keptNumbers
	req.Event = peersJoined(called)
	for number := range int64(called) {
		record(func(at *attempt) { at.Generation = number })
	}
	// None of these is a number of the member's own event.
	others := []func(*attempt){
		func(at *attempt) { at.Event, at.Scope = "configure", protocol.ScopeNode },
		func(at *attempt) { at.Event, at.Generation = "delnodes", 1 },
		func(at *attempt) { at.ClusterUID, at.Generation = "another", 1 },
		func(at *attempt) { at.Generation = called + 1 },
	}
	for _, edit := range others {
		record(edit)
	}
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	for _, l := range []*ledger{c.ledger(), c.volumeLedger(newAttempt(req, ""))} {
		kept, err := filepath.Glob(l.path("successes", "*.json"))
		if err != nil || len(kept) != keptNumbers+len(others) {
			t.Errorf("%s: %d successes are kept, %v", l.dir, len(kept), err)
		}
		for _, edit := range others {
			at := newAttempt(req, "")
			if edit(at); l.success(at) == nil {
				t.Errorf("%s: %s@%d of scope %s is forgotten", l.dir, at.Event, at.Generation, at.Scope)
			}
		}
	}
	// What may be asked for again is known: nothing is run for it.
	for number := int64(called - keptNumbers + 1); number <= called; number++ {
		req.Event.Generation = number
		wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	}
	if c.runs() != 1 {
		t.Errorf("%d runs", c.runs())
	}
}

// TestALedgerOfAnEarlierGuestIsKept is about successes that do not tell what
// they are of: they count, and none is taken for one that may go.
func TestALedgerOfAnEarlierGuestIsKept(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs`)
	req.VolumeDir, req.Event = "/volume", peersJoined(1)
	for number := range int64(2 * keptNumbers) {
		at := newAttempt(req, "")
		at.Generation = number
		c.write("volume/successes/"+at.scopeKey()+".json", `{"event":"addnodes","attempt":1,"state":"Succeeded","incarnation":"earlier"}`)
	}
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	req.Event = peersJoined(2 * keptNumbers)
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if kept, err := filepath.Glob(filepath.Join(c.root, "volume/successes/*.json")); err != nil || len(kept) != 2*keptNumbers+1 {
		t.Errorf("%d successes are kept, %v", len(kept), err)
	}
	if c.runs() != 1 {
		t.Errorf("%d runs", c.runs())
	}
}

func TestOutputIsCutWhenItsScriptEnds(t *testing.T) {
	c := newContainer(t)
	e := wantEvent(t, c.apply(c.request(`head -c 3000000 /dev/zero | tr '\0' x; echo; echo end`)), protocol.EventSucceeded, 1)
	if !strings.HasSuffix(e.StdoutTail, "x\nend\n") {
		t.Errorf("stdout %q", e.StdoutTail)
	}
	if n := len(c.read("opt/guestconfig/configure.stdout")); n > maxEndedOutput {
		t.Errorf("%d bytes are kept", n)
	}
}

// TestOutputOfDaemonsIsCutByTheNextRequest is about what the script left
// running: it prints to the script's file, supervised by nobody.
func TestOutputOfDaemonsIsCutByTheNextRequest(t *testing.T) {
	c := newContainer(t)
	req := c.request("true")
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	daemon, err := openAppend(c.onlyAttempt().file("stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	if _, err := daemon.Write(bytes.Repeat([]byte("0123456789abcde\n"), maxEndedOutput/16+1)); err != nil {
		t.Fatal(err)
	}
	c.restart(2)
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	daemon.WriteString("last\n")
	info, err := daemon.Stat()
	if err != nil || info.Size() > maxEndedOutput {
		t.Errorf("size %d, %v", info.Size(), err)
	}
	if tail := tailOf(daemon.Name(), 32); !strings.HasSuffix(tail, "abcde\nlast\n") {
		t.Errorf("tail %q", tail)
	}
}
