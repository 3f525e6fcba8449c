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

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	clientset "github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/typed/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// Confirmed makes sure, before this process first decides about a cluster, that
// the cache of clusters is not behind what an earlier leader recorded, nor that
// of pods. Caches lag each by themselves: a status of yesterday beside objects of
// today would have undone what was done since, and no precondition would have
// refused it; and beside the pods of yesterday members would have been given up
// for lost that work. Later records are this process's own, and freshness knows them.
type Confirmed struct {
	Clusters clientset.KubeDirectorClustersGetter
	Pods     corev1client.PodsGetter
	Cache    cache.Store
	PodCache cache.Store
	// Newest is told of the version that the cache must show.
	Newest func(owner cache.ObjectName, resource schema.GroupResource, resourceVersion string)

	mu    sync.Mutex
	asked map[cache.ObjectName]bool
}

// Ensure asks the API server once for each cluster, and once more for its pods
// where their cache does not show a container on record. A *freshness.StaleError
// says that the cluster is gone, and the cache has not heard of it.
func (c *Confirmed) Ensure(ctx context.Context, key cache.ObjectName) error {
	if _, cached, err := c.Cache.GetByKey(key.String()); err != nil || !cached || c.isAsked(key) {
		return err
	}
	resource := v1alpha1.Resource("kubedirectorclusters")
	cluster, err := c.Clusters.KubeDirectorClusters(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &freshness.StaleError{Resource: resource, What: "the deletion of " + key.String()}
	}
	if err != nil {
		return err
	}
	c.Newest(key, resource, cluster.ResourceVersion)
	if !c.showsAll(cluster) {
		if err := c.askForPods(ctx, key); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		c.asked = map[cache.ObjectName]bool{}
	}
	c.asked[key] = true
	return nil
}

// askForPods has the cache come to what the API server says of a cluster's pods.
func (c *Confirmed) askForPods(ctx context.Context, key cache.ObjectName) error {
	pods, err := c.Pods.Pods(key.Namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.Set{names.LabelCluster: key.Name}.String()})
	if err != nil {
		return err
	}
	for i := range pods.Items {
		// Not the list's own version: to that a cache may only come when some pod changes.
		c.Newest(key, corev1.Resource("pods"), pods.Items[i].ResourceVersion)
	}
	return nil
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
	cached, found, err := c.PodCache.GetByKey(cache.NewObjectName(namespace, m.Pod).String())
	if err != nil || !found {
		return false
	}
	return slices.ContainsFunc(cached.(*corev1.Pod).Status.ContainerStatuses, func(s corev1.ContainerStatus) bool {
		return strings.Contains(s.ContainerID, m.Incarnation)
	})
}

func (c *Confirmed) isAsked(key cache.ObjectName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[key]
}

// Forget lets go of a cluster that exists no more.
func (c *Confirmed) Forget(key cache.ObjectName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.asked, key)
}
