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

package app

import (
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/controller/cluster"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	"github.com/bluek8s/kubedirector/pkg/observe"
)

// newSources asks the factories for the informers that clusters depend on.
func newSources(f *factories) (cluster.Sources, error) {
	from := cluster.Sources{
		Clusters: f.kubeDirector.Kubedirector().V1alpha1().KubeDirectorClusters().TypedInformer(),
		Services: f.kube.Core().V1().Services().TypedInformer(),
		Sets:     f.kube.Apps().V1().StatefulSets().TypedInformer(),
		Claims:   f.kube.Core().V1().PersistentVolumeClaims().TypedInformer(),
		Pods:     f.labelled.Core().V1().Pods().TypedInformer(),
		Pins:     f.labelled.Apps().V1().ControllerRevisions().TypedInformer(),
	}
	for _, catalog := range f.catalogs() {
		from.Apps = append(from.Apps, catalog.TypedInformer())
	}
	if f.storageClasses != nil {
		from.StorageClasses = f.storageClasses.Storage().V1().StorageClasses().TypedInformer()
	}
	return from, errors.Join(
		from.Services.AddIndexers(observe.Indexers()),
		from.Sets.AddIndexers(observe.Indexers()),
		from.Claims.AddIndexers(observe.Indexers()),
		from.Pods.AddIndexers(observe.Indexers()),
		from.Pins.AddIndexers(observe.Indexers()),
	)
}

// cachesOf are what observations are made from.
func cachesOf(from cluster.Sources) observe.Caches {
	caches := observe.Caches{
		Clusters:   from.Clusters.GetIndexer(),
		Apps:       from.Apps[0].GetIndexer(),
		SystemApps: from.Apps[len(from.Apps)-1].GetIndexer(),
		Services:   from.Services.GetIndexer(),
		Sets:       from.Sets.GetIndexer(),
		Claims:     from.Claims.GetIndexer(),
		Pods:       from.Pods.GetIndexer(),
		Revisions:  from.Pins.GetIndexer(),
	}
	if from.StorageClasses != nil {
		caches.StorageClasses = from.StorageClasses.GetIndexer()
	}
	return caches
}

// storesOf are the caches that must show our own writes before anything is decided from them.
func storesOf(caches observe.Caches) map[schema.GroupResource]freshness.Store {
	return map[schema.GroupResource]freshness.Store{
		v1alpha1.Resource("kubedirectorclusters"): caches.Clusters,
		corev1.Resource("services"):               caches.Services,
		appsv1.Resource("statefulsets"):           caches.Sets,
		corev1.Resource("persistentvolumeclaims"): caches.Claims,
		corev1.Resource("pods"):                   caches.Pods,
		appsv1.Resource("controllerrevisions"):    caches.Revisions,
	}
}

var _ freshness.Store = cache.Indexer(nil)
