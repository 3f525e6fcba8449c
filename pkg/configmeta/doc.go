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

// Package configmeta builds the metadata document that a config package reads
// on each member, as JSON: which roles the cluster has, their members and
// services, and which of them this member is.
//
// The format is a contract with packages that exist already, so its key names
// and nesting are as they are. A list that several places show is written
// once, under nodegroups; elsewhere stands a reference to it:
// {"bdvlibrefkey": ["nodegroups", "1", "roles", "worker", "fqdns"]}, the keys
// that lead there from the top. Every reference resolves. There is one node
// group, and its id is "1".
//
// All members of a cluster share the whole document but its "node" section.
// Build makes the shared part once; ForMember adds a member's own.
package configmeta
