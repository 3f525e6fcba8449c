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
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// briefScript ends while the visit that starts it still follows it, unless something cuts that short.
const briefScript = `#!/bin/sh
set -eu
echo "begun $*" >>/var/lib/testapp/events
sleep 6
echo "ended $*" >>/var/lib/testapp/events
`

// TestSeveredExec cuts the stream through which a script is followed, and
// nothing else. The next visit finds the script running.
func TestSeveredExec(t *testing.T) {
	f := newFixture(t, "severed")
	f.apply(packageMap("setup", startscript(t, briefScript)), newApp("testapp"))
	f.untilAppValid("testapp") // a controller that has only just started does not stop in order
	way := newPassage(t)
	subject.pass(t, way)
	begun, start := time.Now(), audit.now(t)
	f.startBriefScript("c")
	if n := way.cut(begun); n == 0 {
		t.Fatal("no connection was made for an exec")
	}
	f.wantOneRun("c")
	f.wantVisitedAgain(start)
}

// TestKilledFollower kills the guest that follows a script for the controller.
// The next visit finds the script running.
func TestKilledFollower(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "follower")
	f.apply(packageMap("setup", startscript(t, briefScript)), newApp("testapp"))
	start := audit.now(t)
	f.startBriefScript("c")
	f.killGuest("c-node-0", "apply")
	f.wantOneRun("c")
	f.wantVisitedAgain(start)
}

// TestKilledSupervisor kills the guest that watches over a script, with which
// the script ends, nobody knows how. It is tried again as its policy says.
func TestKilledSupervisor(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "supervisor")
	f.apply(packageMap("setup", startscript(t, briefScript)), newApp("testapp", hooks(60, 1, 4)))
	f.startBriefScript("c")
	f.killGuest("c-node-0", "supervise")
	lost := f.untilFailed("c", "c-node-0", v1alpha1.EventLost)
	if lost.Name != v1alpha1.EventConfigure || lost.Attempt != 1 || lost.ExitCode != nil || lost.StartedAt == nil || lost.FinishedAt == nil {
		t.Errorf("the lost attempt is shown as %+v", lost)
	}
	f.wantFailureEvent("c", "c-node-0", "--configure", "attempt 1", "Lost")
	f.untilReady("c")
	want := []string{"begun --configure", "begun --configure", "ended --configure"}
	if diff := cmp.Diff(want, lines(f.exec("c-node-0", "cat", eventsFile))); diff != "" {
		t.Errorf("what the scripts did (-want +got):\n%s", diff)
	}
}

// TestCrashWhileOthersAreAnnounced kills the controller while a member is told
// of another one. The next controller finds the script running, and does not run it again.
func TestCrashWhileOthersAreAnnounced(t *testing.T) {
	f := newFixture(t, "announced")
	f.applyGoodApp()
	f.apply(newCluster("c", "testapp"))
	f.untilReady("c")
	f.exec("c-node-0", "sh", "-c", "echo 8 >/var/lib/testapp/addnodes.sleep")
	f.apply(newCluster("c", "testapp", members(2)))
	f.untilWritten("c-node-0", "--addnodes")
	f.crash()
	f.untilReady("c")
	domain := fmt.Sprintf("%s.%s.svc.cluster.local", names.HeadlessService("c"), f.namespace)
	want := []string{"node 1 --configure", "node 1 --addnodes --nodegroup 1 --role node --fqdns c-node-1." + domain}
	if diff := cmp.Diff(want, lines(f.exec("c-node-0", "cat", eventsFile))); diff != "" {
		t.Errorf("what the script of c-node-0 was called for (-want +got):\n%s", diff)
	}
}

// pickyScript hangs when a member is configured first, and refuses to be told of others until it is mended.
const pickyScript = `#!/bin/sh
echo "$*" >>/var/lib/testapp/events
case $1 in
--configure)
    test "$(grep -c configure /var/lib/testapp/events)" -gt 1 && exit 0
    echo waiting for the disk
    echo no such disk >&2
    exec sleep 3600
    ;;
--addnodes)
    test -e /var/lib/testapp/mended && exit 0
    echo no such peer >&2
    exit 5
    ;;
esac
`

// TestHookPolicies has an app that gives its scripts an hour and no second
// try, but configure three seconds and one more. What became of each attempt is told.
func TestHookPolicies(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "policies")
	f.apply(packageMap("setup", startscript(t, pickyScript)), newApp("testapp", hooks(3600, 0, 1), func(app *v1alpha1.KubeDirectorAppSpec) {
		app.Hooks.Events = []v1alpha1.EventHook{{
			Event:      v1alpha1.EventConfigure,
			HookPolicy: v1alpha1.HookPolicy{TimeoutSeconds: ptr.To[int32](3), Retries: ptr.To[int32](1), BackoffSeconds: ptr.To[int32](4)},
		}}
	}), newCluster("c", "testapp"))

	timedOut := f.untilFailed("c", "c-node-0", v1alpha1.EventTimedOut)
	f.wantEvent(timedOut, v1alpha1.MemberEvent{Name: v1alpha1.EventConfigure, Attempt: 1, State: v1alpha1.EventTimedOut, ExitCode: ptr.To[int32](128 + 15),
		OutputTail: "no such disk\nwaiting for the disk"})
	if took := timedOut.FinishedAt.Sub(timedOut.StartedAt.Time); took < 2*time.Second || took > 10*time.Second {
		t.Errorf("a script that may run for 3s ran for %s", took)
	}
	f.wantFailureEvent("c", "c-node-0", "--configure", "attempt 1", "TimedOut", "exit code 143", "no such disk")
	f.untilReady("c")

	f.apply(newCluster("c", "testapp", members(2)))
	failed := f.untilFailed("c", "c-node-0", v1alpha1.EventFailed)
	f.wantEvent(failed, v1alpha1.MemberEvent{Name: v1alpha1.EventAddNodes, Generation: f.get("c").Status.LastEvent, Attempt: 1,
		State: v1alpha1.EventFailed, ExitCode: ptr.To[int32](5), OutputTail: "no such peer"})
	f.until("c", "tells that the script failed for good", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		degraded := condition(cluster, v1alpha1.ConditionDegraded)
		return memberOf(cluster, "c-node-0").State == v1alpha1.MemberError && degraded.Reason == v1alpha1.ReasonScriptFailed &&
			mentions(degraded.Message, []string{"c-node-0", "--addnodes", "exit code 5", "attempt 1 of 1", "no such peer"})
	})
	f.wantFailureEvent("c", "c-node-0", "--addnodes", "attempt 1", "Failed", "exit code 5", "no such peer")

	f.exec("c-node-0", "touch", "/var/lib/testapp/mended")
	again := newCluster("c", "testapp", members(2))
	again.Annotations = map[string]string{names.AnnotationRetry: "mended"}
	f.apply(again)
	f.untilReady("c")
	for pod, want := range map[string][]string{
		"c-node-0": {"--configure", "--configure", "--addnodes", "--addnodes"},
		"c-node-1": {"--configure", "--configure"},
	} {
		var got []string
		for _, call := range lines(f.exec(pod, "cat", eventsFile)) {
			event, _, _ := strings.Cut(call, " ")
			got = append(got, event)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what the script of %s was called for (-want +got):\n%s", pod, diff)
		}
	}
}

// startBriefScript makes a cluster and returns when its script runs.
func (f *fixture) startBriefScript(name string) {
	f.Helper()
	f.apply(newCluster(name, "testapp"))
	f.untilWritten(name+"-node-0", "begun")
}

// untilWritten waits until a member's script has written something down. Status
// shows a script that runs only once a visit has left it alone.
func (f *fixture) untilWritten(pod, text string) {
	f.Helper()
	f.eventually(patience, "the script of "+pod+" writes "+text, func(ctx context.Context) (bool, string) {
		out, err := f.tryExec(ctx, pod, "cat", eventsFile)
		return err == nil && strings.Contains(out, text), fmt.Sprint(out, err)
	})
}

// killGuests kills the processes of one of the guest's commands.
const killGuests = `for process in /proc/[0-9]*; do
    case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") in
    */kdguest\ "$1"*) kill -9 "${process#/proc/}" && echo killed ;;
    esac
done`

func (f *fixture) killGuest(pod, command string) {
	f.Helper()
	if got := lines(f.exec(pod, "sh", "-c", killGuests, "sh", command)); !slices.Equal(got, []string{"killed"}) {
		f.Fatalf("killing kdguest %s in %s: %q, want one killed", command, pod, got)
	}
}

// wantVisitedAgain tells whether more than one exec was needed, and none of them ran into a failure of the script.
func (f *fixture) wantVisitedAgain(since mark) {
	f.Helper()
	visits := 0
	for _, r := range audit.byController(f.T, since) {
		if r.ObjectRef.Namespace == f.namespace && r.ObjectRef.Subresource == "exec" {
			visits++
		}
	}
	if visits < 2 {
		f.Errorf("the container was visited %d times: nothing was cut short", visits)
	}
	for _, event := range f.failureEvents(f.Context(), "c") {
		f.Errorf("the script is told to have failed: %s", event.Message)
	}
}

// untilFailed waits until a member shows an attempt that ended so.
func (f *fixture) untilFailed(cluster, pod string, state v1alpha1.EventState) *v1alpha1.MemberEvent {
	f.Helper()
	now := f.until(cluster, fmt.Sprintf("%s shows an attempt that is %s", pod, state), func(cluster *v1alpha1.KubeDirectorCluster) bool {
		event := memberOf(cluster, pod).Event
		return event != nil && event.State == state
	})
	return memberOf(now, pod).Event
}

// wantEvent compares what a member shows of an attempt, but for its times.
func (f *fixture) wantEvent(got *v1alpha1.MemberEvent, want v1alpha1.MemberEvent) {
	f.Helper()
	if got.StartedAt == nil || got.FinishedAt == nil || got.Package == "" {
		f.Errorf("started %s, finished %s, package %q", got.StartedAt, got.FinishedAt, got.Package)
	}
	if want.Generation == 0 {
		want.Generation = got.Generation
	}
	want.StartedAt, want.FinishedAt, want.Package = got.StartedAt, got.FinishedAt, got.Package
	if diff := cmp.Diff(want, *got); diff != "" {
		f.Errorf("the attempt is shown so (-want +got):\n%s", diff)
	}
}

// wantFailureEvent waits for the Event that tells of a failed attempt.
func (f *fixture) wantFailureEvent(cluster string, says ...string) {
	f.Helper()
	f.eventually(knowable, fmt.Sprintf("an Event that says %q", says), func(ctx context.Context) (bool, string) {
		var told []string
		for _, event := range f.failureEvents(ctx, cluster) {
			told = append(told, event.Message)
			if mentions(event.Message, says) {
				return true, ""
			}
		}
		return false, strings.Join(told, "\n")
	})
}

// failureEvents are the Events of a cluster that tell of failed scripts.
func (f *fixture) failureEvents(ctx context.Context, cluster string) []corev1.Event {
	events, err := server.kube.CoreV1().Events(f.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		f.Fatal(err)
	}
	return slices.DeleteFunc(events.Items, func(e corev1.Event) bool {
		return e.InvolvedObject.Kind != "KubeDirectorCluster" || e.InvolvedObject.Name != cluster || e.Reason != v1alpha1.ReasonScriptFailed
	})
}
