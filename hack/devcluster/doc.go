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

// Command devcluster runs a real Kubernetes on one Linux machine, for development and tests: control plane, nodes,
// DNS, service proxy and a default StorageClass, all built from pinned Go modules, without a container registry.
//
// A node is a PID and a mount namespace of its own, whose first process starts containerd and kubelet. When that
// process is killed, the kernel ends everything in it, mounts included: a node can be lost like a machine that loses
// its power, and nothing of it can be left behind. The nodes share the machine's network namespace.
//
// Which processes belong to the devcluster is written in their environment (see process.go), not in pid files, which
// lie after a reboot.
package main
