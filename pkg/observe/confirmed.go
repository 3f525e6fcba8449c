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
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	clientset "github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/typed/kubedirector/v1alpha1"
)

// Confirmed makes sure, before this process first decides about a cluster, that
// the cache of clusters is not behind what an earlier leader recorded. Caches lag
// each by themselves: a status of yesterday beside objects of today would have
// undone what was done since, and no precondition would have refused it. Later
// records are this process's own, and freshness knows them.
type Confirmed struct {
	Clusters clientset.KubeDirectorClustersGetter
	Cache    cache.Store
	// Newest is told of the version that the cache must show.
	Newest func(owner cache.ObjectName, resource schema.GroupResource, resourceVersion string)

	mu    sync.Mutex
	asked map[cache.ObjectName]bool
}

// Ensure asks the API server once for each cluster. A *freshness.StaleError says
// that the cluster is gone, and the cache has not heard of it.
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		c.asked = map[cache.ObjectName]bool{}
	}
	c.asked[key] = true
	return nil
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
