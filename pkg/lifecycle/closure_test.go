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

package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// world is what a machine is proved in: every observation there can be, and the specification.
type world[S ~string, F comparable] struct {
	facts []F
	// bound is the number of steps after which the machine must have settled.
	bound int
	// possible excludes facts that contradict the state so that no answer is right.
	possible func(S, F) bool
	// consistent further excludes facts that contradict the state or each other; they settle, too.
	consistent func(S, F) bool
	// enter is what the caller records with a state, as it shows in the facts.
	enter func(S, F) F
	// settled is the specification: the facts may rest in the state, which was reached from another.
	settled func(from, at S, f F) bool
}

var clusterWorld = world[v1alpha1.ClusterState, ClusterFacts]{
	facts: allClusterFacts(),
	bound: 3,
	// A state other than the empty one is recorded together with the members.
	possible: func(from v1alpha1.ClusterState, f ClusterFacts) bool {
		return f.Valid || from == v1alpha1.ClusterNew || f.Deleting
	},
	consistent: func(from v1alpha1.ClusterState, f ClusterFacts) bool {
		if !f.Valid && (f.EverReady || f.Lost || f.changing() || f.Working) {
			return false // there are no members to say it of
		}
		return f.EverReady || from != v1alpha1.ClusterResizing
	},
	enter: func(to v1alpha1.ClusterState, f ClusterFacts) ClusterFacts {
		f.EverReady = f.EverReady || to == v1alpha1.ClusterReady
		return f
	},
	settled: func(_, at v1alpha1.ClusterState, f ClusterFacts) bool { return at == TargetCluster(f) },
}

var memberWorld = world[v1alpha1.MemberState, MemberFacts]{
	facts:    allMemberFacts(),
	bound:    3,
	possible: func(v1alpha1.MemberState, MemberFacts) bool { return true },
	consistent: func(_ v1alpha1.MemberState, f MemberFacts) bool {
		return (!f.Replaced || f.Container == ContainerRunning) && (!f.ObjectsGone || f.Container == ContainerNone)
	},
	enter: func(to v1alpha1.MemberState, f MemberFacts) MemberFacts {
		f.Configured = f.Configured || to == v1alpha1.MemberReady
		f.Replaced = f.Replaced && to != v1alpha1.MemberConfiguring
		return f
	},
	settled: func(from, at v1alpha1.MemberState, f MemberFacts) bool {
		if from == v1alpha1.MemberDeleting {
			f.Wanted, f.FarewellSaid = false, true
		}
		if f.Wanted && f.Container == ContainerRunning && f.Replaced {
			return false // the container that runs is not on record
		}
		return at == TargetMember(f)
	},
}

func allClusterFacts() (all []ClusterFacts) {
	for i := range 1 << 7 {
		bit := func(n int) bool { return i>>n&1 == 1 }
		all = append(all, ClusterFacts{
			Valid: bit(0), Deleting: bit(1), EverReady: bit(2), Lost: bit(3), NotRunning: bit(4), Unsettled: bit(5), Working: bit(6),
		})
	}
	return all
}

func allMemberFacts() (all []MemberFacts) {
	for i := range 1 << 5 {
		bit := func(n int) bool { return i>>n&1 == 1 }
		for _, container := range []Container{ContainerNone, ContainerStarting, ContainerRunning} {
			for _, setup := range []Setup{SetupOutstanding, SetupSucceeded, SetupFailed} {
				all = append(all, MemberFacts{
					Wanted: bit(0), Configured: bit(1), Replaced: bit(2), FarewellSaid: bit(3), ObjectsGone: bit(4),
					Container: container, Setup: setup,
				})
			}
		}
	}
	return all
}

// settle steps the machine until it rests, and gives up one step beyond the bound.
func (w *world[S, F]) settle(m *Machine[S, F], from S, f F) (at S, after F, steps int, impossible error) {
	at = from
	for steps <= w.bound {
		to, err := m.Step(at, f)
		impossible = errors.Join(impossible, err)
		if to == at {
			break
		}
		at, f, steps = to, w.enter(to, f), steps+1
	}
	return at, f, steps, impossible
}

// violation is the first state and facts from which the machine does not settle
// as specified, or meets an impossible event; and the most steps it took.
func (w *world[S, F]) violation(m *Machine[S, F]) (most int, err error) {
	for _, state := range m.States {
		from := state.Name
		for _, f := range w.facts {
			if !w.possible(from, f) {
				continue
			}
			at, after, steps, impossible := w.settle(m, from, f)
			most = max(most, steps)
			switch {
			case steps > w.bound:
				return most, fmt.Errorf("from %q with %+v: not settled after %d steps", from, f, w.bound)
			case from == m.final() && at == from:
				continue
			case !w.settled(from, at, after):
				return most, fmt.Errorf("from %q with %+v: settles at %q", from, f, at)
			case impossible != nil && w.consistent(from, f):
				return most, fmt.Errorf("from %q with %+v: %w", from, f, impossible)
			}
		}
	}
	return most, nil
}

func TestSettlesAsSpecifiedFromEveryState(t *testing.T) {
	t.Run("cluster", func(t *testing.T) { settlesAsSpecified(t, &clusterMachine, &clusterWorld) })
	t.Run("member", func(t *testing.T) { settlesAsSpecified(t, &memberMachine, &memberWorld) })
}

func settlesAsSpecified[S ~string, F comparable](t *testing.T, m *Machine[S, F], w *world[S, F]) {
	most, err := w.violation(m)
	if err != nil {
		t.Fatal(err)
	}
	if most != w.bound {
		t.Errorf("settles within %d steps, the bound says %d", most, w.bound)
	}
}

func TestNoRowCanBeSpared(t *testing.T) {
	t.Run("cluster", func(t *testing.T) { noRowCanBeSpared(t, &clusterMachine, &clusterWorld) })
	t.Run("member", func(t *testing.T) { noRowCanBeSpared(t, &memberMachine, &memberWorld) })
}

func noRowCanBeSpared[S ~string, F comparable](t *testing.T, m *Machine[S, F], w *world[S, F]) {
	for i, row := range m.Rows {
		without := *m
		without.Rows = slices.Delete(slices.Clone(m.Rows), i, i+1)
		if _, err := w.violation(&without); err == nil {
			t.Errorf("without its row (%q, %q) the machine still settles as specified", row.From, row.On)
		}
	}
}

// An event that is ignored does occur, or its reason would be idle words; one that is impossible does not.
func TestIgnoredEventsOccurAndImpossibleOnesDoNot(t *testing.T) {
	t.Run("cluster", func(t *testing.T) { ignoredOccurImpossibleDoNot(t, &clusterMachine, &clusterWorld) })
	t.Run("member", func(t *testing.T) { ignoredOccurImpossibleDoNot(t, &memberMachine, &memberWorld) })
}

func ignoredOccurImpossibleDoNot[S ~string, F comparable](t *testing.T, m *Machine[S, F], w *world[S, F]) {
	check := func(in []S, on []EventName, want bool) {
		for _, state := range in {
			for _, event := range on {
				if got := w.occurs(m, state, event); got != want {
					t.Errorf("(%q, %q) occurs: %t, want %t", state, event, got, want)
				}
			}
		}
	}
	for _, ignored := range m.Ignored {
		check(ignored.In, ignored.On, true)
	}
	for _, impossible := range m.Impossible {
		check(impossible.In, impossible.On, false)
	}
}

// occurs is true when consistent facts make the event hold in the state, and no row of a more urgent one is taken.
func (w *world[S, F]) occurs(m *Machine[S, F], in S, on EventName) bool {
	return slices.ContainsFunc(w.facts, func(f F) bool {
		if !w.possible(in, f) || !w.consistent(in, f) {
			return false
		}
		for _, event := range m.Events {
			if !event.Holds(f) {
				continue
			}
			if event.Name == on {
				return true
			}
			if m.row(in, event.Name) != nil {
				return false
			}
		}
		return false
	})
}

func TestLossOfConfiguredContainerIsShownFirst(t *testing.T) {
	shown := 0
	for _, f := range allMemberFacts() {
		if !f.Wanted || !f.Configured || !f.containerLost() {
			continue
		}
		for _, from := range []v1alpha1.MemberState{v1alpha1.MemberConfiguring, v1alpha1.MemberReady, v1alpha1.MemberError} {
			if to, _, _ := StepMember(from, f); to != v1alpha1.MemberLost {
				t.Errorf("from %q with %+v: steps to %q, want %q", from, f, to, v1alpha1.MemberLost)
			}
			shown++
		}
	}
	if shown == 0 {
		t.Error("no facts tell of a loss")
	}
}

func TestImpossibleEventIsReportedAndPassedOver(t *testing.T) {
	to, err := StepCluster(v1alpha1.ClusterResizing, ClusterFacts{Valid: true, NotRunning: true})
	if to != v1alpha1.ClusterConfiguring {
		t.Errorf("steps to %q, want %q", to, v1alpha1.ClusterConfiguring)
	}
	var impossible *ImpossibleError
	if !errors.As(err, &impossible) || impossible.Event != firstStartPending || !strings.Contains(err.Error(), "first start pending") {
		t.Errorf("got error %v, want an ImpossibleError for %q", err, firstStartPending)
	}
}
