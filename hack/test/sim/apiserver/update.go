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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// change is how an object is written.
type change struct {
	subresource string
	// patch: what is written was made of what is stored.
	patch bool
	// binds is whether a pod may be given a node, which over HTTP is another request.
	binds bool
}

// update writes an object, which is the server's from now on; before is what is stored.
func (s *Server) update(st *store, before, o Object, c change) (Object, error) {
	if before == nil {
		if st.made && !c.patch && c.subresource == "" {
			return s.create(st, o)
		}
		return nil, apierrors.NewNotFound(st.groupResource(), o.GetName())
	}
	if err := st.current(before, o, c); err != nil {
		return nil, err
	}
	o.GetObjectKind().SetGroupVersionKind(noKind)
	meta, was := metaOf(o), metaOf(before)
	if errs := inherit(meta, was); len(errs) > 0 {
		return nil, apierrors.NewInvalid(st.GroupKind(), o.GetName(), errs)
	}
	st.restrict(before, o, c.subresource)
	if c.subresource == "" {
		s.carry(before, o)
		s.complete(st, o)
	}
	metaChanges := !sameMeta(meta, was)
	specChanges, changes := st.compare(before, o, c.subresource)
	if !metaChanges && !changes {
		return before, nil
	}
	if errs := st.check(before, o, metaChanges, specChanges, c); len(errs) > 0 {
		return nil, apierrors.NewInvalid(st.GroupKind(), o.GetName(), errs)
	}
	if st.counts && specChanges && !isBinding(before, o) {
		meta.Generation++
	}
	if isReleased(meta, was) {
		s.remove(st, before)
		return o, nil
	}
	s.put(st, o)
	return o, nil
}

// current refuses a write of another object, or of an old version. A patch with
// another UID is an attempt to change it, which is refused for that.
func (st *store) current(before, o Object, c change) error {
	if uid := o.GetUID(); uid != "" && !c.patch && uid != before.GetUID() {
		return apierrors.NewConflict(st.groupResource(), o.GetName(),
			fmt.Errorf("precondition failed: UID in precondition: %v, UID in object meta: %v", uid, before.GetUID()))
	}
	switch version := o.GetResourceVersion(); {
	case version == "" && st.careful && !c.patch:
		return apierrors.NewInvalid(st.GroupKind(), o.GetName(), field.ErrorList{field.Invalid(metadata.Child("resourceVersion"), 0, "must be specified for an update")})
	case version != "" && version != before.GetResourceVersion():
		return apierrors.NewConflict(st.groupResource(), o.GetName(), errStale)
	}
	return nil
}

// restrict takes over what a write to a resource can't change. Except for
// custom kinds, the subresource status changes metadata, too.
func (st *store) restrict(before, o Object, subresource string) {
	if st.status == nil {
		return
	}
	if subresource != statusResource {
		st.status.share(o, before)
		if namespace, is := o.(*corev1.Namespace); is {
			namespace.Spec.Finalizers = before.(*corev1.Namespace).Spec.Finalizers
		}
		return
	}
	st.spec.share(o, before)
	if st.custom {
		*metaOf(o) = *metaOf(before)
	}
	if pod, is := o.(*corev1.Pod); is {
		pod.OwnerReferences = before.(*corev1.Pod).OwnerReferences
	}
}

// compare says whether the spec, and whether anything but metadata, is another.
func (st *store) compare(before, o Object, subresource string) (spec, anything bool) {
	switch {
	case st.spec == nil:
		return false, !equality.Semantic.DeepEqual(before, o)
	case subresource == statusResource:
		return false, !st.status.same(before, o)
	}
	spec = !st.spec.same(before, o)
	return spec, spec
}

func (k *kind) check(before, o Object, metaChanges, specChanges bool, c change) field.ErrorList {
	var errs field.ErrorList
	if metaChanges {
		errs = checkMetaUpdate(k, metaOf(o), metaOf(before))
	}
	if revised := checkRevision(before, o); revised != nil {
		errs = append(errs, revised)
	}
	if specChanges {
		errs = append(errs, checkSpec(before, o, c.binds)...)
		errs = append(errs, checkSet(o)...)
	}
	return errs
}

// isReleased is true for an object whose last finalizer goes, when nothing else is waited for.
func isReleased(meta, before *metav1.ObjectMeta) bool {
	return len(meta.Finalizers) == 0 && before.DeletionGracePeriodSeconds != nil && *before.DeletionGracePeriodSeconds == 0
}
