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
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

func TestWhatAnAnswerMeans(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	eventOf := func(edit func(*protocol.EventResult)) *protocol.EventResult {
		e := &protocol.EventResult{Name: "configure", Attempt: 1, State: protocol.EventSucceeded, Incarnation: "i", StartedAt: start, FinishedAt: start.Add(time.Minute)}
		edit(e)
		return e
	}
	for _, c := range []struct {
		name   string
		result protocol.Result
		step   plan.Step
		want   plan.Outcome
	}{
		{"metadata only", protocol.Result{Configured: true}, step("a", func(s *plan.Step) { s.Event = nil }), plan.Outcome{Phase: plan.PhaseDone, Configured: true}},
		{"succeeded here", protocol.Result{Configured: true, PackageSHA256: "f00", Event: eventOf(func(e *protocol.EventResult) { e.ExitCode = ptr.To(0) })}, step("a"),
			plan.Outcome{Phase: plan.PhaseDone, Configured: true, PackageVersion: "f00", Event: &plan.EventResult{State: plan.EventSucceeded, Attempt: 1, Here: true,
				ExitCode: ptr.To[int32](0), StartedAt: start, FinishedAt: start.Add(time.Minute)}}},
		{"succeeded in an earlier container", protocol.Result{Event: eventOf(func(e *protocol.EventResult) { e.Incarnation = "earlier" })}, step("a"),
			plan.Outcome{Phase: plan.PhaseDone, Event: &plan.EventResult{State: plan.EventSucceeded, Attempt: 1, StartedAt: start, FinishedAt: start.Add(time.Minute)}}},
		{"failed", protocol.Result{Event: eventOf(func(e *protocol.EventResult) {
			e.State, e.ExitCode, e.StderrTail, e.StdoutTail = protocol.EventFailed, ptr.To(7), "no route\n", "starting\n"
		})}, step("a"),
			plan.Outcome{Phase: plan.PhaseDone, Event: &plan.EventResult{State: v1alpha1.EventFailed, Attempt: 1, Here: true, ExitCode: ptr.To[int32](7),
				StartedAt: start, FinishedAt: start.Add(time.Minute), OutputTail: "no route\nstarting"}}},
		{"an earlier attempt still runs", protocol.Result{Event: eventOf(func(e *protocol.EventResult) {
			e.State, e.Deadline, e.FinishedAt = protocol.EventRunning, start.Add(time.Hour), time.Time{}
		})}, step("a", attempt(2)),
			plan.Outcome{Phase: plan.PhaseRunning, Event: &plan.EventResult{State: v1alpha1.EventRunning, Attempt: 1, Here: true, StartedAt: start, Deadline: start.Add(time.Hour)}}},
		{"package fault", protocol.Result{Fault: &protocol.Fault{Step: protocol.StepPackage, Reason: protocol.PackageNotFound, Message: "404"}}, step("a"),
			plan.Outcome{Phase: plan.PhaseFaulted, Reason: "PackageNotFound", Message: "404"}},
		{"another event runs, beside the metadata", protocol.Result{MetadataGeneration: 4, Fault: &protocol.Fault{Step: protocol.StepEvent, Reason: protocol.Busy, Message: "restart runs"}}, step("a"),
			plan.Outcome{Phase: plan.PhaseRefused, MetadataGeneration: 4, Reason: "Busy", Message: "restart runs"}},
		{"nothing of the event", protocol.Result{}, step("a"),
			plan.Outcome{Phase: plan.PhaseUnreachable, Reason: BadAnswer, Message: "the answer says nothing of event configure"}},
		{"another event", protocol.Result{Event: eventOf(func(e *protocol.EventResult) { e.Name = "re\x00start" })}, step("a"),
			plan.Outcome{Phase: plan.PhaseUnreachable, Reason: BadAnswer, Message: `the answer is about event "restart" instead of configure`}},
		{"an unknown state", protocol.Result{Event: eventOf(func(e *protocol.EventResult) { e.State = "Perhaps" })}, step("a"),
			plan.Outcome{Phase: plan.PhaseUnreachable, Reason: BadAnswer, Message: `the answer has the unknown event state "Perhaps"`}},
		{"an impossible attempt", protocol.Result{Event: eventOf(func(e *protocol.EventResult) { e.Attempt = math.MaxInt32 + 1 })}, step("a"),
			plan.Outcome{Phase: plan.PhaseUnreachable, Reason: BadAnswer, Message: "the answer is about attempt 2147483648"}},
		{"times and codes that the API would refuse", protocol.Result{Event: eventOf(func(e *protocol.EventResult) {
			e.StartedAt, e.ExitCode = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("west", -23*3600)), ptr.To(math.MaxInt)
		})}, step("a"),
			plan.Outcome{Phase: plan.PhaseDone, Event: &plan.EventResult{State: plan.EventSucceeded, Attempt: 1, Here: true, ExitCode: ptr.To[int32](255), FinishedAt: start.Add(time.Minute)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.result.Incarnation = "i"
			got := outcomeOf(&c.step, &protocol.Request{}, &c.result)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOutputTail(t *testing.T) {
	for _, c := range []struct {
		name, stderr, stdout string
		limit                int
		want                 string
	}{
		{"stderr first", "bad\n", "\nok\n", 20, "bad\nok"},
		{"stdout alone", "", "ok", 20, "ok"},
		{"stderr alone", "bad", "", 20, "bad"},
		{"room for the end of stdout", "bad", "0123456789", 8, "bad\n6789"},
		{"room for the end of stderr", "0123456789", "ok", 4, "6789"},
		{"no room", "bad", "ok", 0, ""},
	} {
		if got := outputTail(c.stderr, c.stdout, c.limit); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzOutputTail(f *testing.F) {
	f.Add("é\x00", strings.Repeat("ü", 300), 256)
	f.Add("\xff\xfe", "", 3)
	f.Fuzz(func(t *testing.T, stderr, stdout string, limit int) {
		limit = min(max(limit, 0), maxOutputTail)
		got := outputTail(stderr, stdout, limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("%q of %d bytes, limit %d", got, len(got), limit)
		}
	})
}

func TestEveryScopeMarkAndStateHasItsWord(t *testing.T) {
	for _, once := range []plan.Once{plan.OncePerContainer, plan.OncePerMember, plan.OncePerGeneration} {
		if scopes[once] == "" {
			t.Errorf("scope %s has no word in the protocol", once)
		}
	}
	for _, when := range []plan.ConfiguredWhen{plan.ConfiguredNever, plan.ConfiguredHere, plan.ConfiguredAlways} {
		if marks[when] == "" {
			t.Errorf("%s has no word in the protocol", when)
		}
	}
}
