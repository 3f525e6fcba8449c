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
	"encoding/binary"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// onlyAttempt is the one the ledger holds.
func (c *container) onlyAttempt() *attemptDir {
	c.t.Helper()
	id, err := c.Identity()
	if err != nil {
		c.t.Fatal(err)
	}
	found, err := c.ledger().attempts(id.Incarnation)
	if err != nil || len(found) != 1 {
		c.t.Fatalf("attempts %v, %v", found, err)
	}
	return found[0]
}

// TestRecordedSuccessOutlivesItsSupervisor is about a supervisor that died
// between recording the success and ending the attempt, and was followed.
func TestRecordedSuccessOutlivesItsSupervisor(t *testing.T) {
	c := newContainer(t)
	wantEvent(t, c.apply(c.request(`sleep 600 & echo $! >$HERE/daemon`)), protocol.EventSucceeded, 1)
	daemon := c.pid("daemon")
	defer syscall.Kill(daemon, syscall.SIGKILL)
	d := c.onlyAttempt()
	if err := os.Remove(d.file("outcome.json")); err != nil {
		t.Fatal(err)
	}
	c.eventually("the supervisor is gone", func() bool {
		phase, err := d.phase()
		return err == nil && phase == attemptAbandoned
	})
	o, err := c.followAttempt(t.Context(), d, time.Now(), func(*started) {})
	if err != nil || o == nil || o.State != protocol.EventSucceeded || o.ExitCode == nil || *o.ExitCode != 0 {
		t.Errorf("outcome %+v, %v", o, err)
	}
	if !alive(daemon) {
		t.Error("what the script started is gone")
	}
}

// TestSpoiltSuccessIsRecordedAnew is about a success file that vouches for
// nothing: it must not stand in the way of the one that does.
func TestSpoiltSuccessIsRecordedAnew(t *testing.T) {
	for _, spoilt := range []string{"", "{", "{}"} {
		l := &ledger{dir: t.TempDir()}
		if err := l.open(); err != nil {
			t.Fatal(err)
		}
		a := &attempt{Event: "configure", Number: 2}
		if err := os.WriteFile(l.path("successes", a.scopeKey()+".json"), []byte(spoilt), 0o644); err != nil {
			t.Fatal(err)
		}
		if o := l.success(a); o != nil {
			t.Errorf("%q is taken for %+v", spoilt, o)
		}
		if err := l.recordSuccess(a, &outcome{Attempt: 2, State: protocol.EventSucceeded}); err != nil {
			t.Fatal(err)
		}
		if o := l.success(a); o == nil || o.Attempt != 2 {
			t.Errorf("%q was replaced by %+v", spoilt, o)
		}
	}
}

// TestSuccessReachesTheVolumeFirst watches both ledgers: a pod that is lost
// after the first write must not have its success forgotten by the member.
func TestSuccessReachesTheVolumeFirst(t *testing.T) {
	c := newContainer(t)
	at := &attempt{Event: "configure", Scope: protocol.ScopeNode, Number: 1, VolumeDir: "/volume"}
	watch, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(watch)
	where := map[int32]string{}
	for _, l := range []*ledger{c.ledger(), c.volumeLedger(at)} {
		if err := l.open(); err != nil {
			t.Fatal(err)
		}
		id, err := syscall.InotifyAddWatch(watch, l.path("successes"), syscall.IN_MOVED_TO)
		if err != nil {
			t.Fatal(err)
		}
		where[int32(id)] = l.dir
	}
	if err := c.recordSuccess(at, &outcome{State: protocol.EventSucceeded}); err != nil {
		t.Fatal(err)
	}
	events := make([]byte, 4096)
	if n, err := syscall.Read(watch, events); err != nil || n < syscall.SizeofInotifyEvent {
		t.Fatalf("%d bytes of events, %v", n, err)
	}
	first := where[int32(binary.NativeEndian.Uint32(events))]
	if want := c.path("/volume"); first != want {
		t.Errorf("recorded in %s before %s", first, want)
	}
}

// TestExitCodeIsKeptUntilItCanBeRecorded is about a ledger that cannot be
// written when the script ends: only the supervisor knows how it ended.
func TestExitCodeIsKeptUntilItCanBeRecorded(t *testing.T) {
	c := newContainer(t)
	req := c.request(`cd $HERE/` + protocol.MountState + `/attempts/configure-1-*; mkdir outcome.json; exit 7`)
	req.FollowSeconds = 0
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)
	d := c.onlyAttempt()
	c.eventually("the outcome cannot be written", func() bool { return tailOf(d.file("supervisor.log"), 1024) != "" })
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)
	if err := os.Remove(d.file("outcome.json")); err != nil {
		t.Fatal(err)
	}
	req.FollowSeconds = 60
	if e := wantEvent(t, c.apply(req), protocol.EventFailed, 1); e.ExitCode == nil || *e.ExitCode != 7 {
		t.Errorf("event %+v", e)
	}
}

// TestPackageCutShortLeavesNothing is about a package whose installation was
// cut short: what was in place by then goes when the next one comes.
func TestPackageCutShortLeavesNothing(t *testing.T) {
	c := newContainer(t)
	c.write(protocol.MountPackage+"/.staging/unpacked/old/startscript", "")
	unpacked := c.path(protocol.MountPackage, ".staging/unpacked")
	cutShort := &packageStamp{Incarnation: "x", Main: "old", Tops: []string{"old", "missing"}}
	if err := c.install(unpacked, cutShort); err == nil {
		t.Fatal("a package without one of its directories was installed")
	}
	if c.packageStamp("x") != nil || c.packageStamp("") != nil {
		t.Error("a package cut short vouches for something")
	}
	req := c.request("")
	req.Event = nil
	if r := c.apply(req); r.Fault != nil || r.PackageSHA256 == "" {
		t.Fatalf("fault %+v", r.Fault)
	}
	if _, err := os.Stat(c.path(protocol.MountPackage, "old")); !os.IsNotExist(err) {
		t.Errorf("the package cut short stays: %v", err)
	}
}

// observe holds the attempt's lock as one who asks whether it runs does.
func (d *attemptDir) observe(t *testing.T) *os.File {
	t.Helper()
	file, err := os.OpenFile(d.file("lock"), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestObserversDoNotSeeEachOther(t *testing.T) {
	c := newContainer(t)
	wantEvent(t, c.apply(c.request("true")), protocol.EventSucceeded, 1)
	d := c.onlyAttempt()
	c.eventually("the supervisor is gone", func() bool {
		phase, err := d.phase()
		return err == nil && phase == attemptEnded
	})
	defer d.observe(t).Close()
	if phase, err := d.phase(); err != nil || phase != attemptEnded {
		t.Errorf("phase %d, %v", phase, err)
	}
}

func TestObserverDoesNotKeepAnAttemptFromStarting(t *testing.T) {
	c := newContainer(t)
	req := c.request("true")
	at := newAttempt(req, c.onlyIncarnation())
	if err := c.ledger().open(); err != nil {
		t.Fatal(err)
	}
	d := c.ledger().attemptDir(at)
	if err := d.prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.file("attempt.json")); err != nil {
		t.Fatal(err)
	}
	observer := d.observe(t)
	result := make(chan *protocol.Result)
	go func() { result <- c.apply(req) }()
	c.eventually("the attempt is about to start", func() bool {
		_, err := os.Stat(d.file("attempt.json"))
		return err == nil
	})
	observer.Close()
	wantEvent(t, <-result, protocol.EventSucceeded, 1)
}
