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

package guests

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluek8s/kubedirector/pkg/guest"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

var _ guest.Executor = &Guests{}

func TestConfigureRunsOnce(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		answer := f.send(f.Context(), f.request())
		s := f.one()
		if s.Event != "configure" || s.Pod != "c-worker-0" || s.ContainerID != "containerd://1" || s.NodeID != 1 || s.Cluster != "cluster-1" || len(s.Args) != 1 {
			f.Errorf("script %+v", s)
		}
		if string(s.Metadata) != `{"version":"1"}` || s.MetadataGeneration != 3 || generation(f) != 3 {
			f.Errorf("metadata %s of generation %d", s.Metadata, s.MetadataGeneration)
		}
		if s.Deadline.Sub(s.StartedAt) != time.Minute || !s.StartedAt.Equal(time.Now()) {
			f.Errorf("from %s to %s, it is %s", s.StartedAt, s.Deadline, time.Now())
		}
		if f.Configured("pod-1") {
			f.Error("configured while the script runs")
		}
		if !f.End(s.Number, 0) || f.End(s.Number, 0) || f.Killed(s.Number) {
			f.Error("a script ends once")
		}
		if !f.Configured("pod-1") {
			f.Error("not configured when the supervisor has recorded the success")
		}
		r := <-answer
		f.wantEvent(r.Result, protocol.EventSucceeded, 1)
		f.wantEvent(f.ask(f.request()), protocol.EventSucceeded, 1)
		f.wantScripts(1)
	})
}

func TestScriptOutlivesWhoAsked(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		asking, crash := context.WithCancel(f.Context())
		answer := f.send(asking, f.request())
		crash()
		if r := <-answer; !errors.Is(r.err, context.Canceled) {
			f.Errorf("answer %+v", r)
		}
		f.wantEvent(f.ask(f.request()), protocol.EventRunning, 1)
		f.End(f.one().Number, 7)
		r := f.ask(f.request())
		f.wantEvent(r, protocol.EventFailed, 1)
		if *r.Event.ExitCode != 7 || f.Configured("pod-1") {
			f.Errorf("exit code %d, configured %t", *r.Event.ExitCode, f.Configured("pod-1"))
		}
		f.wantScripts(1)
	})
}

func TestContainerRestart(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		f.send(f.Context(), f.request())
		f.End(f.one().Number, 0)
		f.ContainerEnds("pod-1")
		if f.Configured("pod-1") {
			f.Error("a container that has ended is configured")
		}
		f.startContainer("")
		if f.Configured("pod-1") || generation(f) != 0 {
			f.Error("what an earlier container left counts")
		}
		f.send(f.Context(), f.request())
		if s := f.one(); s.Number != 2 || s.ContainerID != "containerd://2" {
			f.Errorf("script %d in %s", s.Number, s.ContainerID)
		}
	})
}

func TestPodReplacedOnItsClaim(t *testing.T) {
	inBubble(t, "claim-1", func(f *fixture) {
		f.send(f.Context(), f.request())
		f.End(f.one().Number, 0)
		f.PodGone("pod-1")
		f.startPod("pod-2", "claim-1")
		r := f.ask(f.request())
		f.wantEvent(r, protocol.EventSucceeded, 1)
		if !strings.HasPrefix(r.Event.Incarnation, "pod-1.") || !f.Configured("pod-2") {
			f.Errorf("succeeded in %s, configured %t", r.Event.Incarnation, f.Configured("pod-2"))
		}
		f.wantScripts(1)

		f.PodGone("pod-2")
		f.ClaimGone("claim-1")
		f.startPod("pod-3", "claim-1")
		f.wantEvent(f.ask(f.request()), protocol.EventRunning, 1)
		f.wantScripts(2)
	})
}

func TestKilledSupervisorIsALostAttempt(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		answer := f.send(f.Context(), f.request())
		f.Killed(f.one().Number)
		r := <-answer
		f.wantEvent(r.Result, protocol.EventLost, 1)
		second := f.request()
		second.Event.Attempt = 2
		f.wantEvent(f.ask(second), protocol.EventRunning, 2)
		if s := f.one(); s.Attempt != 2 || len(f.ended) != 1 || !f.ended[0].Killed {
			f.Errorf("attempt %d runs after %+v", s.Attempt, f.ended)
		}
	})
}

func TestDeadline(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		f.wantEvent(f.ask(f.request()), protocol.EventRunning, 1)
		s := f.one()
		f.after(time.Until(s.Deadline) - time.Nanosecond)
		f.one()
		f.after(time.Nanosecond)
		if !s.Ended || !s.TimedOut || !s.EndedAt.Equal(s.Deadline) || len(f.ended) != 1 || len(f.Running()) != 0 {
			f.Errorf("at its deadline: %+v", s)
		}
		f.wantEvent(f.ask(f.request()), protocol.EventTimedOut, 1)
	})
}

func TestAnotherPodIsRefused(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		request := f.request()
		f.PodGone("pod-1")
		if r := <-f.send(f.Context(), request); !apierrors.IsNotFound(r.err) {
			f.Errorf("no pod: %v", r.err)
		}
		f.startPod("pod-2", "")
		if r := f.ask(request); r.Refusal == nil || r.Refusal.Reason != protocol.WrongPod {
			f.Errorf("another pod: %+v", r)
		}
		f.ContainerEnds("pod-2")
		if r := <-f.send(f.Context(), request); r.err == nil || !strings.Contains(r.err.Error(), "container not found") {
			f.Errorf("no container: %v", r.err)
		}
	})
}

func TestRequestDiesWithItsContainer(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		answer := f.send(f.Context(), f.request())
		s := f.one()
		f.ContainerEnds("pod-1")
		if !s.Killed || !s.Ended || len(f.ended) != 1 {
			f.Errorf("script %+v", s)
		}
		if r := <-answer; r.err == nil || r.err.Error() != errKilled.Error() {
			f.Errorf("answer %+v", r)
		}
	})
}

func TestRequestsWaitForEachOther(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		one := f.send(f.Context(), f.request())
		other := f.send(f.Context(), f.request())
		f.End(f.one().Number, 0)
		for _, answer := range []<-chan result{one, other} {
			r := <-answer
			f.wantEvent(r.Result, protocol.EventSucceeded, 1)
		}
		f.wantScripts(1)
	})
}

// An exec in a pod that no longer is the newest of its name is out of reach,
// but what it started goes on.
func TestTwoPodsOfOneName(t *testing.T) {
	inBubble(t, "claim-1", func(f *fixture) {
		f.send(f.Context(), f.request())
		f.startPod("pod-2", "claim-1")
		f.send(f.Context(), f.request())
		running := f.Running()
		if len(running) != 2 || running[0].PodUID != "pod-1" || running[1].PodUID != "pod-2" {
			f.Fatalf("%d scripts run", len(running))
		}
		f.End(running[0].Number, 0)
		synctest.Wait()
		if !f.Configured("pod-1") || f.Configured("pod-2") {
			f.Errorf("configured: %t, %t", f.Configured("pod-1"), f.Configured("pod-2"))
		}
	})
}

// Waiting is cheap: a day takes no longer than a test may.
func TestScriptRunsForADay(t *testing.T) {
	inBubble(t, "", func(f *fixture) {
		request := f.request()
		request.Event.TimeoutSeconds = 24 * 60 * 60
		f.send(f.Context(), request)
		f.after(24*time.Hour - time.Second)
		f.End(f.one().Number, 0)
		f.wantEvent(f.ask(request), protocol.EventSucceeded, 1)
	})
}

// generation is that of the metadata in pod-1.
func generation(f *fixture) int64 {
	_, generation := f.Metadata("pod-1")
	return generation
}
