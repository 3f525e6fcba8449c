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

package kube

import (
	"fmt"
	"hash/fnv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// warn tells of trouble with an object. One and the same is counted, as recorders do.
func (k *Kubernetes) warn(about metav1.Object, kind schema.GroupVersionKind, reason, message string) {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%s %s %s", about.GetUID(), reason, message)
	name := fmt.Sprintf("%s.%x", about.GetName(), sum.Sum64())
	if before, found := apiserver.Get[*corev1.Event](k.api, about.GetNamespace(), name); found {
		again := before.DeepCopy()
		again.Count++
		again.LastTimestamp = now()
		must(apiserver.Update(k.api, again))
		return
	}
	// An Event that is not stored is nobody's concern: its namespace is being deleted.
	_, _ = apiserver.Create(k.api, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: about.GetNamespace()},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: about.GetNamespace(), Name: about.GetName(), UID: about.GetUID(),
		},
		Type: corev1.EventTypeWarning, Reason: reason, Message: message, Count: 1, FirstTimestamp: now(), LastTimestamp: now(),
	})
}
