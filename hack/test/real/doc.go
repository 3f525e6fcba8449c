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

// Package real drives the controller, as users run it, against a Kubernetes
// with real kubelets: what is asserted is what a user would see with kubectl,
// in the containers, and what the API server's audit log counted.
//
// The controller is a process of its own that serves all namespaces, so the
// cluster must be nobody else's. Each test has a namespace, which is gone with
// it. Tests that stop the controller, or count all it asks for, are not
// parallel; the others are.
package real
