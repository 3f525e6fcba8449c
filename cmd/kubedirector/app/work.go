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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/bluek8s/kubedirector/pkg/config"
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

// drainGrace is how long visits to containers may take to end, once no more are asked for.
const drainGrace = time.Second

// work is what a leader does. It is made before the process leads, so that its
// caches are full and its queues know what there is to do.
type work struct {
	workers        int
	controllers    []*controller.Controller
	guests         *guest.Pool
	shutdownEvents func()
}

func newWork(ctx context.Context, c CompletedConfig, f *factories) (*work, error) {
	recorder, shutdownEvents := execute.NewRecorder(ctx, c.clients.kube)
	w := &work{workers: c.settings.Workers, shutdownEvents: shutdownEvents}
	err := errors.Join(w.addClusters(ctx, c, f, recorder), w.addApps(c, f))
	return w, err
}

// addClusters wires the way from events of a cluster's objects to what is done about them.
func (w *work) addClusters(ctx context.Context, c CompletedConfig, f *factories, recorder record.EventRecorder) error {
	from, err := newSources(f)
	if err != nil {
		return err
	}
	caches := cachesOf(from)
	writes := freshness.New(storesOf(caches))

	syncer := &cluster.Syncer{Fresh: writes, Recorder: recorder, Clock: clock.RealClock{}}
	clusters := controller.New(cluster.Name, syncer.Sync)
	w.controllers = append(w.controllers, clusters)

	w.guests = guest.New(ctx, guest.Options{
		Executor:   c.clients.exec,
		ConfigMaps: c.clients.kube.CoreV1(),
		Leader:     c.leadership.Leader,
		Changed:    clusters.Add,
		Slots:      c.settings.GuestConcurrency,
		CABundle:   c.packageCA,
	})
	syncer.Gone = w.guests.ForgetCluster
	syncer.Confirm = &observe.Confirmed{Clusters: c.clients.kubeDirector.KubedirectorV1alpha1(), Kube: c.clients.kube, Caches: caches, Newest: writes.WroteAt}
	syncer.Observe = &observe.Observer{
		Caches:          caches,
		Guests:          w.guests,
		Warnings:        &observe.Warnings{Events: c.clients.kube.CoreV1(), Clock: clock.RealClock{}, Later: clusters.AddAfter},
		SystemNamespace: c.settings.SystemNamespace,
		Settings:        planSettings(c.settings),
		Clock:           clock.RealClock{},
	}
	syncer.Execute = &execute.Executor{Kube: c.clients.kube, KubeDirector: c.clients.kubeDirector, Writes: writes, Guests: w.guests}
	syncer.Status = &execute.StatusWriter{KubeDirector: c.clients.kubeDirector, Writes: writes}
	return errors.Join(cluster.Subscribe(clusters, from), forgetDeleted(from.Pods, w.guests))
}

// addApps wires a controller for each catalog.
func (w *work) addApps(c CompletedConfig, f *factories) error {
	queues := []string{appcontroller.Name, "system-" + appcontroller.Name}
	for i, catalog := range f.catalogs() {
		syncer := &appcontroller.Syncer{Client: c.clients.kubeDirector.KubedirectorV1alpha1(), Lister: catalog.Lister()}
		apps := controller.New(queues[i], syncer.Sync)
		if err := controller.Enqueue(apps, catalog.TypedInformer(), controller.Itself); err != nil {
			return err
		}
		w.controllers = append(w.controllers, apps)
	}
	return nil
}

// forgetDeleted lets the pool go of pods that are gone.
func forgetDeleted(pods cache.TypedSharedIndexInformer[*corev1.Pod], guests *guest.Pool) error {
	_, err := pods.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[*corev1.Pod]{
		DeleteFunc: func(deleted cache.DeletedObject[*corev1.Pod]) {
			if deleted.OptionalObj != nil { // what is not known now goes with its cluster
				guests.Forget(deleted.OptionalObj.UID)
			}
		},
	})
	return err
}

func planSettings(c *config.KubeDirectorConfiguration) plan.Settings {
	return plan.Settings{
		ClusterDomain:           c.ClusterDomain,
		DefaultServiceType:      c.DefaultServiceType,
		DefaultStorageClassName: c.DefaultStorageClassName,
		Render:                  resources.Settings{GuestImage: c.GuestImage},
	}
}

// do works until ctx ends and what was begun has ended: first the
// reconciliations, then the visits to containers, whose scripts run on.
func (w *work) do(ctx context.Context) error {
	var running sync.WaitGroup
	for _, c := range w.controllers {
		running.Go(func() { c.Run(ctx, w.workers) })
	}
	running.Wait()

	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainGrace)
	defer cancel()
	err := w.guests.Drain(draining)
	w.shutdownEvents()
	return err
}
