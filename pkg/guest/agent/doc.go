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

// Package agent is the work of kdguest inside an application container.
//
// Apply answers one request of the controller: it checks that this is the
// container that is meant, puts the metadata document and the package in
// place, runs an event of the application's startscript once, and marks the
// container configured. Everything it does is recorded on disk before it is
// told, so a request may be repeated at any time by anyone.
//
//	controller ── exec ──► Apply ──┬─► metadata   /etc/guestconfig
//	                               ├─► package    /opt/guestconfig
//	                               └─► ledger     /var/lib/kubedirector
//	                                      │ starts, detached
//	                                      ▼
//	                                  Supervise ──► startscript
//
// What an event's script did is in the ledger alone. A ledger lives as long
// as the pod; the successes that count for the whole life of a member are
// copied to the member's volume.
//
// The contents of emptyDir volumes survive the container that wrote them, so
// whatever belongs to one container carries a stamp with its incarnation and
// counts for no other.
//
// All paths are below Agent.Root, which is "/" in a container and any
// directory in a test.
package agent
