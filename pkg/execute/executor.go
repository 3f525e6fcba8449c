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
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// Writes is told of every write, with the cluster in whose name it was made.
type Writes interface {
	WroteAt(owner cache.ObjectName, resource schema.GroupResource, resourceVersion string)
	Deleted(owner cache.ObjectName, resource schema.GroupResource, object cache.ObjectName, uid types.UID)
}

// Guests does in-container work. Neither call blocks; what comes of it is observed.
type Guests interface {
	Ensure(owner cache.ObjectName, step plan.Step)
	CheckPackage(owner cache.ObjectName, configMap catalog.ConfigMapKey)
}

// Executor carries out plans.
type Executor struct {
	Kube         kubernetes.Interface
	KubeDirector versioned.Interface
	Writes       Writes
	Guests       Guests
}

// Do carries out the actions of a cluster's plan in order. Each is tried, also
// when others fail; the errors are joined.
func (e *Executor) Do(ctx context.Context, cluster *v1alpha1.KubeDirectorCluster, actions []plan.Action) error {
	var errs []error
	for _, action := range actions {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		err := e.do(ctx, cluster, action)
		count(action, err)
		if err != nil {
			errs = append(errs, wrap(action, err))
		}
	}
	return errors.Join(errs...)
}

func (e *Executor) do(ctx context.Context, cluster *v1alpha1.KubeDirectorCluster, action plan.Action) error {
	owner := cache.MetaObjectToName(cluster)
	switch a := action.(type) {
	case plan.AddFinalizer:
		return e.addFinalizer(ctx, cluster)
	case plan.RemoveFinalizer:
		return e.removeFinalizer(ctx, cluster)
	case plan.CreateRevision:
		return create(ctx, cluster, e.revisions(cluster), a.Revision)
	case plan.DeleteRevision:
		return remove(ctx, owner, e.revisions(cluster), a.Revision)
	case plan.CreateService:
		return create(ctx, cluster, e.services(cluster), a.Service)
	case plan.PatchService:
		return patch(ctx, owner, e.services(cluster), a.Service, a.Patch)
	case plan.DeleteService:
		return remove(ctx, owner, e.services(cluster), a.Service)
	case plan.CreateSet:
		return create(ctx, cluster, e.sets(cluster), a.Set)
	case plan.PatchSet:
		return patch(ctx, owner, e.sets(cluster), a.Set, a.Patch)
	case plan.DeleteSet:
		return remove(ctx, owner, e.sets(cluster), a.Set)
	case plan.DeletePod:
		pods := e.pods(cluster)
		pods.atOnce = a.Force
		return remove(ctx, owner, pods, a.Pod)
	case plan.DeleteClaim:
		return remove(ctx, owner, e.claims(cluster), a.Claim)
	case plan.VisitGuest:
		e.Guests.Ensure(owner, a.Step)
		return nil
	case plan.CheckPackage:
		e.Guests.CheckPackage(owner, a.ConfigMap)
		return nil
	}
	return fmt.Errorf("execute has no case for %T: this is a bug", action)
}

// wrap names the action of an error, and tells a refusal from what passes by itself.
func wrap(action plan.Action, err error) error {
	taken := (*NameTakenError)(nil)
	if errors.As(err, &taken) || refuses[apierrors.ReasonForError(err)] {
		return &plan.Refusal{Action: action.String(), Err: err}
	}
	return fmt.Errorf("%s: %w", action, err)
}

// refuses are the reasons of an API server that has understood and won't; an
// admission webhook that is not there makes it an internal error.
var refuses = map[metav1.StatusReason]bool{
	metav1.StatusReasonForbidden:        true,
	metav1.StatusReasonInvalid:          true,
	metav1.StatusReasonBadRequest:       true,
	metav1.StatusReasonMethodNotAllowed: true,
	metav1.StatusReasonInternalError:    true,
}

// namespaceEnds is true for a refusal that needs no remedy: the cluster's
// namespace is being deleted, and the cluster with it.
func namespaceEnds(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}
