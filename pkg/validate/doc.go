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

// Package validate says what is wrong with an app or a cluster, beyond what
// the CRDs' own schemas and rules refuse: what needs more than one object, the
// names that would be derived, and what a rule of a CRD can't compute.
//
// Each fault names the field, its value, and what would be right. All faults
// are found at once, in the order of the spec. A function is named for the
// fault it finds, and the lists of rules read as a specification.
package validate
