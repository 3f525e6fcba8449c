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
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	"github.com/bluek8s/kubedirector/pkg/plan"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// NameTakenError says that a name which a cluster needs is another's.
type NameTakenError struct {
	Resource schema.GroupResource
	Name     string
}

// Error names the object and the remedy.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("%s %q exists and does not belong to this cluster: delete or rename it, or give the cluster another name", e.Resource, e.Name)
}

// create makes an object. Where one of its name belongs to the cluster, an
// earlier create has succeeded though its answer, or the cache, has not said so.
func create[O metav1.Object](ctx context.Context, cluster *v1alpha1.KubeDirectorCluster, k kind[O], object O) error {
	owner := cache.MetaObjectToName(cluster)
	made, err := k.Create(ctx, object, metav1.CreateOptions{})
	switch {
	case err == nil:
		k.writes.WroteAt(owner, k.resource, made.GetResourceVersion())
		return nil
	case namespaceEnds(err):
		return &freshness.StaleError{Resource: v1alpha1.Resource("kubedirectorclusters"), What: "the deletion that its namespace's brings"}
	case !apierrors.IsAlreadyExists(err):
		return err
	}
	have, err := k.Get(ctx, object.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // it went meanwhile; the next pass makes ours
	}
	if err != nil {
		return err
	}
	// What is in the way must be in the cache before the next plan, or it would be the same plan.
	k.writes.WroteAt(owner, k.resource, have.GetResourceVersion())
	if !metav1.IsControlledBy(have, cluster) {
		return &NameTakenError{Resource: k.resource, Name: object.GetName()}
	}
	return nil
}

// patch changes an object that is as it was observed; another is refused as a conflict.
func patch[O metav1.Object](ctx context.Context, owner cache.ObjectName, k kind[O], seen plan.Object, drift resources.Patch) error {
	body, err := drift.MergePatch(seen.UID, seen.Version)
	if err != nil {
		return err
	}
	return k.merge(ctx, owner, seen.Name, body)
}

// merge patches an object as it was observed. One that is gone by now needs no
// patch: its cache is behind, and its end is an event still to come.
func (k kind[O]) merge(ctx context.Context, owner cache.ObjectName, name string, body []byte) error {
	changed, err := k.Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	k.writes.WroteAt(owner, k.resource, changed.GetResourceVersion())
	return nil
}

// remove deletes the object that was observed; one that is gone is deleted. One
// that is going already is asked again, for now it may be asked to go at once.
func remove[O metav1.Object](ctx context.Context, owner cache.ObjectName, k kind[O], seen plan.Object) error {
	only := &metav1.Preconditions{UID: &seen.UID}
	if k.settled {
		only.ResourceVersion = &seen.Version
	}
	how := metav1.DeleteOptions{Preconditions: only, PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}
	if k.atOnce {
		how.GracePeriodSeconds = ptr.To[int64](0)
	}
	err := k.Delete(ctx, seen.Name, how)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	k.writes.Deleted(owner, k.resource, cache.ObjectName{Namespace: k.namespace, Name: seen.Name}, seen.UID)
	return nil
}
