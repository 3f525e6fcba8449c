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
	"github.com/bluek8s/kubedirector/pkg/names"
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
}

func newFactories(c *clients, watchNamespace, systemNamespace string) *factories {
	kubeDirectorIn := func(namespace string) externalversions.SharedInformerFactory {
		return externalversions.NewSharedInformerFactoryWithOptions(c.kubeDirector, resync,
			externalversions.WithNamespace(namespace), externalversions.WithTransform(dropManagedFields))
	}
	f := &factories{
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
