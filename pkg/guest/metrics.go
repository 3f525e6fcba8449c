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

package guest

import (
	"sync"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

const namespace = "kubedirector"

var (
	visitsTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Namespace: namespace, Name: "guest_visits_total", StabilityLevel: metrics.ALPHA,
		Help: "Visits to containers by how they ended.",
	}, []string{"result"})
	scriptSeconds = metrics.NewHistogramVec(&metrics.HistogramOpts{
		Namespace: namespace, Name: "script_duration_seconds", StabilityLevel: metrics.ALPHA,
		Help:    "How long scripts ran in containers, by event and by how they ended.",
		Buckets: []float64{0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600, 14400},
	}, []string{"event", "result"})
	queueDepth = metrics.NewGauge(&metrics.GaugeOpts{
		Namespace: namespace, Name: "guest_queue_depth", StabilityLevel: metrics.ALPHA,
		Help: "Containers that wait for a visit.",
	})
	slotsInUse = metrics.NewGauge(&metrics.GaugeOpts{
		Namespace: namespace, Name: "guest_slots_in_use", StabilityLevel: metrics.ALPHA,
		Help: "Visits that are being delivered.",
	})
	streamsInUse = metrics.NewGauge(&metrics.GaugeOpts{
		Namespace: namespace, Name: "guest_streams_in_use", StabilityLevel: metrics.ALPHA,
		Help: "Visits that may follow a script.",
	})
)

// abandoned is the result of a visit that was given up: a newer step replaced it, its pod went, or the pool was drained.
const abandoned = "Abandoned"

var registerOnce sync.Once

// Register adds the package's metrics to those of the process.
func Register() {
	registerOnce.Do(func() {
		legacyregistry.MustRegister(visitsTotal, scriptSeconds, queueDepth, slotsInUse, streamsInUse)
	})
}

// observeScript counts a script whose end is news.
func observeScript(step *plan.Step, before, now plan.Outcome) {
	if now.Phase != plan.PhaseDone || now.Event == nil || before.Key == now.Key && before.Phase == plan.PhaseDone {
		return
	}
	if ran := now.Event.FinishedAt.Sub(now.Event.StartedAt); !now.Event.FinishedAt.IsZero() && ran >= 0 {
		scriptSeconds.WithLabelValues(string(step.Event.Name), string(now.Event.State)).Observe(ran.Seconds())
	}
}
