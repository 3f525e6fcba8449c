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

package leader

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var refusedRequests = metrics.NewCounter(&metrics.CounterOpts{
	Namespace:      "kubedirector",
	Name:           "refused_requests_total",
	Help:           "Mutating requests that were not sent because this process did not hold the Lease.",
	StabilityLevel: metrics.ALPHA,
})

func init() { legacyregistry.MustRegister(refusedRequests) }
