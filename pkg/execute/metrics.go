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

package execute

import (
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

// The results of an action, as the metric counts them.
const (
	resultSuccess  = "success"
	resultConflict = "conflict"
	resultError    = "error"
)

var actionsTotal = metrics.NewCounterVec(&metrics.CounterOpts{
	Namespace:      "kubedirector",
	Name:           "plan_actions_total",
	Help:           "Actions of plans that were carried out, by action and by result: success, conflict (the object had changed, and is planned for again) or error.",
	StabilityLevel: metrics.ALPHA,
}, []string{"action", "result"})

func init() { legacyregistry.MustRegister(actionsTotal) }

func count(action plan.Action, err error) {
	result := resultSuccess
	switch {
	case apierrors.IsConflict(err):
		result = resultConflict
	case err != nil:
		result = resultError
	}
	actionsTotal.WithLabelValues(reflect.TypeOf(action).Name(), result).Inc()
}
