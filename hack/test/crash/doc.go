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

// Package crash has the controller die at each request that changes something,
// in turn, while it makes, enlarges, shrinks and deletes a cluster on real
// kubelets. Another one, which knows nothing, goes on. What is there in the end
// must be what there is after a life in which nobody died.
//
//	life 7, unread:  create ──✗─── up ──✗─── down ──✗─── delete ──✗───
//	                        7th request  7th …
//
// A controller dies before its Nth request is sent, or when it has been sent
// and the answer is not read: either way it does not know which.
//
// The controllers run in this process, wired as the program wires them, each
// serving one namespace with a Lease of its own; so many lives go side by side.
// What dies is the transport: from that moment on nothing is sent any more.
package crash
