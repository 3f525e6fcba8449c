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

// Package plan decides what to do about one cluster. Observed goes in, Plan
// comes out; there is no clock, no I/O and no client in between, so the rules
// below are tested in microseconds and a plan reads as text.
//
// # Record before you act
//
// What cannot be recomputed is written to status before anything rests on it:
// node IDs, the pinned app revision, the metadata generation, attempts beyond the first.
//
//	pass   1          2             3                    4 …
//	       finalizer  record roster create objects       visit members
//	       ─────────  ───────────── ───────────────────  ─────────────
//	crash  again      again         names are derived:   the guest keeps what ran:
//	                                found, not doubled   asked again, not run again
//
// # A member's container decides
//
// A member is configured in one container. status.members[].incarnation is the
// container worked on, metadataGeneration > 0 says that the member was configured once.
//
//	container A runs      A dies        B runs           B is set up
//	─────────────────────┬─────────────┬────────────────┬──────────
//	ready (incarnation A) lost          configuring (B)  ready (B)
//
// Without a volume B is configured from scratch. With one, --configure was done
// in A and its result stands; B is told by restart, if its package wants to be.
//
// # The pin
//
// Until the cluster was first ready the pinned spec follows the app, and pods of
// an older template are made anew. From then on the pin holds: an edited or
// deleted app changes nothing but the condition AppOutdated.
//
// # Members come and go
//
// The roster holds who is wanted and who leaves; its order is that of the ordinals.
// Who is to be told is recorded together with it, as numbered pending events:
//
//	join    roster, metadata@2, addnodes #1 open │ peers hold metadata@2 │ the new are configured │ #1 closed │ #1 on each peer
//	leave   roster, metadata@3, delnodes #2, decommission #3 │ #2 on each peer, #3 on who leaves │ replicas, Service, volume
//
// An event's number and the member's node ID identify the script, so that whoever
// asks again, after a crash or with a rebuilt status, gets the result and no second run.
//
// # Pods that are left on purpose
//
// status.members[].retired names the pod that its member leaves behind: for a
// suspension, for a newer template, for another member in its place, or for good.
// It is on record before the pod is touched. So a member whose pod goes on purpose
// is not taken for lost, and whoever finds the pod later knows what to do with it.
//
// # Attempts
//
//	attempt 1 fails   status records it   delay + jitter   status records attempt 2   attempt 2 runs
//
// The number of an attempt is part of its identity on the member's disk; since
// it is on record first, no crash runs an attempt under a number that has run.
package plan
