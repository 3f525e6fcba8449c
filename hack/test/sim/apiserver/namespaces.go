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

package apiserver

import (
	"fmt"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// finalizeResource is by which a namespace is let go when it is empty.
const finalizeResource = "finalize"

// refuseTerminating lets nothing new into a namespace that goes.
func (s *Server) refuseTerminating(st *store, o Object) error {
	namespace, _ := storeOf[*corev1.Namespace](s).get("", o.GetNamespace()).(*corev1.Namespace)
	if namespace == nil || namespace.DeletionTimestamp == nil {
		return nil
	}
	refusal := apierrors.NewForbidden(st.groupResource(), o.GetName(),
		fmt.Errorf("unable to create new content in namespace %s because it is being terminated", namespace.Name))
	refusal.ErrStatus.Details.Causes = append(refusal.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Message: fmt.Sprintf("namespace %s is being terminated", namespace.Name), Field: "metadata.namespace",
	})
	return refusal
}

// deleteNamespace has a namespace wait until somebody has emptied it.
func (s *Server) deleteNamespace(st *store, before *corev1.Namespace) (last Object, gone bool, err error) {
	if len(before.Finalizers)+len(before.Spec.Finalizers) == 0 {
		return s.remove(st, before), true, nil
	}
	if before.DeletionTimestamp != nil {
		return before, false, nil
	}
	o := st.clone(before).(*corev1.Namespace)
	at := now()
	o.DeletionTimestamp = &at
	o.Status.Phase = corev1.NamespaceTerminating
	s.put(st, o)
	return o, false, nil
}

// finalize writes the finalizers of a namespace's spec, which no other request does.
func (s *Server) finalize(st *store, before, wanted Object) (Object, error) {
	if before == nil {
		return nil, apierrors.NewNotFound(st.groupResource(), wanted.GetName())
	}
	if err := st.current(before, wanted, change{}); err != nil {
		return nil, err
	}
	finalizers := wanted.(*corev1.Namespace).Spec.Finalizers
	o := st.clone(before).(*corev1.Namespace)
	if slices.Equal(o.Spec.Finalizers, finalizers) {
		return before, nil
	}
	o.Spec.Finalizers = finalizers
	if o.DeletionTimestamp != nil && len(o.Finalizers)+len(finalizers) == 0 {
		s.remove(st, before)
		return o, nil
	}
	s.put(st, o)
	return o, nil
}

// writeFinalize is PUT of a namespace's subresource finalize.
func (s *Server) writeFinalize(st *store, r *http.Request, name string, wanted Object) (Object, error) {
	return s.write(st, "update", finalizeResource, r.UserAgent(), "", name, metav1.DeleteOptions{}, func() (Object, Object, error) {
		before := st.get("", name)
		after, err := s.finalize(st, before, wanted)
		return before, after, err
	})
}
