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

// Package resources builds the objects of a cluster and says how one that
// exists differs from one that is wanted. It is pure: the same input gives the
// same object, byte for byte, in every process.
//
// Only what is built here is owned. Drift names an owned field that differs, and
// a Patch sets just those; labels, annotations and defaults of others stay.
//
// A StatefulSet's pod template is set anew only when InputsHash differs. So
// another version of this package, whatever it renders, restarts no pod of a
// cluster that runs; testdata holds what each BuilderVersion rendered.
package resources
