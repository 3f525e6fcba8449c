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
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// delete removes an object, or marks it as one to be removed; gone says which.
func (s *Server) delete(st *store, before Object, name string, options metav1.DeleteOptions) (last Object, gone bool, err error) {
	if err := checkOptions(options); err != nil {
		return nil, false, err
	}
	if before == nil {
		return nil, false, apierrors.NewNotFound(st.groupResource(), name)
	}
	if err := st.precondition(before, options.Preconditions); err != nil {
		return nil, false, err
	}
	if namespace, is := before.(*corev1.Namespace); is {
		return s.deleteNamespace(st, namespace)
	}
	o := st.clone(before)
	meta := metaOf(o)
	graceful, pending := false, false
	if pod, is := o.(*corev1.Pod); is {
		graceful, pending = deletePod(pod, options)
	}
	if pending {
		return before, false, nil
	}
	meta.Finalizers = deletionFinalizers(meta.Finalizers, options)
	if !graceful {
		if len(meta.Finalizers) == 0 {
			return s.remove(st, before), true, nil
		}
		mark(meta)
	}
	if was := metaOf(before); !slices.Equal(meta.Finalizers, was.Finalizers) || !meta.DeletionTimestamp.Equal(was.DeletionTimestamp) ||
		was.DeletionGracePeriodSeconds == nil || *meta.DeletionGracePeriodSeconds != *was.DeletionGracePeriodSeconds {
		s.put(st, o)
	} else {
		o = before
	}
	if graceful && len(meta.Finalizers) == 0 && *meta.DeletionGracePeriodSeconds == 0 {
		return s.remove(st, o), true, nil
	}
	return o, false, nil
}

func (st *store) precondition(o Object, p *metav1.Preconditions) error {
	switch {
	case p == nil:
	case p.UID != nil && *p.UID != o.GetUID():
		return apierrors.NewConflict(st.groupResource(), o.GetName(),
			fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, o.GetUID()))
	case p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion():
		return apierrors.NewConflict(st.groupResource(), o.GetName(),
			fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, o.GetResourceVersion()))
	}
	return nil
}

// mark has an object wait for its finalizers only.
func mark(meta *metav1.ObjectMeta) {
	if meta.DeletionGracePeriodSeconds == nil && meta.Generation > 0 {
		meta.Generation++
	}
	if meta.DeletionTimestamp == nil || meta.DeletionTimestamp.After(time.Now()) {
		at := now()
		meta.DeletionTimestamp = &at
	}
	var none int64
	meta.DeletionGracePeriodSeconds = &none
}

// deletePod gives a pod the time to end; pending: it has that already. A later
// deletion can only shorten it.
func deletePod(pod *corev1.Pod, options metav1.DeleteOptions) (graceful, pending bool) {
	if pod.DeletionTimestamp != nil {
		had := *pod.DeletionGracePeriodSeconds
		if options.GracePeriodSeconds == nil || *options.GracePeriodSeconds >= had {
			return false, true
		}
		grace := max(*options.GracePeriodSeconds, 0)
		at := metav1.NewTime(pod.DeletionTimestamp.Add(time.Duration(grace-had) * time.Second))
		pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &at, &grace
		return true, false
	}
	grace := graceOf(pod, options)
	at := metav1.NewTime(now().Add(time.Duration(grace) * time.Second))
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &at, &grace
	pod.Generation++
	return true, false
}

// graceOf is none where no kubelet has anything to end.
func graceOf(pod *corev1.Pod, options metav1.DeleteOptions) int64 {
	switch phase := pod.Status.Phase; {
	case pod.Spec.NodeName == "" || phase == corev1.PodFailed || phase == corev1.PodSucceeded:
		return 0
	case options.GracePeriodSeconds != nil:
		if *options.GracePeriodSeconds < 0 {
			return 1
		}
		return *options.GracePeriodSeconds
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		return *pod.Spec.TerminationGracePeriodSeconds
	}
	return 0
}

// deletionFinalizers are those that an object waits for, with what its deletion is to do with its dependents.
func deletionFinalizers(had []string, options metav1.DeleteOptions) []string {
	if options.PropagationPolicy == nil {
		return had
	}
	want := policies[*options.PropagationPolicy]
	if want != "" && slices.Contains(had, want) {
		return had
	}
	finalizers := slices.DeleteFunc(slices.Clone(had), func(f string) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	if want != "" {
		finalizers = append(finalizers, want)
	}
	return finalizers
}

// policies are the finalizers by which an object waits for its dependents.
var policies = map[metav1.DeletionPropagation]string{
	metav1.DeletePropagationBackground: "",
	metav1.DeletePropagationForeground: metav1.FinalizerDeleteDependents,
	metav1.DeletePropagationOrphan:     metav1.FinalizerOrphanDependents,
}

func checkOptions(options metav1.DeleteOptions) error {
	if options.PropagationPolicy == nil {
		return nil
	}
	if _, known := policies[*options.PropagationPolicy]; known {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "DeleteOptions"}, "", field.ErrorList{
		field.NotSupported(field.NewPath("propagationPolicy"), *options.PropagationPolicy, slices.Sorted(maps.Keys(policies))),
	})
}
