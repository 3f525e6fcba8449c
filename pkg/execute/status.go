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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
)

// StatusWriter records what was decided in the status of clusters.
type StatusWriter struct {
	KubeDirector versioned.Interface
	Writes       Writes
}

// Write replaces the status of a cluster that is as it was observed. One that
// changed meanwhile is a conflict and to be observed and planned anew: a status
// holds what can't be recomputed, so that trying the same again could record what is not so.
func (w *StatusWriter) Write(ctx context.Context, seen *v1alpha1.KubeDirectorCluster, status *v1alpha1.KubeDirectorClusterStatus) error {
	cluster := seen.DeepCopy()
	cluster.Status = *status
	written, err := w.KubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(seen.Namespace).UpdateStatus(ctx, cluster, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil // its last finalizer has just gone; nobody reads its status
	}
	if err != nil {
		return err
	}
	w.Writes.WroteAt(cache.MetaObjectToName(seen), v1alpha1.Resource("kubedirectorclusters"), written.ResourceVersion)
	return nil
}
