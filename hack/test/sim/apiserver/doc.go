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

// Package apiserver is an API server in memory, for the kinds that KubeDirector
// uses. To its clients it is a real one: what it answers, what it stores and what
// watches tell is compared with a real API server (conformance_test.go).
//
//	clientset ── HTTP ──► RoundTrip ──┐
//	                                  ├─► create, update, delete ──► store ──► log ──► Since, watches
//	simulation ─ Get, Create, … ──────┘        │
//	                                           └──► OnRequest
//
// Objects are stored as what they are in Go, are shared, and never changed: a
// write stores another. UIDs, addresses and versions are counted, so that the same
// requests give the same world. The server starts nothing of its own: what
// controllers and kubelets do is for others to do.
//
// Left out, because nobody here asks for it: validation other than of metadata
// and of what can't be changed, the CRDs' rules, server-side apply, dry runs, pages
// of lists, generated names, and rights. A namespace need not exist for something
// to be created in it, and owners are collected by others, as are deleted pods. Of
// objects of custom kinds a real server keeps the JSON, so that it tells a field
// that is absent from one that is false; here the two are the same.
package apiserver
