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

package guest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// DefaultStreams is how many visits may follow a script at a time.
const DefaultStreams = 100

// Options are what a Pool works with.
type Options struct {
	Executor Executor
	// ConfigMaps are read one by one when a package is in one; they are never watched.
	ConfigMaps corev1client.ConfigMapsGetter
	// Leader is the term of our leadership; guests refuse an earlier one than they know.
	Leader func() (leaseUID string, epoch int64)
	// Changed is told of each outcome, with the cluster it is for. It must not block.
	Changed func(cluster cache.ObjectName)
	// Slots is how many visits are delivered at a time.
	Slots int
	// Streams is how many visits may follow a script at a time; 0 is DefaultStreams.
	Streams int
	// CABundle holds PEM certificates that guests trust beside the known ones.
	CABundle string
}

// Pool makes visits. It is safe for concurrent use, and none of its methods but Drain waits.
type Pool struct {
	Options
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	sent   atomic.Int64 // requests so far, of the one term in which a process leads

	mu       sync.Mutex
	draining bool
	guests   map[types.UID]*guest
	newest   map[types.NamespacedName]types.UID // the pods of guests
	queue    *fairQueue
	slots    int // in use
	streams  int // in use
	checks   map[catalog.ConfigMapKey]*check
}

// guest is what is known of the guest in one pod, by the pod's UID.
type guest struct {
	cluster cache.ObjectName
	pod     types.NamespacedName
	// next waits in the queue, or for current to end; nil when no step is due.
	next *visit
	// current is under way; nil when none is.
	current *visit
	// outcome is that of the newest step.
	outcome plan.Outcome
	// containerID is the container that incarnation, the guest's word for it, was learnt from.
	containerID, incarnation string
	// forgotten guests are gone once current has ended.
	forgotten bool
}

// New makes a Pool that works until it is drained. Its log goes to the logger in ctx.
func New(ctx context.Context, options Options) *Pool {
	if options.Streams == 0 {
		options.Streams = DefaultStreams
	}
	p := &Pool{
		Options: options,
		guests:  map[types.UID]*guest{},
		newest:  map[types.NamespacedName]types.UID{},
		queue:   newFairQueue(),
		checks:  map[catalog.ConfigMapKey]*check{},
	}
	// Stopping in order is Drain's: ctx may end while others still count on us.
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return p
}

// Ensure has a step done. The same step again is nothing while it waits or is
// under way, and asks anew once it is not. Another step of the same pod takes the
// place of one that waits, and of one that is under way: its stream is cut.
func (p *Pool) Ensure(cluster cache.ObjectName, step plan.Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return
	}
	uid, key := step.Container.PodUID, step.Key()
	g := p.guest(cluster, step.Container)
	if newest := g.newest(); newest != nil && newest.key == key {
		return
	}
	if g.outcome.Key != key {
		// Asked again, a step keeps the outcome it had until there is news.
		g.outcome = plan.Outcome{Key: key, Phase: plan.PhaseUnderway, At: time.Now(), Configured: step.Configured == plan.ConfiguredNever}
	}
	queued := g.next != nil
	g.next = &visit{cluster: g.cluster, step: step, key: key}
	switch {
	case g.current != nil:
		g.current.abandon() // and finish puts the next one into the queue
	case !queued:
		p.queue.push(g.cluster, uid)
	}
	p.dispatch()
}

// guest is the one in a pod. It takes the place of one in an earlier pod of that name.
func (p *Pool) guest(cluster cache.ObjectName, container plan.Container) *guest {
	if earlier, known := p.newest[container.Pod]; known && earlier != container.PodUID {
		p.forget(earlier)
	}
	p.newest[container.Pod] = container.PodUID
	g, known := p.guests[container.PodUID]
	if !known {
		g = &guest{cluster: cluster, pod: container.Pod}
		p.guests[container.PodUID] = g
	}
	g.forgotten = false
	return g
}

// newest is the visit that was asked for last and has not ended; nil when there is none.
func (g *guest) newest() *visit {
	switch {
	case g.next != nil:
		return g.next
	case g.current != nil && !g.current.abandoned:
		return g.current
	}
	return nil
}

// Outcome is where the newest step of a pod stands.
func (p *Pool) Outcome(pod types.UID) (plan.Outcome, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, known := p.guests[pod]
	if !known || g.forgotten {
		return plan.Outcome{}, false
	}
	return g.outcome, true
}

// Outcomes are those of the pods that have one.
func (p *Pool) Outcomes(pods ...types.UID) map[types.UID]plan.Outcome {
	outcomes := make(map[types.UID]plan.Outcome, len(pods))
	for _, pod := range pods {
		if outcome, known := p.Outcome(pod); known {
			outcomes[pod] = outcome
		}
	}
	return outcomes
}

// Forget gives up a pod that is gone.
func (p *Pool) Forget(pod types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(pod)
}

// ForgetCluster gives up all that is known for a cluster that is gone.
func (p *Pool) ForgetCluster(cluster cache.ObjectName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pod, g := range p.guests {
		if g.cluster == cluster {
			p.forget(pod)
		}
	}
	for key, c := range p.checks {
		delete(c.clusters, cluster)
		if len(c.clusters) == 0 {
			delete(p.checks, key)
		}
	}
}

func (p *Pool) forget(pod types.UID) {
	g, known := p.guests[pod]
	if !known {
		return
	}
	if p.newest[g.pod] == pod {
		delete(p.newest, g.pod)
	}
	p.queue.remove(g.cluster, pod)
	g.next, g.outcome, g.forgotten = nil, plan.Outcome{}, true
	if g.current == nil {
		delete(p.guests, pod)
	} else {
		g.current.abandon()
	}
	p.showGauges()
}

// Drain stops taking work, cuts all streams and waits for them to end, as long
// as ctx lasts. Scripts go on: whoever leads next finds them.
func (p *Pool) Drain(ctx context.Context) error {
	p.mu.Lock()
	p.draining = true
	p.queue = newFairQueue()
	for _, g := range p.guests {
		g.next = nil
		if g.current != nil {
			g.current.abandon()
		}
	}
	p.cancel()
	p.showGauges()
	p.mu.Unlock()

	over := make(chan struct{})
	go func() {
		defer close(over)
		p.wg.Wait()
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("visits to containers are still ending: %w", context.Cause(ctx))
	}
}

func (p *Pool) log() klog.Logger { return klog.FromContext(p.ctx) }
