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

// Package observe gathers what a decision about a cluster rests on, from the
// caches of informers and from what the guest pool knows. It decides nothing, and
// what does not exist is nil or missing, never an error.
//
// What it returns is shared with the caches: it may be read and never written to.
//
// Only warning Events are asked for, since nobody should watch all Events of a
// Kubernetes cluster: just those about objects that are visibly stuck, with back-off.
package observe
