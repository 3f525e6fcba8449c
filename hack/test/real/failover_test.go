//go:build real

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

package real

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leaseDuration is what the controllers of these tests are started with: a dead leader's successor waits for its end.
const leaseDuration = 5 * time.Second

// TestLeaderKilled kills the leader of two replicas while it follows a script.
// The other goes on with it, and nothing is made or run twice.
func TestLeaderKilled(t *testing.T) {
	f := newFixture(t, "killed")
	start := audit.now(t)
	leading, waiting := f.startReplicas()
	f.startSlowScript("slow")
	killed := time.Now()
	leading.kill()

	took := f.untilWorks(waiting, start).Sub(killed)
	t.Logf("from the leader's end to the first thing the other did for the cluster: %s", took.Round(time.Millisecond))
	if limit := leaseDuration + time.Second; took > limit {
		t.Errorf("that is more than %s", limit)
	}
	f.wantOneRun("slow")
	f.wantMadeOnce(start, leading, waiting)
	waiting.wantNoErrors(f)
}

// TestLeaderFrozen stops the leader's process past its Lease, as a suspended
// machine or a starved node does, and lets it go on when another leads. It has
// much in mind by then, and must send nothing of it.
func TestLeaderFrozen(t *testing.T) {
	f := newFixture(t, "frozen")
	start := audit.now(t)
	frozen, waiting := f.startReplicas()
	f.startSlowScript("slow")
	f.must(frozen.process.Process.Signal(syscall.SIGSTOP))
	f.untilWorks(waiting, start)
	f.apply(newCluster("late", "testapp"))
	f.wantOneRun("slow")
	f.deleteCluster("slow") // in time for nobody but the one who leads
	f.untilGone("slow")

	resumed := time.Now()
	f.must(frozen.process.Process.Signal(syscall.SIGCONT))
	select {
	case <-frozen.ended:
		if frozen.process.ProcessState.ExitCode() != 1 {
			t.Errorf("it ended with %v, want exit code 1", frozen.err)
		}
	case <-time.After(stopTime):
		t.Errorf("it did not end within %s", stopTime)
	}
	for _, r := range frozen.requests(f, start) {
		late := r.RequestReceivedTimestamp.After(resumed)
		if late && r.ObjectRef.Resource == "leases" && r.isWrite() && r.ResponseStatus.Code != http.StatusConflict {
			t.Errorf("it took the Lease: %s", r)
		} else if late && r.ObjectRef.Resource != "leases" && (r.isWrite() || r.ObjectRef.Subresource == "exec") {
			t.Errorf("sent after it went on: %s", r)
		}
	}
	f.wantMadeOnce(start, frozen, waiting)
	f.untilReady("late")
	waiting.wantNoErrors(f)
}

// replica is a controller whose requests the audit log tells from another's.
type replica struct {
	*controller
	user string
}

// startReplicas has two controllers, with the rights that the deployed ones
// have, take the place of the one that all tests share. The first leads.
func (f *fixture) startReplicas() (leading, waiting *replica) {
	f.Helper()
	f.must(grantRights(f.Context()))
	f.Cleanup(func() {
		if err := revokeRights(context.Background()); err != nil {
			f.Error(err)
		}
	})
	f.withoutSubject()
	leading = f.startReplica("kdtest:one")
	f.untilLogged(leading, `"Leading"`)
	waiting = f.startReplica("kdtest:two")
	f.untilLogged(waiting, `"Caches are filled"`)
	return leading, waiting
}

// withoutSubject ends the controller that all tests share, for the rest of the test.
func (f *fixture) withoutSubject() {
	f.Helper()
	f.must(subject.stop())
	f.Cleanup(func() {
		if err := subject.start(); err != nil {
			f.Error(err)
		}
	})
}

// startReplica starts a controller as a user, until the end of the test.
func (f *fixture) startReplica(user string) *replica {
	f.Helper()
	kubeconfig, err := kubeconfigAs(f.TempDir(), user)
	f.must(err)
	c := &controller{
		program: subject.program,
		args: append(slices.Clone(subject.args), "--kubeconfig", kubeconfig,
			"--leader-elect-lease-duration", leaseDuration.String(), "--leader-elect-renew-deadline", "4s", "--leader-elect-retry-period", "1s"),
		logFile: filepath.Join(filepath.Dir(subject.logFile), "controller-"+strings.ReplaceAll(user, ":", "-")+".log"),
	}
	f.must(os.WriteFile(c.logFile, nil, 0o644))
	f.must(c.start())
	f.Cleanup(c.kill)
	return &replica{controller: c, user: user}
}

// untilLogged waits until a controller has logged something.
func (f *fixture) untilLogged(r *replica, text string) {
	f.Helper()
	f.eventually(patience, r.user+" logs "+text, func(context.Context) (bool, string) {
		log, err := os.ReadFile(r.logFile)
		f.must(err)
		return bytes.Contains(log, []byte(text)), string(log)
	})
}

// untilWorks waits until a controller has begun to do something in the test's
// namespace, which takes a leader, and returns when that was.
func (f *fixture) untilWorks(r *replica, since mark) time.Time {
	f.Helper()
	var first *request
	f.eventually(patience, r.user+" does something in the namespace", func(context.Context) (bool, string) {
		for _, sent := range r.requests(f, since) {
			if sent.ObjectRef.Namespace == f.namespace && (sent.isWrite() || sent.ObjectRef.Subresource == "exec") {
				first = sent
				return true, ""
			}
		}
		return false, "nothing yet"
	})
	return first.RequestReceivedTimestamp
}

// requests are those of a replica since a mark.
func (r *replica) requests(f *fixture, since mark) []*request {
	f.Helper()
	all, err := audit.read(since)
	f.must(err)
	return slices.DeleteFunc(all, func(sent *request) bool { return sent.ImpersonatedUser.Username != r.user })
}

// wantMadeOnce tells of what controllers made more than once, and of what they had no right to.
func (f *fixture) wantMadeOnce(since mark, replicas ...*replica) {
	f.Helper()
	made := map[string]int{}
	for _, r := range replicas {
		for _, sent := range r.requests(f, since) {
			if sent.ResponseStatus.Code == http.StatusForbidden {
				f.Errorf("%s may not: %s", r.user, sent)
			}
			if sent.Stage == "ResponseComplete" && sent.ObjectRef.Namespace == f.namespace && sent.ResponseStatus.Code == http.StatusCreated && sent.ObjectRef.Resource != "events" {
				made[fmt.Sprintf("%s %s", sent.what(), sent.ObjectRef.Name)]++
			}
		}
	}
	if len(made) == 0 {
		f.Error("the audit log tells of nothing made")
	}
	for what, n := range made {
		if n > 1 {
			f.Errorf("%d times: %s", n, what)
		}
	}
}

// wantNoErrors tells of errors in a replica's log.
func (r *replica) wantNoErrors(f *fixture) {
	f.Helper()
	for _, line := range r.unexpectedErrors() {
		f.Errorf("%s logged: %s", r.user, line)
	}
}
