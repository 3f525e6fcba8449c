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
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

// timeToDone is how long a new cluster's step takes.
func (w *world) timeToDone(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	newcomer := cluster(1000)
	w.Ensure(newcomer, step("newcomer"))
	time.Sleep(time.Hour)
	w.expect(t, step("newcomer"), plan.PhaseDone, "", 1)
	return w.told(newcomer)[0].Sub(began)
}

func TestAHundredHangingScriptsAndAPoolOfFourDelayNobody(t *testing.T) {
	for _, c := range []struct {
		name      string
		clusterOf func(int) int
	}{
		{"of a hundred clusters", func(i int) int { return i }},
		{"of one cluster", func(int) int { return 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, Options{Slots: 4}, runsForever, func(t *testing.T, w *world) {
				for i := range 100 {
					w.Ensure(cluster(c.clusterOf(i)), step(fmt.Sprintf("hang-%d", i)))
				}
				time.Sleep(100 / 4 * deliveryTime)
				synctest.Wait()
				if n := w.guests.count(); n != 100 {
					t.Fatalf("%d scripts have been started after %s, want all", n, 100/4*deliveryTime)
				}
				w.guests.become(succeeds)
				if took := w.timeToDone(t); took != deliveryTime {
					t.Errorf("while a hundred scripts hang, a new cluster's step took %s, want %s", took, deliveryTime)
				}
			})
		})
	}
}

func TestAClusterWithManyMembersDoesNotHoldUpAnother(t *testing.T) {
	inBubble(t, Options{Slots: 4}, succeeds, func(t *testing.T, w *world) {
		for i := range 1000 {
			w.Ensure(cluster(1), step(fmt.Sprintf("member-%d", i)))
		}
		if took := w.timeToDone(t); took > 2*deliveryTime {
			t.Errorf("behind a thousand members of another cluster a step took %s", took)
		}
		if w.guests.most != 4 {
			t.Errorf("%d visits were delivered at a time, want 4", w.guests.most)
		}
	})
}

func TestSilentNodesDelayOthersForMomentsOnly(t *testing.T) {
	inBubble(t, Options{Slots: 4}, isSilent, func(t *testing.T, w *world) {
		for i := range 4 {
			w.Ensure(cluster(i), step(fmt.Sprintf("silent-%d", i)))
		}
		synctest.Wait()
		w.guests.become(succeeds)
		if took := w.timeToDone(t); took > slotTime+deliveryTime {
			t.Errorf("behind four silent nodes a step took %s", took)
		}
		for i := range 4 {
			w.expect(t, step(fmt.Sprintf("silent-%d", i)), plan.PhaseUnreachable, NoAnswer, 1)
		}
	})
}

func TestWithoutAFreeStreamAScriptIsStartedAndNotFollowed(t *testing.T) {
	inBubble(t, Options{Slots: 4, Streams: 1}, runsForever, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("followed"))
		synctest.Wait()
		w.Ensure(cluster(2), step("not-followed"))
		time.Sleep(2 * deliveryTime)
		w.expect(t, step("not-followed"), plan.PhaseRunning, "", 1)
		w.expect(t, step("followed"), plan.PhaseUnderway, "", 0)
		time.Sleep(followSeconds * time.Second)
		w.expect(t, step("followed"), plan.PhaseRunning, "", 1)
	})
}

func TestWithoutAFreeStreamASilentNodeIsGivenUpSoon(t *testing.T) {
	inBubble(t, Options{Slots: 4, Streams: 1}, isSilent, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a"))
		synctest.Wait()
		w.Ensure(cluster(2), step("b"))
		time.Sleep(slotTime + time.Second)
		w.expect(t, step("b"), plan.PhaseUnreachable, NoAnswer, 1)
	})
}

func TestClustersTakeTurns(t *testing.T) {
	q := newFairQueue()
	for _, pod := range []types.UID{"a1", "a2", "a3"} {
		q.push(cluster(1), pod)
	}
	q.push(cluster(2), "b1")
	q.push(cluster(3), "c1")
	q.push(cluster(3), "c2")
	q.remove(cluster(2), "b1")
	q.remove(cluster(2), "b1")
	var got []types.UID
	for q.len() > 0 {
		pod, ok := q.pop()
		if !ok {
			t.Fatalf("nothing to take from a queue of %d", q.len())
		}
		got = append(got, pod)
	}
	if diff := cmp.Diff([]types.UID{"a1", "c1", "a2", "c2", "a3"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if pod, ok := q.pop(); ok {
		t.Errorf("an empty queue gave %q", pod)
	}
}
