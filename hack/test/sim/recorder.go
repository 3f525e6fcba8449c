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

package sim

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// recorder counts the Events that the controller would write; their way to the
// API server is client-go's own.
type recorder struct{ world *world }

// Event implements record.EventRecorder.
func (r *recorder) Event(_ runtime.Object, kind, reason, message string) {
	r.world.book.mu.Lock()
	defer r.world.book.mu.Unlock()
	if cluster := r.world.cluster(); reason == string(v1alpha1.ConditionReady) && kind == corev1.EventTypeNormal && cluster != nil && cluster.Status.State != v1alpha1.ClusterReady {
		r.world.violate("people are told what is on record", "%s, in state %q", message, cluster.Status.State)
	}
	r.world.events = append(r.world.events, fmt.Sprintf("%s %s: %s", kind, reason, message))
}

// Eventf implements record.EventRecorder.
func (r *recorder) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	r.Event(object, kind, reason, fmt.Sprintf(format, args...))
}

// AnnotatedEventf implements record.EventRecorder.
func (r *recorder) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	r.Event(object, kind, reason, fmt.Sprintf(format, args...))
}
