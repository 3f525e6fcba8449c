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

// Package leader sees to it that only the leader writes.
//
// Client-go's leader election fences nothing: a leader that is paused longer
// than its Lease and then goes on sends whatever it was about to send, while
// another leads. So every client of the controller has a Gate in its
// transport. It refuses each mutating request, and each exec, unless the Lease
// is held now:
//
//	          renewal sent         answered                        lease over
//	─────────────┼────────────────────┼───────────────────────────────┼─────────► time
//	             ├─ others wait for one lease duration from here on ──┤
//	   refused   │      refused       │            allowed            │  refused
//
// The time a renewal was sent counts, not when its answer was read: a process
// that is paused in between would otherwise believe in a Lease that is long over.
//
// What remains is a request that passes the Gate just before a pause and lands
// after it. Such a request has its preconditions (resourceVersion, UID, a
// name that is taken); an exec carries the leader's Term, and the guest refuses
// a term older than one it has seen.
package leader
