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

// Package api holds the tests of the two CustomResourceDefinitions on a real
// kube-apiserver: that each rule lets what is right through and refuses what is
// wrong with words that help, that defaults are as documented, that the example
// manifests are taken as written, and that kubectl explain has an answer for
// every field.
//
// They run with the build tag api, against the cluster whose kubeconfig the
// variable KUBEDIRECTOR_TEST_KUBECONFIG names, and fail without one. They
// install the CRDs of this tree there, and write into namespaces of their own. No
// controller may run meanwhile: it would write into the status that they write.
package api
