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
	"fmt"
	"time"
)

// maxCalm is within how many steps a world without faults must come to rest.
const maxCalm = 3000

// pauses are how long is waited, one after the other, while nothing happens:
// when the last one brings nothing either, the world rests. Together they are
// longer than any back-off.
var pauses = []time.Duration{10 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second, 12 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 6 * time.Minute, 16 * time.Minute, 30 * time.Minute}

// calm lets everything happen that is to happen, well and in order, until the
// world rests.
func (w *world) calm([]string) bool { return w.settle(pauses) }

// flow does the same as long as hardly any time has to pass for it.
func (w *world) flow([]string) bool { return w.settle(pauses[:2]) }

func (w *world) settle(pauses []time.Duration) bool {
	w.restless = false
	idle := 0
	for range maxCalm {
		if len(w.violations) > 0 {
			return true
		}
		if s := w.next(); s != "" {
			if w.do(s) {
				idle = 0
			} else if idle++; idle > 100 {
				w.violate("what is due can be done", "%s", s)
				return true
			}
			continue
		}
		if idle >= len(pauses) {
			return true
		}
		before := w.requests()
		w.do(step("wait " + pauses[idle].String()))
		if w.next() == "" && w.requests() == before {
			idle++
		} else {
			idle = 0
		}
	}
	w.restless = true
	return true
}

func (w *world) requests() int {
	n := 0
	for _, r := range w.replicas {
		n += int(r.network.requests.Load())
	}
	return n
}

// next is a step that is due, in a fixed order; empty: none is.
func (w *world) next() step {
	if w.leads == nil && len(w.replicas) > 1 {
		return "fault thaw" // of two that were frozen when each lost its lease
	}
	if w.leads == nil {
		return step(fmt.Sprintf("fault start %d", w.behind))
	}
	if t := w.leads.network; t.stalls && t.thaw != nil {
		if calls := w.waiting(); len(calls) > 0 {
			return calls[0].delivery() // what it has asked of guests overtakes the write that it stalls in
		}
		return "fault lease" // another takes over from one that has stalled
	}
	for _, r := range w.replicas {
		for _, feed := range r.feeds {
			if feed.lag() > 0 {
				return step("watch " + r.name + " all")
			}
		}
	}
	if r := w.leads; r.due != nil {
		return step("pass " + r.name)
	}
	if calls := w.waiting(); len(calls) > 0 {
		return calls[0].delivery()
	}
	if due := w.kube.Due(); len(due) > 0 {
		return step("kube " + due[0])
	}
	if running := w.guests.Running(); len(running) > 0 {
		return step(fmt.Sprintf("script %s %d", running[0].Pod, w.exits(running[0])))
	}
	return ""
}

// heal ends all faults, and has the user ask for what can be realised.
func (w *world) heal(do func(step) bool) {
	do("fault thaw")
	do("fault outage off")
	do("fault quota off")
	for _, node := range nodes {
		do(step("fault node-add " + node))
		do(step("fault node-start " + node))
		do(step("fault out-of-service " + node + " off"))
	}
	for _, pod := range w.lateAt() {
		do(step("late " + pod))
	}
	do("user app-create")
	do("user correct")
	for _, r := range w.replicas {
		r.network.fuse, r.network.conflicts, r.network.lost = -1, 0, 0
	}
}
