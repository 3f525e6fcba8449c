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

import "sync/atomic"

// Pair is an event that holds in a state of a machine.
type Pair struct {
	Machine, State string
	Event          EventName
}

// meter is told of the pairs that are met; nil: nobody counts.
var meter atomic.Pointer[func(Pair)]

// Meter has every pair told that a machine meets from now on, for tests that
// measure how much of the tables they reach. A nil function ends that.
func Meter(tell func(Pair)) {
	if tell == nil {
		meter.Store(nil)
		return
	}
	meter.Store(&tell)
}

// Pairs are those that the tables of both machines have a row for, and those that they ignore.
func Pairs() (rows, ignored []Pair) {
	for _, pairs := range []func() ([]Pair, []Pair){clusterMachine.pairs, memberMachine.pairs} {
		r, i := pairs()
		rows, ignored = append(rows, r...), append(ignored, i...)
	}
	return rows, ignored
}

func (m *Machine[S, F]) pairs() (rows, ignored []Pair) {
	for _, row := range m.Rows {
		rows = append(rows, Pair{m.Name, string(row.From), row.On})
	}
	for _, i := range m.Ignored {
		for _, state := range i.In {
			for _, event := range i.On {
				ignored = append(ignored, Pair{m.Name, string(state), event})
			}
		}
	}
	return rows, ignored
}

// met tells whoever counts of an event that holds.
func (m *Machine[S, F]) met(state S, event EventName) {
	if tell := meter.Load(); tell != nil {
		(*tell)(Pair{m.Name, string(state), event})
	}
}
