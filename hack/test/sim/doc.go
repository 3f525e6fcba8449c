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

// Package sim is a world in which clusters live: the real controller, from its
// queue to its requests, on an API server in memory; Kubernetes' own controllers
// and kubelets; disks on which the real guest agent keeps its ledgers; users;
// and everything that can go wrong. What happens, and in which order, a random
// walk decides, one step at a time; after every step the invariants are looked at.
//
//	walk ── step ──► users      ── objects ──►  apiserver ◄── kube (StatefulSets, nodes, kubelets)
//	         │                                    ▲   │ watch               │ containers
//	         ├─────► network    ── requests ──────┘   ▼                     ▼
//	         ├─────► replica: informers ► observe ► plan ► execute ► pool ─► guests (real agent, disks)
//	         └─────► faults                                                   │ scripts
//	                                              book ◄──────────────────────┘ judges
//
// A world lives in a bubble of testing/synctest, so that time is its own and the
// same seed lives the same life. A life that breaks an invariant is shortened to
// a trace of steps that reads as a story.
package sim
