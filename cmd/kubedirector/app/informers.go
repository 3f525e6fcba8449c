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
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/controller/cluster"
	"github.com/bluek8s/kubedirector/pkg/generated/informers/externalversions"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/observe"
)

// resync is never: an informer's cache does not miss events, and what must
// happen in time is asked for by its plan.
const resync = 0

// factories make informers, whose caches are kept on standbys too.
type factories struct {
	// kubeDirector has the clusters and apps of the watched namespace.
	kubeDirector externalversions.SharedInformerFactory
	// system has the apps of the system namespace; it is kubeDirector where that sees them.
	system externalversions.SharedInformerFactory
	// kube has what may stand in a cluster's way under a name it needs, whoever owns it.
	kube informers.SharedInformerFactory
	// labelled has what a cluster's own objects are enough of: pods and revisions.
	labelled informers.SharedInformerFactory
	// seesClasses is false where one namespace is watched: its rights need not reach StorageClasses.
	seesClasses bool
}

func newFactories(c *clients, watchNamespace, systemNamespace string) *factories {
	kubeDirectorIn := func(namespace string) externalversions.SharedInformerFactory {
		return externalversions.NewSharedInformerFactoryWithOptions(c.kubeDirector, resync,
			externalversions.WithNamespace(namespace), externalversions.WithTransform(dropManagedFields))
	}
	f := &factories{
		seesClasses:  watchNamespace == "",
		kubeDirector: kubeDirectorIn(watchNamespace),
		kube: informers.NewSharedInformerFactoryWithOptions(c.kube, resync,
			informers.WithNamespace(watchNamespace), informers.WithTransform(dropManagedFields)),
		labelled: informers.NewSharedInformerFactoryWithOptions(c.kube, resync,
			informers.WithNamespace(watchNamespace), informers.WithTransform(dropManagedFields),
			informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = names.LabelCluster })),
	}
	f.system = f.kubeDirector
	if watchNamespace != "" && watchNamespace != systemNamespace {
		f.system = kubeDirectorIn(systemNamespace)
	}
	return f
}

// dropManagedFields halves what a small object costs; nothing here reads them.
func dropManagedFields(obj any) (any, error) {
	if object, ok := obj.(metav1.Object); ok { // what is not may be a tombstone
		object.SetManagedFields(nil)
	}
	return obj, nil
}

// start starts every informer that was asked for.
func (f *factories) start(ctx context.Context) {
	f.kubeDirector.StartWithContext(ctx)
	f.system.StartWithContext(ctx)
	f.kube.StartWithContext(ctx)
	f.labelled.StartWithContext(ctx)
}

// waitForSync waits until every cache holds what the API server had at the start.
func (f *factories) waitForSync(ctx context.Context) error {
	for _, wait := range []func(context.Context) cache.SyncResult{
		f.kubeDirector.WaitForCacheSyncWithContext,
		f.system.WaitForCacheSyncWithContext,
		f.kube.WaitForCacheSyncWithContext,
		f.labelled.WaitForCacheSyncWithContext,
	} {
		if err := wait(ctx).AsError(); err != nil {
			return err
		}
	}
	return nil
}

// shutdown waits until the informers have ended; their context must have.
func (f *factories) shutdown() {
	f.kubeDirector.Shutdown()
	f.system.Shutdown()
	f.kube.Shutdown()
	f.labelled.Shutdown()
}

// caches are what observations are made of.
func (f *factories) caches() observe.Caches {
	clusters := f.kubeDirector.Kubedirector().V1alpha1()
	caches := observe.Caches{
		Clusters:   clusters.KubeDirectorClusters().Informer().GetIndexer(),
		Apps:       clusters.KubeDirectorApps().Informer().GetIndexer(),
		SystemApps: f.system.Kubedirector().V1alpha1().KubeDirectorApps().Informer().GetIndexer(),
		Services:   f.kube.Core().V1().Services().Informer().GetIndexer(),
		Sets:       f.kube.Apps().V1().StatefulSets().Informer().GetIndexer(),
		Claims:     f.kube.Core().V1().PersistentVolumeClaims().Informer().GetIndexer(),
		Pods:       f.labelled.Core().V1().Pods().Informer().GetIndexer(),
		Revisions:  f.labelled.Apps().V1().ControllerRevisions().Informer().GetIndexer(),
	}
	if f.seesClasses {
		caches.StorageClasses = f.kube.Storage().V1().StorageClasses().Informer().GetIndexer()
	}
	return caches
}

// sources are what brings keys.
func (f *factories) sources() cluster.Sources {
	sources := cluster.Sources{
		Clusters: f.kubeDirector.Kubedirector().V1alpha1().KubeDirectorClusters().TypedInformer(),
		Apps:     f.apps(),
		Services: f.kube.Core().V1().Services().TypedInformer(),
		Sets:     f.kube.Apps().V1().StatefulSets().TypedInformer(),
		Claims:   f.kube.Core().V1().PersistentVolumeClaims().TypedInformer(),
		Pods:     f.labelled.Core().V1().Pods().TypedInformer(),
		Pins:     f.labelled.Apps().V1().ControllerRevisions().TypedInformer(),
	}
	if f.seesClasses {
		sources.StorageClasses = f.kube.Storage().V1().StorageClasses().TypedInformer()
	}
	return sources
}

// apps are the informers of apps: of the watched namespaces first, then of the system catalog where that is another.
func (f *factories) apps() []cache.TypedSharedIndexInformer[*v1alpha1.KubeDirectorApp] {
	all := []cache.TypedSharedIndexInformer[*v1alpha1.KubeDirectorApp]{f.kubeDirector.Kubedirector().V1alpha1().KubeDirectorApps().TypedInformer()}
	if f.system != f.kubeDirector {
		all = append(all, f.system.Kubedirector().V1alpha1().KubeDirectorApps().TypedInformer())
	}
	return all
}

// addIndexers must come before the informers start.
func (f *factories) addIndexers() error {
	return errors.Join(
		f.kube.Core().V1().Services().Informer().AddIndexers(observe.Indexers()),
		f.kube.Apps().V1().StatefulSets().Informer().AddIndexers(observe.Indexers()),
		f.kube.Core().V1().PersistentVolumeClaims().Informer().AddIndexers(observe.Indexers()),
		f.labelled.Core().V1().Pods().Informer().AddIndexers(observe.Indexers()),
		f.labelled.Apps().V1().ControllerRevisions().Informer().AddIndexers(observe.Indexers()),
	)
}
