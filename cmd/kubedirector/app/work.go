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
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/controller"
	appcontroller "github.com/bluek8s/kubedirector/pkg/controller/app"
	"github.com/bluek8s/kubedirector/pkg/controller/cluster"
	"github.com/bluek8s/kubedirector/pkg/execute"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	"github.com/bluek8s/kubedirector/pkg/guest"
	"github.com/bluek8s/kubedirector/pkg/observe"
	"github.com/bluek8s/kubedirector/pkg/plan"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

const (
	// maxAppWorkers bounds the workers of apps, which have next to nothing to do.
	maxAppWorkers = 2
	// drainVisits is how long visits to containers may take to end once we stop.
	drainVisits = 3 * time.Second
)

// work is what a leader does.
type work struct {
	clusters, apps *controller.Controller
	guests         *guest.Pool
	workers        int
	stopEvents     func()
}

// newWork makes the controllers; what it returns runs them while this process
// leads. The informers may run before that: they only read.
func newWork(ctx context.Context, c CompletedConfig, f *factories) (func(context.Context) error, error) {
	w := &work{workers: c.settings.Workers}
	if err := f.addIndexers(); err != nil {
		return nil, err
	}
	recorder, stopEvents := execute.NewRecorder(ctx, c.clients.kube)
	w.stopEvents = stopEvents
	w.guests = guest.New(ctx, guest.Options{
		Executor:   guest.NewPodExecutor(c.clients.rest, c.clients.kube.CoreV1().RESTClient()),
		ConfigMaps: c.clients.kube.CoreV1(),
		Leader:     c.leadership.Leader,
		Changed:    func(key cache.ObjectName) { w.clusters.Add(key) },
		Slots:      c.settings.GuestConcurrency,
		CABundle:   c.packageCA,
	})
	tracker := freshness.New(f.stores())
	syncer := &cluster.Syncer{
		Fresh: tracker,
		Observe: &observe.Observer{
			Caches: f.caches(),
			Guests: w.guests,
			Warnings: &observe.Warnings{
				Events: c.clients.kube.CoreV1(),
				Clock:  clock.RealClock{},
				Later:  func(key cache.ObjectName, after time.Duration) { w.clusters.AddAfter(key, after) },
			},
			SystemNamespace: c.settings.SystemNamespace,
			Settings:        planSettings(c),
			Clock:           clock.RealClock{},
		},
		Execute:  &execute.Executor{Kube: c.clients.kube, KubeDirector: c.clients.kubeDirector, Writes: tracker, Guests: w.guests},
		Status:   &execute.StatusWriter{KubeDirector: c.clients.kubeDirector, Writes: tracker},
		Recorder: recorder,
		Clock:    clock.RealClock{},
		Gone:     w.guests.ForgetCluster,
	}
	w.clusters = controller.New(cluster.Name, syncer.Sync)
	if err := cluster.Subscribe(w.clusters, f.sources()); err != nil {
		return nil, err
	}
	apps := f.kubeDirector.Kubedirector().V1alpha1().KubeDirectorApps()
	appSyncer := &appcontroller.Syncer{Client: c.clients.kubeDirector.KubedirectorV1alpha1(), Lister: apps.Lister()}
	w.apps = controller.New(appcontroller.Name, appSyncer.Sync)
	if err := controller.Enqueue(w.apps, f.apps()[0], controller.Itself[*v1alpha1.KubeDirectorApp]); err != nil {
		return nil, err
	}
	return w.run, nil
}

func planSettings(c CompletedConfig) plan.Settings {
	return plan.Settings{
		ClusterDomain:           c.settings.ClusterDomain,
		DefaultServiceType:      c.settings.DefaultServiceType,
		DefaultStorageClassName: c.settings.DefaultStorageClassName,
		Render:                  resources.Settings{GuestImage: c.settings.GuestImage},
	}
}

// run works until ctx ends. The workers stop first, then the visits; scripts in
// members go on, and whoever leads next finds them.
func (w *work) run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { w.clusters.Run(ctx, w.workers) })
	wg.Go(func() { w.apps.Run(ctx, min(w.workers, maxAppWorkers)) })
	wg.Wait()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainVisits)
	defer cancel()
	err := w.guests.Drain(drain)
	w.stopEvents()
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // they are cut with the process; nothing is lost by that
	}
	return err
}

// stores are those in which our own writes show.
func (f *factories) stores() map[schema.GroupResource]freshness.Store {
	caches := f.caches()
	return map[schema.GroupResource]freshness.Store{
		v1alpha1.Resource("kubedirectorclusters"):        caches.Clusters,
		{Resource: "services"}:                           caches.Services,
		{Resource: "pods"}:                               caches.Pods,
		{Resource: "persistentvolumeclaims"}:             caches.Claims,
		{Group: "apps", Resource: "statefulsets"}:        caches.Sets,
		{Group: "apps", Resource: "controllerrevisions"}: caches.Revisions,
	}
}
