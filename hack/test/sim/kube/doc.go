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

// Package kube is Kubernetes around a simulated API server: the StatefulSet
// controller, garbage collection, volumes, the scheduler, the node lifecycle and
// kubelets, as moves that somebody else makes one by one. What each move does is
// taken from Kubernetes 1.36; when it is made is the caller's choice, and so every
// order of things that is possible can be tried, and had again.
//
//	Due()   bind ns/claim, schedule ns/c-worker-0, statefulset ns/c-worker
//	Do("schedule ns/c-worker-0")
//	Due()   bind ns/claim, start ns/c-worker-0, statefulset ns/c-worker
//
// # What a node knows
//
// A kubelet has sandboxes: what it runs, and the disks of that, by pod UID. The
// API server has pods, by name. The two differ, as in life: a kubelet that
// is cut off runs on what has long been deleted, and one whose power is cut does
// not tell that its containers are dead.
//
// # What is left out
//
// Volumes are attached to any number of nodes: a pod that was deleted by force
// while its node was cut off writes to its volume beside its successor. That is
// the risk of which the documentation warns, so it must be possible here.
// Pods of all sets are managed in parallel and updated on deletion. Images are
// there, init containers succeed at once, and probes other than the startup probe succeed.
package kube
