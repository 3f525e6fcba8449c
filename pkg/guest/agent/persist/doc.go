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

// Package persist copies directories of an image onto a member's volume, so
// that the volume can be mounted over them.
//
// On the volume a directory lies under its own path: /var/lib under var/lib,
// which is the subPath it is mounted by. Each is copied once in the life of
// the volume. A journal makes that hold across crashes:
//
//	journal says   on the volume            after a crash
//	nothing        perhaps a partial copy   the copy is begun anew
//	"copied"       a whole copy, there or   the copy is moved, if it was not
//	               already in its place
//	"done"         the application's files  nothing is done
//
// Nothing that is in its place is ever overwritten or removed.
//
// A copy never crosses a mount point: what the kubelet mounts into a
// container, as hosts, resolv.conf and tokens, belongs to one pod. Sockets
// are left out; everything else keeps its owner, mode, times, links, extended
// attributes with file capabilities, and holes.
package persist
