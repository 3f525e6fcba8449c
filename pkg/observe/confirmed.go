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

package observe

import (
	"context"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	clientset "github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/typed/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// Confirmed makes sure that the caches are not behind what an earlier leader
// did. Caches lag each by themselves: a status of yesterday beside objects of
// today would have undone what was done since, and no precondition would have
// refused it; beside the pods of yesterday members would have been given up for
// lost that work; and a status that was lost would have been rebuilt from the
// objects of yesterday. What this process writes itself, freshness knows.
type Confirmed struct {
	Clusters clientset.KubeDirectorClustersGetter
	Kube     kubernetes.Interface
	Caches   Caches
	// Newest is told of the version that the cache must show.
	Newest func(owner cache.ObjectName, resource schema.GroupResource, resourceVersion string)

	mu       sync.Mutex
	clusters map[cache.ObjectName]confirmation
}

// confirmation is what was made sure of for a cluster.
type confirmation struct {
	// record is true once its status was, and its pods as far as they are on record.
	record bool
	// objects is true while no earlier leader can have made any, or once they were asked for that its status is to be rebuilt from.
	objects bool
}

// Ensure asks the API server once for each cluster; once more for its pods where
// their cache does not show a container on record; and for all that a status is
// rebuilt from where it was lost. A *freshness.StaleError says that something is
// gone, and the cache has not heard of it.
func (c *Confirmed) Ensure(ctx context.Context, key cache.ObjectName) error {
	cached, err := get[v1alpha1.KubeDirectorCluster](c.Caches.Clusters, key.Namespace, key.Name)
	if cached == nil || err != nil {
		return err
	}
	is := c.of(key)
	if !is.record {
		if is, err = c.askForRecord(ctx, key); err != nil {
			return err
		}
		c.note(key, is)
	}
	switch {
	case len(cached.Status.Roles) > 0:
		is.objects = false // they are to be asked for if it is ever lost
	case slices.Contains(cached.Finalizers, names.Finalizer) && !is.objects:
		if err := c.askForObjects(ctx, key); err != nil {
			return err
		}
		is.objects = true
	}
	c.note(key, is)
	return nil
}

// askForRecord has the caches come to the cluster's status, and the pods to what that says.
func (c *Confirmed) askForRecord(ctx context.Context, key cache.ObjectName) (confirmation, error) {
	resource := v1alpha1.Resource("kubedirectorclusters")
	cluster, err := c.Clusters.KubeDirectorClusters(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return confirmation{}, &freshness.StaleError{Resource: resource, What: "the deletion of " + key.String()}
	}
	if err != nil {
		return confirmation{}, err
	}
	c.Newest(key, resource, cluster.ResourceVersion)
	if !c.showsAll(cluster) {
		if err := c.ask(ctx, key, c.pods(key.Namespace)); err != nil {
			return confirmation{}, err
		}
	}
	return confirmation{record: true, objects: !slices.Contains(cluster.Finalizers, names.Finalizer)}, nil
}

// askForObjects has the caches come to what a status is rebuilt from.
func (c *Confirmed) askForObjects(ctx context.Context, key cache.ObjectName) error {
	core, apps := c.Kube.CoreV1(), c.Kube.AppsV1()
	for _, kind := range []kind{
		{corev1.Resource("services"), c.Caches.Services, lister(core.Services(key.Namespace).List)},
		{appsv1.Resource("statefulsets"), c.Caches.Sets, lister(apps.StatefulSets(key.Namespace).List)},
		{appsv1.Resource("controllerrevisions"), c.Caches.Revisions, lister(apps.ControllerRevisions(key.Namespace).List)},
		c.pods(key.Namespace),
	} {
		if err := c.ask(ctx, key, kind); err != nil {
			return err
		}
	}
	return nil
}

func (c *Confirmed) pods(namespace string) kind {
	return kind{corev1.Resource("pods"), c.Caches.Pods, lister(c.Kube.CoreV1().Pods(namespace).List)}
}

// kind is one of what a cluster consists of, where it is cached, and how it is asked for.
type kind struct {
	resource schema.GroupResource
	cached   cache.Indexer
	list     func(context.Context, metav1.ListOptions) (runtime.Object, error)
}

func lister[L runtime.Object](list func(context.Context, metav1.ListOptions) (L, error)) func(context.Context, metav1.ListOptions) (runtime.Object, error) {
	return func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, options)
	}
}

// ask has a cache come to what the API server says of a cluster's objects of a kind.
func (c *Confirmed) ask(ctx context.Context, key cache.ObjectName, kind kind) error {
	cached, err := kind.cached.ByIndex(ByCluster, key.String()) // before the answer, so that nothing in it is newer
	if err != nil {
		return err
	}
	list, err := kind.list(ctx, metav1.ListOptions{LabelSelector: labels.Set{names.LabelCluster: key.Name}.String()})
	if err != nil {
		return err
	}
	present := sets.New[types.UID]()
	err = apimeta.EachListItem(list, func(item runtime.Object) error {
		object, err := apimeta.Accessor(item)
		if err != nil {
			return err
		}
		present.Insert(object.GetUID())
		// Not the list's own version: to that a cache may only come when something of the kind changes.
		c.Newest(key, kind.resource, object.GetResourceVersion())
		return nil
	})
	for _, item := range cached {
		if object, ok := item.(metav1.Object); ok && object.GetLabels()[names.LabelCluster] == key.Name && !present.Has(object.GetUID()) {
			return &freshness.StaleError{Resource: kind.resource, What: "the deletion of " + cache.MetaObjectToName(object).String()}
		}
	}
	return err
}

// showsAll is true when the cache has every container on record.
func (c *Confirmed) showsAll(cluster *v1alpha1.KubeDirectorCluster) bool {
	for _, role := range cluster.Status.Roles {
		for i := range role.Members {
			if m := &role.Members[i]; m.Incarnation != "" && !c.shows(cluster.Namespace, m) {
				return false
			}
		}
	}
	return true
}

// shows is true when the cache has the container on record, whatever has become of it since.
func (c *Confirmed) shows(namespace string, m *v1alpha1.MemberStatus) bool {
	pod, err := get[corev1.Pod](c.Caches.Pods, namespace, m.Pod)
	if err != nil || pod == nil {
		return false
	}
	return slices.ContainsFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool {
		return strings.Contains(s.ContainerID, m.Incarnation)
	})
}

func (c *Confirmed) of(key cache.ObjectName) confirmation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clusters[key]
}

func (c *Confirmed) note(key cache.ObjectName, is confirmation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clusters == nil {
		c.clusters = map[cache.ObjectName]confirmation{}
	}
	c.clusters[key] = is
}

// Forget lets go of a cluster that exists no more.
func (c *Confirmed) Forget(key cache.ObjectName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clusters, key)
}
