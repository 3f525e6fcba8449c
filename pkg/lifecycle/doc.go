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

// Package lifecycle holds the two state machines of KubeDirector, of a cluster
// and of a member, as tables.
//
// A machine is level-triggered: its events are not messages but predicates of a
// bounded observation, most urgent first, and nothing is stored but the state.
// One step takes the first event that holds and has a row. Every pair of a state
// and an event is decided exactly once: by a row, by being ignored for a written
// reason, or by being impossible.
//
// TargetCluster and TargetMember specify the same without history. The tests
// prove, over all combinations of the facts and from every recorded state, that
// the machines settle at what these say and that no row can be spared: nothing
// that has happened wedges a cluster.
//
// docs/lifecycle.md and the diagrams beside it are printed from the tables:
//
//	go test ./pkg/lifecycle -update
package lifecycle
