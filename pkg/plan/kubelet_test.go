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

package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// advance does what Kubernetes and the guests would do next: make the pods that
// StatefulSets ask for, and end every script that runs, well unless fails says
// how. It returns whether anything was to be done.
func (w *world) advance(fails func(Step) int32) bool {
	w.t.Helper()
	moved := false
	for _, set := range sorted(w.Sets) {
		for n := range int(*set.Spec.Replicas) {
			if pod := names.Pod(set.Name, n); w.Pods[pod] == nil && pod != w.down {
				w.uids++
				w.start(pod, 100+w.uids)
				moved = true
			}
		}
	}
	for _, pod := range sorted(w.Pods) {
		outcome, asked := w.Outcomes[pod.UID]
		if !asked || outcome.Phase != PhaseUnderway {
			continue
		}
		moved = true
		step := w.steps[pod.UID]
		if step.Event != nil {
			if code := fails(step); code == 0 && w.ranBefore(step) {
				w.answer(pod.Name, PhaseDone, &EventResult{State: EventSucceeded, Attempt: 1, Here: w.marked[step.Container.ID], StartedAt: w.Now, FinishedAt: w.Now})
				continue
			}
			w.calls = append(w.calls, fmt.Sprintf("%s: %s", pod.Name, strings.Join(step.Event.Args, " ")))
			if code := fails(step); code != 0 {
				w.fail(pod.Name, code)
				continue
			}
		}
		w.succeed(pod.Name)
	}
	return moved
}

// ranBefore is what a guest finds on its disks: that the event has run within
// its scope. It notes that it runs now, well or not. A volume outlives its pod.
func (w *world) ranBefore(step Step) bool {
	key := fmt.Sprint(step.Event.Name, " ", step.NodeID)
	switch step.Event.Once {
	case OncePerContainer:
		key += step.Container.ID
	case OncePerGeneration:
		key += fmt.Sprint(" ", step.Event.Generation)
	}
	if !step.KeepsLedger {
		key += string(step.Container.PodUID)
	}
	ran := w.ledger[key]
	w.ledger[key] = true
	return ran
}

func noFailure(Step) int32 { return 0 }

// converge lets time pass until the cluster and its surroundings rest.
func (w *world) converge(fails func(Step) int32) {
	w.t.Helper()
	for range 60 {
		w.settle()
		if !w.advance(fails) {
			return
		}
	}
	w.t.Fatalf("it never rests:\n%s", strings.Join(w.lines[len(w.lines)-4:], "--\n"))
}

// wearOut lets so many back-offs pass, each as long as any is.
func (w *world) wearOut(fails func(Step) int32, times int) {
	w.t.Helper()
	for range times {
		w.converge(fails)
		w.after(15 * time.Minute)
	}
}

// scale sets the members of role worker.
func (w *world) scale(members int32) {
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.Roles[1].Members = &members })
}

// annotate asks for something once.
func (w *world) annotate(key, value string) {
	w.Cluster = w.Cluster.DeepCopy()
	w.Cluster.Annotations = map[string]string{key: value}
}

// takes has the app's package take further events.
func (w *world) takes(events ...v1alpha1.LifecycleEvent) {
	w.App = w.App.DeepCopy()
	w.App.Spec.DefaultEventList = append(slices.Clone(w.App.Spec.DefaultEventList), events...)
}

// callsSince are the calls of scripts since the last look, domains left out, sorted.
func (w *world) callsSince() []string {
	calls := w.calls
	w.calls = nil
	for i := range calls {
		calls[i] = strings.ReplaceAll(calls[i], ".c.ns.svc.cluster.local", "")
	}
	slices.Sort(calls)
	return calls
}
