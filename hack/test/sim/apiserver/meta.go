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
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var (
	errVersioned = &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: "resourceVersion should not be set on objects to be created",
	}}
	// errStale is what every client knows by heart.
	errStale = errors.New("the object has been modified; please apply your changes to the latest version and try again")

	noKind   = schema.GroupVersionKind{}
	metadata = field.NewPath("metadata")
)

// inherit takes over what no write changes. That an object is to be deleted, only a deletion says.
func inherit(meta, before *metav1.ObjectMeta) field.ErrorList {
	var errs field.ErrorList
	if before.DeletionTimestamp == nil && meta.DeletionTimestamp != nil {
		errs = append(errs, field.Invalid(metadata.Child("deletionTimestamp"), meta.DeletionTimestamp, validation.FieldImmutableErrorMsg))
	}
	if grace := meta.DeletionGracePeriodSeconds; grace != nil && (before.DeletionGracePeriodSeconds == nil || *before.DeletionGracePeriodSeconds != *grace) {
		errs = append(errs, field.Invalid(metadata.Child("deletionGracePeriodSeconds"), *grace, validation.FieldImmutableErrorMsg))
	}
	if meta.UID != "" && meta.UID != before.UID {
		errs = append(errs, field.Invalid(metadata.Child("uid"), meta.UID, validation.FieldImmutableErrorMsg))
	}
	meta.UID, meta.ResourceVersion, meta.Generation = before.UID, before.ResourceVersion, before.Generation
	meta.CreationTimestamp, meta.GenerateName = before.CreationTimestamp, before.GenerateName
	meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = before.DeletionTimestamp, before.DeletionGracePeriodSeconds
	meta.ManagedFields = nil
	return errs
}

// sameMeta compares what writes change.
func sameMeta(a, b *metav1.ObjectMeta) bool {
	return maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) && slices.Equal(a.Finalizers, b.Finalizers) &&
		equality.Semantic.DeepEqual(a.OwnerReferences, b.OwnerReferences)
}

// checkMeta judges the metadata of a new object.
func checkMeta(k *kind, meta *metav1.ObjectMeta) field.ErrorList {
	name := validation.NameIsDNSSubdomain
	switch k.resource {
	case "services", "namespaces":
		name = validation.NameIsDNSLabel
	}
	return append(validation.ValidateObjectMeta(meta, !k.global, name, metadata), checkFinalizers(k, meta.Finalizers)...)
}

// checkFinalizers demands of kinds of Kubernetes' own that finalizers are either its own or name a domain.
func checkFinalizers(k *kind, finalizers []string) field.ErrorList {
	var errs field.ErrorList
	for i, finalizer := range finalizers {
		switch {
		case k.custom, strings.Contains(finalizer, "/"):
		case finalizer == string(corev1.FinalizerKubernetes), finalizer == metav1.FinalizerOrphanDependents, finalizer == metav1.FinalizerDeleteDependents:
		default:
			errs = append(errs, field.Invalid(metadata.Child("finalizers").Index(i), finalizer, "name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}

// checkMetaUpdate judges metadata that has changed. An object that is being
// deleted may lose finalizers, and gets none.
func checkMetaUpdate(k *kind, meta, before *metav1.ObjectMeta) field.ErrorList {
	errs := metavalidation.ValidateLabels(meta.Labels, metadata.Child("labels"))
	errs = append(errs, validation.ValidateAnnotations(meta.Annotations, metadata.Child("annotations"))...)
	errs = append(errs, validation.ValidateOwnerReferences(meta.OwnerReferences, metadata.Child("ownerReferences"))...)
	errs = append(errs, validation.ValidateFinalizers(meta.Finalizers, metadata.Child("finalizers"))...)
	errs = append(errs, checkFinalizers(k, meta.Finalizers)...)
	if before.DeletionTimestamp != nil {
		errs = append(errs, validation.ValidateNoNewFinalizers(meta.Finalizers, before.Finalizers, metadata.Child("finalizers"))...)
	}
	return errs
}
