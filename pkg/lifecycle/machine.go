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
	"fmt"
	"slices"
)

// Machine is a state machine as a table. S is the type of its states, F the
// observation from which its events are derived.
type Machine[S ~string, F any] struct {
	Name string
	// States are all states, the first one first. Nothing leads out of the last one.
	States []State[S]
	// Events are all events, most urgent first.
	Events     []Event[F]
	Rows       []Row[S]
	Ignored    []Ignored[S]
	Impossible []Impossible[S]
}

// State is a state and what it means.
type State[S ~string] struct {
	Name  S
	Means string
}

// Event is a fact that may make a machine step.
type Event[F any] struct {
	Name EventName
	// Means ends the sentence "it holds when …".
	Means string
	Holds func(F) bool
}

// EventName names an event of a machine.
type EventName string

// Row is a step: in state From, when On holds, go To and do Then.
type Row[S ~string] struct {
	From S
	On   EventName
	To   S
	Then string
}

// Ignored are events that occur in each of the states and change nothing, and why.
type Ignored[S ~string] struct {
	In      []S
	On      []EventName
	Because string
}

// Impossible are events that a consistent observation never meets in any of the
// states: they contradict it, or a more urgent event always comes first.
type Impossible[S ~string] struct {
	In []S
	On []EventName
}

// ImpossibleError says that an event was met in a state where it cannot occur: a
// fault of the controller, or of whoever else wrote the status.
type ImpossibleError struct {
	Machine, State string
	Event          EventName
}

func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("the %s's state %q contradicts what is observed: %q cannot occur in it; the controller goes on by the other facts", e.Machine, e.State, e.Event)
}

// Step takes the first event that holds and has a row in the state, if any. An
// impossible event is passed over like an ignored one and reported beside the
// result, so that a contradiction is noticed and wedges nothing.
func (m *Machine[S, F]) Step(from S, facts F) (S, error) {
	var impossible error
	for _, event := range m.Events {
		if !event.Holds(facts) {
			continue
		}
		m.met(from, event.Name)
		if row := m.row(from, event.Name); row != nil {
			return row.To, impossible
		}
		if impossible == nil && m.isImpossible(from, event.Name) {
			impossible = &ImpossibleError{Machine: m.Name, State: string(from), Event: event.Name}
		}
	}
	return from, impossible
}

func (m *Machine[S, F]) first() S { return m.States[0].Name }

func (m *Machine[S, F]) final() S { return m.States[len(m.States)-1].Name }

func (m *Machine[S, F]) row(from S, on EventName) *Row[S] {
	for i := range m.Rows {
		if m.Rows[i].From == from && m.Rows[i].On == on {
			return &m.Rows[i]
		}
	}
	return nil
}

func (m *Machine[S, F]) isImpossible(in S, on EventName) bool {
	return slices.ContainsFunc(m.Impossible, func(i Impossible[S]) bool {
		return slices.Contains(i.In, in) && slices.Contains(i.On, on)
	})
}
