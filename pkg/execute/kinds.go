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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// client is what is used of the typed client of one kind in one namespace.
type client[O metav1.Object] interface {
	Create(ctx context.Context, object O, opts metav1.CreateOptions) (O, error)
	Get(ctx context.Context, name string, opts metav1.GetOptions) (O, error)
	Patch(ctx context.Context, name string, pt types.PatchType, body []byte, opts metav1.PatchOptions, subresources ...string) (O, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
}

// kind is how the objects of one kind are written in a cluster's namespace.
type kind[O metav1.Object] struct {
	client[O]
	namespace string
	resource  schema.GroupResource
	writes    Writes
	// settled is true for a kind whose objects change only for a reason that
	// its deletion should be thought over for.
	settled bool
	// atOnce deletes without waiting for a node to say that its pod has ended.
	atOnce bool
}

func (e *Executor) clusters(cluster *v1alpha1.KubeDirectorCluster) kind[*v1alpha1.KubeDirectorCluster] {
	return kind[*v1alpha1.KubeDirectorCluster]{
		client:    e.KubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(cluster.Namespace),
		namespace: cluster.Namespace,
		resource:  v1alpha1.Resource("kubedirectorclusters"),
		writes:    e.Writes,
	}
}

func (e *Executor) services(cluster *v1alpha1.KubeDirectorCluster) kind[*corev1.Service] {
	return kind[*corev1.Service]{
		client:    e.Kube.CoreV1().Services(cluster.Namespace),
		namespace: cluster.Namespace,
		resource:  corev1.Resource("services"),
		writes:    e.Writes,
	}
}

func (e *Executor) sets(cluster *v1alpha1.KubeDirectorCluster) kind[*appsv1.StatefulSet] {
	return kind[*appsv1.StatefulSet]{
		client:    e.Kube.AppsV1().StatefulSets(cluster.Namespace),
		namespace: cluster.Namespace,
		resource:  appsv1.Resource("statefulsets"),
		writes:    e.Writes,
	}
}

func (e *Executor) revisions(cluster *v1alpha1.KubeDirectorCluster) kind[*appsv1.ControllerRevision] {
	return kind[*appsv1.ControllerRevision]{
		client:    e.Kube.AppsV1().ControllerRevisions(cluster.Namespace),
		namespace: cluster.Namespace,
		resource:  appsv1.Resource("controllerrevisions"),
		writes:    e.Writes,
	}
}

func (e *Executor) pods(cluster *v1alpha1.KubeDirectorCluster) kind[*corev1.Pod] {
	return kind[*corev1.Pod]{
		client:    e.Kube.CoreV1().Pods(cluster.Namespace),
		namespace: cluster.Namespace,
		resource:  corev1.Resource("pods"),
		writes:    e.Writes,
	}
}

// A claim that changed since it was observed may have been bound, and hold data.
func (e *Executor) claims(cluster *v1alpha1.KubeDirectorCluster) kind[*corev1.PersistentVolumeClaim] {
	return kind[*corev1.PersistentVolumeClaim]{
		client:    e.Kube.CoreV1().PersistentVolumeClaims(cluster.Namespace),
		namespace: cluster.Namespace,
		resource:  corev1.Resource("persistentvolumeclaims"),
		writes:    e.Writes,
		settled:   true,
	}
}
