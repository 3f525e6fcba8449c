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
	"slices"
	"testing"
)

func TestEveryPairIsDecidedOnce(t *testing.T) {
	t.Run("cluster", func(t *testing.T) { everyPairIsDecidedOnce(t, &clusterMachine) })
	t.Run("member", func(t *testing.T) { everyPairIsDecidedOnce(t, &memberMachine) })
}

func everyPairIsDecidedOnce[S ~string, F any](t *testing.T, m *Machine[S, F]) {
	type pair struct {
		in S
		on EventName
	}
	decided := map[pair]int{}
	for _, row := range m.Rows {
		decided[pair{row.From, row.On}]++
		if row.To == row.From || row.Then == "" {
			t.Errorf("row %v: leads nowhere, or does nothing", row)
		}
	}
	for _, ignored := range m.Ignored {
		if ignored.Because == "" {
			t.Errorf("ignored %v: no reason", ignored)
		}
		for _, in := range ignored.In {
			for _, on := range ignored.On {
				decided[pair{in, on}]++
			}
		}
	}
	for _, impossible := range m.Impossible {
		for _, in := range impossible.In {
			for _, on := range impossible.On {
				decided[pair{in, on}]++
			}
		}
	}
	for _, state := range m.States {
		for _, event := range m.Events {
			want := 1
			if state.Name == m.final() {
				want = 0
			}
			if got := decided[pair{state.Name, event.Name}]; got != want {
				t.Errorf("(%q, %q) is decided %d times, want %d", state.Name, event.Name, got, want)
			}
			delete(decided, pair{state.Name, event.Name})
		}
	}
	for unknown := range decided {
		t.Errorf("(%q, %q) is decided, but is no pair of a state and an event", unknown.in, unknown.on)
	}
}

func TestEveryStateIsReachedAndLeft(t *testing.T) {
	t.Run("cluster", func(t *testing.T) { everyStateIsReachedAndLeft(t, &clusterMachine) })
	t.Run("member", func(t *testing.T) { everyStateIsReachedAndLeft(t, &memberMachine) })
}

func everyStateIsReachedAndLeft[S ~string, F any](t *testing.T, m *Machine[S, F]) {
	for _, state := range m.States {
		if !m.leads(m.first(), state.Name) {
			t.Errorf("no rows lead from %q to %q", m.first(), state.Name)
		}
		if !m.leads(state.Name, m.final()) {
			t.Errorf("no rows lead from %q to %q", state.Name, m.final())
		}
	}
}

// leads is true when rows lead from one state to another.
func (m *Machine[S, F]) leads(from, to S) bool {
	reached := []S{from}
	for i := 0; i < len(reached); i++ {
		for _, row := range m.Rows {
			if row.From == reached[i] && !slices.Contains(reached, row.To) {
				reached = append(reached, row.To)
			}
		}
	}
	return slices.Contains(reached, to)
}
