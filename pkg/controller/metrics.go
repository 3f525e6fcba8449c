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

package controller

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var (
	staleRequeues = counter("stale_requeues_total", "Reconciliations that met a stale cache or a conflict and were put off.")
	syncErrors    = counter("sync_errors_total", "Reconciliations that failed and are tried again.")
	syncPanics    = counter("sync_panics_total", "Reconciliations that met a bug.")
)

func init() { legacyregistry.MustRegister(staleRequeues, syncErrors, syncPanics) }

func counter(name, help string) *metrics.CounterVec {
	return metrics.NewCounterVec(&metrics.CounterOpts{
		Namespace:      "kubedirector",
		Name:           name,
		Help:           help,
		StabilityLevel: metrics.ALPHA,
	}, []string{"controller"})
}
