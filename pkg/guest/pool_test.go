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
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

func TestAStepIsDoneOnceAndTheClusterIsToldOnce(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		s := step("a")
		w.Ensure(cluster(1), s)
		w.expect(t, s, plan.PhaseUnderway, "", 0)
		w.Ensure(cluster(1), s) // under way: nothing
		time.Sleep(time.Minute)
		w.expect(t, s, plan.PhaseDone, "", 1)
		if n := len(w.guests.sent("uid-a")); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
		if n := len(w.told(cluster(1))); n != 1 {
			t.Errorf("the cluster was told %d times, want once", n)
		}
	})
}

func TestARequestSaysAllThatTheStepDoes(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a", func(s *plan.Step) {
			s.KeepsLedger, s.NodeID, s.MetadataGeneration = true, 3, 9
			s.Event.Once, s.Event.Timeout, s.Event.Generation = plan.OncePerMember, 1500*time.Millisecond, 9
			s.Configured = plan.ConfiguredHere
		}))
		time.Sleep(time.Minute)
		want := &protocol.Request{
			ProtocolVersion: protocol.Version, PodUID: "uid-a", ContainerID: "containerd://1",
			Leader:  protocol.Leader{LeaseUID: "lease", Epoch: 7, Request: 1},
			Cluster: protocol.Cluster{UID: "uid-of-cluster", Namespace: "ml", Name: "cluster-1"},
			NodeID:  3, VolumeDir: protocol.MountVolumeState, Metadata: []byte(`{"version":"1"}`), MetadataGeneration: 9,
			Event: &protocol.Event{Name: "configure", Args: []string{"--configure"}, Scope: protocol.ScopeNode, Generation: 9,
				Attempt: 1, TimeoutSeconds: 2, MaxOutputBytes: maxOutputTail},
			MarkConfigured: protocol.MarkHere, FollowSeconds: followSeconds,
		}
		got := w.guests.sent("uid-a")[0]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("a guest refuses the request: %v", err)
		}
	})
}

func TestAskingAgainKeepsTheOutcomeUntilThereIsNews(t *testing.T) {
	inBubble(t, Options{}, runsForever, func(t *testing.T, w *world) {
		s := step("a")
		for try := range 3 {
			w.Ensure(cluster(1), s)
			if try > 0 {
				w.expect(t, s, plan.PhaseRunning, "", try)
			}
			time.Sleep(time.Minute)
			w.expect(t, s, plan.PhaseRunning, "", try+1)
		}
		if outcome, _ := w.Outcome("uid-a"); outcome.Event == nil || outcome.Event.State != "Running" || outcome.Event.StartedAt.IsZero() {
			t.Errorf("event %+v, want one that runs since a time", outcome.Event)
		}
	})
}

func TestTriesCountAnewWhenTheEndingOrTheStepIsAnother(t *testing.T) {
	inBubble(t, Options{}, nil, func(t *testing.T, w *world) {
		cut := func(context.Context, *protocol.Request, func(protocol.Record)) error { return nil }
		for _, c := range []struct {
			attempt int32
			answer  play
			phase   plan.Phase
			reason  string
			tries   int
		}{
			{1, cut, plan.PhaseUnreachable, StreamCut, 1},
			{1, cut, plan.PhaseUnreachable, StreamCut, 2},
			{1, runsForever, plan.PhaseRunning, "", 1},
			{1, cut, plan.PhaseUnreachable, StreamCut, 1},
			{2, cut, plan.PhaseUnreachable, StreamCut, 1},
			{2, succeeds, plan.PhaseDone, "", 1},
		} {
			w.guests.become(c.answer)
			s := step("a", attempt(c.attempt))
			w.Ensure(cluster(1), s)
			time.Sleep(time.Minute)
			w.expect(t, s, c.phase, c.reason, c.tries)
		}
		if n := len(w.told(cluster(1))); n != 6 {
			t.Errorf("the cluster was told %d times of 6 visits", n)
		}
	})
}

func TestANewerStepTakesThePlaceOfOneThatWaits(t *testing.T) {
	inBubble(t, Options{Slots: 1}, succeeds, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("busy"))
		w.Ensure(cluster(1), step("a", attempt(1)))
		w.Ensure(cluster(1), step("a", attempt(2)))
		time.Sleep(time.Minute)
		w.expect(t, step("a", attempt(2)), plan.PhaseDone, "", 1)
		if sent := w.guests.sent("uid-a"); len(sent) != 1 || sent[0].Event.Attempt != 2 {
			t.Errorf("%d requests, want one for attempt 2", len(sent))
		}
	})
}

func TestANewerStepCutsTheStreamOfOneUnderWay(t *testing.T) {
	inBubble(t, Options{}, isSilent, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a", attempt(1)))
		synctest.Wait()
		w.guests.become(succeeds)
		began := time.Now()
		w.Ensure(cluster(1), step("a", attempt(2)))
		w.expect(t, step("a", attempt(2)), plan.PhaseUnderway, "", 0)
		time.Sleep(time.Hour)
		w.expect(t, step("a", attempt(2)), plan.PhaseDone, "", 1)
		if diff := cmp.Diff([]time.Time{began.Add(deliveryTime)}, w.told(cluster(1))); diff != "" {
			t.Errorf("the cluster was told, and only of the newer step (-want +got):\n%s", diff)
		}
	})
}

func TestAStepThatWasReplacedCanBeAskedForAgain(t *testing.T) {
	inBubble(t, Options{}, isSilent, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a", attempt(1)))
		synctest.Wait()
		w.guests.become(succeeds)
		w.Ensure(cluster(1), step("a", attempt(2)))
		w.Ensure(cluster(1), step("a", attempt(1)))
		time.Sleep(time.Minute)
		w.expect(t, step("a", attempt(1)), plan.PhaseDone, "", 1)
	})
}

func TestAnotherContainerIsNotMistakenForTheOneMeant(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		visit := func(s plan.Step) {
			w.Ensure(cluster(1), s)
			time.Sleep(time.Minute)
		}
		visit(step("a"))
		visit(step("a", attempt(2)))
		w.guests.become(func(_ context.Context, request *protocol.Request, emit func(protocol.Record)) error {
			record := result(request, protocol.EventSucceeded)
			record.Incarnation = "another"
			emit(record)
			return nil
		})
		visit(step("a", attempt(3)))
		w.expect(t, step("a", attempt(3)), plan.PhaseRefused, string(protocol.WrongIncarnation), 1)
		w.guests.become(succeeds)
		visit(step("a", attempt(4)))
		visit(step("a", container("containerd://2")))
		visit(step("a", container("containerd://2"), attempt(2)))
		w.expect(t, step("a", container("containerd://2"), attempt(2)), plan.PhaseDone, "", 1)

		var tokens []string
		for _, request := range w.guests.sent("uid-a") {
			tokens = append(tokens, request.Incarnation)
		}
		const first, second = "token-of-containerd://1", "token-of-containerd://2"
		if diff := cmp.Diff([]string{"", first, first, first, "", second}, tokens); diff != "" {
			t.Errorf("incarnations in requests (-want +got):\n%s", diff)
		}
	})
}

func TestAnotherPodsAnswerIsRefused(t *testing.T) {
	answer := func(_ context.Context, request *protocol.Request, emit func(protocol.Record)) error {
		record := result(request, protocol.EventSucceeded)
		record.PodUID = "another"
		emit(record)
		return nil
	}
	inBubble(t, Options{}, answer, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a"))
		time.Sleep(time.Minute)
		w.expect(t, step("a"), plan.PhaseRefused, string(protocol.WrongPod), 1)
	})
}

func TestForgettingAPodEndsItsVisit(t *testing.T) {
	inBubble(t, Options{Slots: 1}, isSilent, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a"))
		w.Ensure(cluster(1), step("b"))
		synctest.Wait()
		w.Forget("uid-a")
		w.Forget("uid-b")
		synctest.Wait()
		if outcomes := w.Outcomes("uid-a", "uid-b"); len(outcomes) != 0 {
			t.Errorf("outcomes of forgotten pods: %v", outcomes)
		}
		if len(w.Pool.guests) != 0 || w.queue.len() != 0 {
			t.Errorf("%d pods and %d queued visits are still known", len(w.Pool.guests), w.queue.len())
		}
		if n := len(w.told(cluster(1))); n != 0 {
			t.Errorf("the cluster was told %d times", n)
		}
	})
}

func TestANewPodTakesThePlaceOfTheOneOfItsName(t *testing.T) {
	inBubble(t, Options{}, isSilent, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a"))
		synctest.Wait()
		w.guests.become(succeeds)
		successor := step("a", func(s *plan.Step) { s.Container.PodUID = "uid-2" })
		w.Ensure(cluster(1), successor)
		time.Sleep(time.Minute)
		w.expect(t, successor, plan.PhaseDone, "", 1)
		if len(w.Pool.guests) != 1 || len(w.newest) != 1 {
			t.Errorf("%d guests of %d pods are known, want the successor", len(w.Pool.guests), len(w.newest))
		}
		w.Forget("uid-2")
		if len(w.Pool.guests) != 0 || len(w.newest) != 0 {
			t.Errorf("%d guests of %d pods are known, want none", len(w.Pool.guests), len(w.newest))
		}
	})
}

func TestAClusterIsForgottenWithAllItsPods(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a"))
		w.Ensure(cluster(2), step("b"))
		time.Sleep(time.Minute)
		w.ForgetCluster(cluster(1))
		if outcomes := w.Outcomes("uid-a", "uid-b"); len(outcomes) != 1 || outcomes["uid-b"].Phase != plan.PhaseDone {
			t.Errorf("outcomes %v, want that of uid-b", outcomes)
		}
	})
}

func TestDrainingStopsAtOnceAndTakesNoMore(t *testing.T) {
	inBubble(t, Options{Slots: 1}, isSilent, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a"))
		w.Ensure(cluster(2), step("b"))
		synctest.Wait()
		began := time.Now()
		if err := w.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("draining took %s", took)
		}
		w.Ensure(cluster(3), step("c"))
		time.Sleep(time.Hour)
		if n := w.guests.count(); n != 1 {
			t.Errorf("%d requests, want only the one before", n)
		}
	})
}

func TestDrainingIsBounded(t *testing.T) {
	deaf := func(context.Context, *protocol.Request, func(protocol.Record)) error {
		time.Sleep(time.Minute) // and does not mind being cut
		return nil
	}
	inBubble(t, Options{}, deaf, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := w.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}
