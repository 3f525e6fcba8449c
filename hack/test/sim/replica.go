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

package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/controller"
	"github.com/bluek8s/kubedirector/pkg/controller/cluster"
	"github.com/bluek8s/kubedirector/pkg/execute"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
	"github.com/bluek8s/kubedirector/pkg/guest"
	"github.com/bluek8s/kubedirector/pkg/leader"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/observe"
	"github.com/bluek8s/kubedirector/pkg/plan"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// replica is one process of the controller: the real one from its queue to its
// requests, wired as cmd/kubedirector does it, on caches and a network that the
// walk controls. Each of its passes waits for the walk to let it go on.
type replica struct {
	world *world
	name  string
	epoch int64

	network *transport
	feeds   []feed
	loop    *controller.Controller
	pool    *guest.Pool
	stop    context.CancelFunc
	stopped chan struct{}

	// turn lets the pass go on that waits; due is its key.
	turn chan struct{}
	due  *cache.ObjectName
	// passing is true while a pass is under way: one that is frozen in a request.
	passing bool
}

// newReplica starts a process whose caches begin with what the server had at a version in the past.
func newReplica(w *world, name string, from int64) *replica {
	ctx, stop := context.WithCancel(klog.NewContext(context.Background(), w.log))
	r := &replica{world: w, name: name, stop: stop, stopped: make(chan struct{}), turn: make(chan struct{})}
	r.network = newTransport(w.api, w.inOrder, r.holds)
	config := &rest.Config{
		Host:          "http://sim",
		UserAgent:     r.agent(),
		QPS:           -1,
		ContentConfig: rest.ContentConfig{ContentType: "application/json"},
		Transport:     r.network,
		WrapTransport: leader.NewGate(r.holds).Wrap,
	}
	kube, err := kubernetes.NewForConfig(config)
	kubeDirector, other := versioned.NewForConfig(config)
	if err := errors.Join(err, other); err != nil {
		panic(err)
	}
	r.loop = r.wire(ctx, kube, kubeDirector)
	for _, feed := range r.feeds {
		feed.start(from)
	}
	go func() {
		defer close(r.stopped)
		r.loop.Run(ctx, 1)
	}()
	return r
}

// controllerAgent begins the user agent of every replica's requests.
const controllerAgent = "kubedirector"

func (r *replica) agent() string { return controllerAgent + "/" + r.name }

func inform[O item](r *replica, resource schema.GroupResource, selects func(O) bool) *informer[O] {
	i := newInformer(r.world.api, resource, selects)
	r.feeds = append(r.feeds, i)
	return i
}

func ofClusters[O object](o O) bool { return o.GetLabels()[names.LabelCluster] != "" }

// wire is cmd/kubedirector's wiring.
func (r *replica) wire(ctx context.Context, kube kubernetes.Interface, kubeDirector versioned.Interface) *controller.Controller {
	clusters := inform[*v1alpha1.KubeDirectorCluster](r, v1alpha1.Resource("kubedirectorclusters"), nil)
	apps := inform[*v1alpha1.KubeDirectorApp](r, v1alpha1.Resource("kubedirectorapps"), nil)
	services := inform[*corev1.Service](r, corev1.Resource("services"), nil)
	sets := inform[*appsv1.StatefulSet](r, appsv1.Resource("statefulsets"), nil)
	claims := inform[*corev1.PersistentVolumeClaim](r, corev1.Resource("persistentvolumeclaims"), nil)
	pods := inform(r, corev1.Resource("pods"), ofClusters[*corev1.Pod])
	pins := inform(r, appsv1.Resource("controllerrevisions"), ofClusters[*appsv1.ControllerRevision])
	classes := inform[*storagev1.StorageClass](r, storagev1.Resource("storageclasses"), nil)

	from := cluster.Sources{Clusters: clusters, Services: services, Sets: sets, Claims: claims, Pods: pods, Pins: pins, StorageClasses: classes,
		Apps: []cache.TypedSharedIndexInformer[*v1alpha1.KubeDirectorApp]{apps}}
	err := errors.Join(services.AddIndexers(observe.Indexers()), sets.AddIndexers(observe.Indexers()), claims.AddIndexers(observe.Indexers()),
		pods.AddIndexers(observe.Indexers()), pins.AddIndexers(observe.Indexers()))
	caches := observe.Caches{Clusters: clusters.indexer, Apps: apps.indexer, SystemApps: apps.indexer, Services: services.indexer, Sets: sets.indexer,
		Claims: claims.indexer, Pods: pods.indexer, Revisions: pins.indexer, StorageClasses: classes.indexer}
	writes := freshness.New(map[schema.GroupResource]freshness.Store{
		clusters.resource: clusters.indexer, services.resource: services.indexer, sets.resource: sets.indexer,
		claims.resource: claims.indexer, pods.resource: pods.indexer, pins.resource: pins.indexer,
	})

	syncer := &cluster.Syncer{Fresh: writes, Recorder: &recorder{world: r.world}, Clock: clock.RealClock{}}
	loop := controller.New(cluster.Name, r.gated(syncer.Sync))
	r.pool = guest.New(ctx, guest.Options{
		Executor:   &execs{replica: r},
		ConfigMaps: kube.CoreV1(),
		Leader:     func() (string, int64) { return "lease", r.epoch },
		Changed:    loop.Add,
		Slots:      slots,
	})
	syncer.Gone = r.pool.ForgetCluster
	syncer.Confirm = &observe.Confirmed{Clusters: kubeDirector.KubedirectorV1alpha1(), Kube: kube, Caches: caches, Newest: writes.WroteAt}
	syncer.Observe = &observe.Observer{
		Caches:          caches,
		Guests:          r.pool,
		Warnings:        &observe.Warnings{Events: kube.CoreV1(), Clock: clock.RealClock{}, Later: loop.AddAfter},
		SystemNamespace: "kubedirector-system",
		Settings:        settingsOf(r.name),
		Clock:           clock.RealClock{},
	}
	syncer.Execute = &execute.Executor{Kube: kube, KubeDirector: kubeDirector, Writes: writes, Guests: r.pool}
	syncer.Status = &execute.StatusWriter{KubeDirector: kubeDirector, Writes: writes}
	_, forget := pods.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[*corev1.Pod]{
		DeleteFunc: func(deleted cache.DeletedObject[*corev1.Pod]) { r.pool.Forget(deleted.OptionalObj.UID) },
	})
	if err := errors.Join(err, forget, cluster.Subscribe(loop, from)); err != nil {
		panic(err)
	}
	return loop
}

// slots is how many visits are delivered at a time: some wait in larger clusters.
const slots = 4

// settingsOf a replica: each is of a version of its own, with a guest of its own.
func settingsOf(version string) plan.Settings {
	return plan.Settings{
		ClusterDomain:      "cluster.local",
		DefaultServiceType: corev1.ServiceTypeClusterIP,
		Render:             resources.Settings{GuestImage: "kubedirector/kubedirector:" + version},
	}
}

// holds is what the gate asks: whether this replica leads.
func (r *replica) holds() error {
	if r.world.leads != r {
		return errors.New("another replica leads")
	}
	return nil
}

// gated has each pass wait for its turn, and watches how it ends.
func (r *replica) gated(sync controller.Sync) controller.Sync {
	return func(ctx context.Context, key cache.ObjectName) (again time.Duration, err error) {
		r.world.inOrder()
		r.due = &key
		<-r.turn
		r.due = nil
		if r.network.dead {
			return 0, errDead
		}
		r.passing = true
		defer func() {
			r.passing = false
			if reason := recover(); reason != nil {
				r.world.violate("no panic", "%v\n%s", reason, debug.Stack())
				panic(reason)
			}
			r.world.passed(r, err)
		}()
		return sync(ctx, key)
	}
}

// kill ends the process as kill -9 does: nothing more comes of it. Requests that
// were sent stay sent, and what runs in containers goes on.
func (r *replica) kill() {
	r.network.dead = true
	r.stop()
	if frozen := r.network.thaw; frozen != nil {
		r.network.thaw = nil
		close(frozen)
	}
	close(r.turn)
	<-r.stopped
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := r.pool.Drain(ctx); err != nil {
		r.world.violate("a pool can be drained", "%v", err)
	}
}

func (r *replica) String() string { return fmt.Sprintf("%s (epoch %d)", r.name, r.epoch) }
