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
	"time"

	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

// dispatch starts the visits for which there are slots. p.mu is held.
func (p *Pool) dispatch() {
	for p.slots < p.Slots {
		pod, due := p.queue.pop()
		if !due {
			break
		}
		p.start(p.guests[pod])
	}
	p.showGauges()
}

// start begins the next visit to a guest. p.mu is held.
func (p *Pool) start(g *guest) {
	v := g.next
	g.next, g.current = nil, v
	p.slots++
	v.holdsSlot = true
	if v.follows = p.streams < p.Streams; v.follows {
		p.streams++
	}
	if g.containerID == v.step.Container.ID {
		v.incarnation = g.incarnation
	}
	v.resumes = g.outcome.Key == v.key && g.outcome.Phase == plan.PhaseRunning

	logger := klog.LoggerWithValues(p.log(), "kubedirectorcluster", klog.KRef(v.cluster.Namespace, v.cluster.Name), "step", v.step.String())
	ctx, cancel := context.WithCancel(klog.NewContext(p.ctx, logger))
	v.cancel = cancel
	p.wg.Go(func() {
		defer cancel()
		p.finish(g, v, p.perform(ctx, v))
	})
}

// finish ends a visit with its one outcome, unless it was given up.
func (p *Pool) finish(g *guest, v *visit, outcome plan.Outcome) {
	p.mu.Lock()
	g.current = nil
	p.freeSlot(v)
	if v.follows {
		p.streams--
	}
	if v.learnt != "" {
		g.containerID, g.incarnation = v.step.Container.ID, v.learnt
	}
	pod := v.step.Container.PodUID
	switch {
	case g.next != nil:
		p.queue.push(g.cluster, pod)
	case g.forgotten:
		delete(p.guests, pod)
	}
	news := !v.abandoned
	if news {
		p.conclude(g, v, outcome)
	}
	p.dispatch()
	p.mu.Unlock()

	if news {
		p.Changed(v.cluster)
		return
	}
	visitsTotal.WithLabelValues(abandoned).Inc()
}

// conclude makes the end of a visit that of its step. p.mu is held.
func (p *Pool) conclude(g *guest, v *visit, outcome plan.Outcome) {
	before := g.outcome
	outcome.Key, outcome.At, outcome.Tries = v.key, time.Now(), 1
	outcome.Configured = outcome.Configured || v.step.Configured == plan.ConfiguredNever
	if before.Key == outcome.Key && before.Phase == outcome.Phase {
		outcome.Tries = before.Tries + 1
	}
	g.outcome = outcome
	visitsTotal.WithLabelValues(string(outcome.Phase)).Inc()
	observeScript(&v.step, before, outcome)
	klog.LoggerWithValues(p.log(), "kubedirectorcluster", klog.KRef(v.cluster.Namespace, v.cluster.Name)).V(2).Info("Visited",
		"step", v.step.String(), "phase", outcome.Phase, "tries", outcome.Tries, "reason", outcome.Reason, "message", outcome.Message)
}

// releaseSlot lets another visit be delivered while this one goes on.
func (p *Pool) releaseSlot(v *visit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.freeSlot(v)
	p.dispatch()
}

// freeSlot gives back a slot, once. p.mu is held.
func (p *Pool) freeSlot(v *visit) {
	if v.holdsSlot {
		v.holdsSlot = false
		p.slots--
	}
}

func (p *Pool) showGauges() {
	queueDepth.Set(float64(p.queue.len()))
	slotsInUse.Set(float64(p.slots))
	streamsInUse.Set(float64(p.streams))
}
