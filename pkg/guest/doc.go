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

// Package guest is the controller's side of what happens inside containers. A
// visit brings one step of work (plan.Step) to one container by an exec of the
// guest binary, and ends with an outcome (plan.Outcome) that wakes the cluster.
//
// The Pool makes visits. Nothing that calls it ever waits for a container:
//
//	Ensure ──► queue, fair ──► slot ─────────────► stream ────────► outcome ──► queue.Add(cluster)
//	           between         N in all: package,  100 in all:      newest per pod
//	           clusters        exec, until the     follows a young
//	                           script has started  script for 10 s
//
// A slot is what the API server and we have to spend at a time, so it is held
// for moments: until the script has started, the answer is there, or 10 s are
// over. A script that runs longer than it is followed runs on without us; its
// outcome says Running, and the step is asked for again: the guest answers from
// what is on the member's disk. So a hundred scripts that hang cost nobody
// anything. There is one visit per container at a time; a newer step takes the
// place of one that waits, and cuts the stream of one that is under way.
//
// Everything here is a cache of what is on the members' disks. A controller that
// starts with an empty Pool asks again, and no script runs twice for it.
//
// What guests say is untrusted: its size is bounded, its text is cleaned, and an
// answer counts only if it comes from the pod and the container it was asked of.
package guest
