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

// Package guests is the inside of simulated application containers: their
// disks, and the real guest agent at work on them. Only the processes are not
// real. A request, and the supervisor of a script, is a goroutine, and a
// script is something that runs until somebody ends it.
//
//	Apply ──► agent.Apply ── Spawn ──► agent.SuperviseScript ──► Script ◄── End, Killed, its deadline
//	             │                          │
//	             └────────── disks ─────────┘
//
// The disks are directories, which live as long as what they stand for:
//
//	containers/<n>   a container's root file system, with links to
//	pods/<uid>       emptyDirs: ledger, metadata, package
//	claims/<uid>     the member's own ledger on its volume
//
// Time is that of package time, so all of it can live in a bubble of
// testing/synctest, where it comes to rest when nothing happens. Whoever moves
// the containers does so from one goroutine, while all others rest.
package guests
