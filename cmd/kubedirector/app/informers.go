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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/generated/informers/externalversions"
	"github.com/bluek8s/kubedirector/pkg/generated/informers/externalversions/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// resync is never: an informer's cache does not miss events, and what must
// happen in time is asked for by its plan.
const resync = 0

// factories make informers, whose caches are kept on standbys too.
type factories struct {
	// kubeDirector has the clusters and apps of the watched namespace.
	kubeDirector externalversions.SharedInformerFactory
	// system has the apps of the system namespace; nil where kubeDirector sees them.
	system externalversions.SharedInformerFactory
	// kube has what may stand in a cluster's way under a name it needs, whoever owns it.
	kube informers.SharedInformerFactory
	// labelled has pods and revisions: of those a cluster needs its own alone, and others' are many.
	labelled informers.SharedInformerFactory
	// storageClasses is nil where only one namespace is watched: the rights for
	// that do not reach classes, which no namespace has.
	storageClasses informers.SharedInformerFactory
}

func newFactories(c *clients, watchNamespace, systemNamespace string) *factories {
	kubeDirectorIn := func(namespace string) externalversions.SharedInformerFactory {
		return externalversions.NewSharedInformerFactoryWithOptions(c.kubeDirector, resync,
			externalversions.WithNamespace(namespace), externalversions.WithTransform(dropManagedFields))
	}
	kube := func(options ...informers.SharedInformerOption) informers.SharedInformerFactory {
		options = append(options, informers.WithTransform(dropManagedFields))
		return informers.NewSharedInformerFactoryWithOptions(c.kube, resync, options...)
	}
	here := informers.WithNamespace(watchNamespace)
	ofClusters := informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = names.LabelCluster })

	f := &factories{kubeDirector: kubeDirectorIn(watchNamespace), kube: kube(here), labelled: kube(here, ofClusters)}
	if watchNamespace == metav1.NamespaceAll {
		f.storageClasses = kube()
	} else if watchNamespace != systemNamespace {
		f.system = kubeDirectorIn(systemNamespace)
	}
	return f
}

// catalogs are the informers of apps, that of the system catalog last. They
// are one where the watched namespaces include the system's.
func (f *factories) catalogs() []v1alpha1.TypedKubeDirectorAppInformer {
	catalogs := []v1alpha1.TypedKubeDirectorAppInformer{f.kubeDirector.Kubedirector().V1alpha1().KubeDirectorApps()}
	if f.system != nil {
		catalogs = append(catalogs, f.system.Kubedirector().V1alpha1().KubeDirectorApps())
	}
	return catalogs
}

// dropManagedFields halves what a small object costs; nothing here reads them.
func dropManagedFields(obj any) (any, error) {
	if object, ok := obj.(metav1.Object); ok { // what is not may be a tombstone
		object.SetManagedFields(nil)
	}
	return obj, nil
}

// factory is what the factories of all groups have in common.
type factory interface {
	StartWithContext(context.Context)
	WaitForCacheSyncWithContext(context.Context) cache.SyncResult
	Shutdown()
}

func (f *factories) all() []factory {
	all := []factory{f.kubeDirector, f.kube, f.labelled}
	if f.system != nil {
		all = append(all, f.system)
	}
	if f.storageClasses != nil {
		all = append(all, f.storageClasses)
	}
	return all
}

// start starts every informer that was asked for.
func (f *factories) start(ctx context.Context) {
	for _, one := range f.all() {
		one.StartWithContext(ctx)
	}
}

// waitForSync waits until every cache holds what the API server had at the start.
func (f *factories) waitForSync(ctx context.Context) error {
	for _, one := range f.all() {
		if err := one.WaitForCacheSyncWithContext(ctx).AsError(); err != nil {
			return err
		}
	}
	return nil
}

// shutdown waits until the informers have ended; their context must have.
func (f *factories) shutdown() {
	for _, one := range f.all() {
		one.Shutdown()
	}
}
