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

package cluster

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var impossible = metrics.NewCounter(&metrics.CounterOpts{
	Namespace:      "kubedirector",
	Name:           "impossible_transitions_total",
	Help:           "Pairs of state and event that no table of a state machine allows. Each is a bug.",
	StabilityLevel: metrics.ALPHA,
})

func init() { legacyregistry.MustRegister(impossible) }
