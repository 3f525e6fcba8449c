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
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/hack/test/sim/guests"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// A step is one thing that happens, as a line of a trace. Done again in the
// same order, the same steps come to the same end.
//
//	pass r1                        replica r1 makes the pass that waits
//	watch r1 pods 2                two events reach a cache of r1; "all" for all of every cache
//	relist r1 pods                 its watch was lost, it lists anew
//	exec r1 c-worker-0 delivered   a request reaches the guest; or unanswered, refused, late
//	late c-worker-0                a request that is late there goes on
//	script c-worker-0 0            a script ends with that exit code
//	kube start ns/c-worker-0       Kubernetes does something, see package kube
//	wait 1s                        time passes
//	flow                           all that is due happens, well and in order
//	calm                           the same, until the world rests however long one waits
//	user scale worker 3            see userActions
//	fault kill r1                  see faults
type step string

// moves are what steps do, by their first word. They return false where it does not apply.
var moves map[string]func(w *world, args []string) bool

func init() {
	moves = map[string]func(w *world, args []string) bool{
		"pass":   (*world).pass,
		"watch":  (*world).watch,
		"relist": (*world).relist,
		"exec":   (*world).exec,
		"late":   (*world).thawExec,
		"script": (*world).endScript,
		"kube":   func(w *world, args []string) bool { return w.kube.Do(strings.Join(args, " ")) },
		"wait":   (*world).wait,
		"flow":   (*world).flow,
		"calm":   (*world).calm,
		"user":   func(w *world, args []string) bool { return w.user.do(args) },
		"fault":  func(w *world, args []string) bool { return faults[args[0]](w, args[1:]) },
	}
}

// do makes a step and looks at all invariants; false: it does not apply now.
func (w *world) do(s step) bool {
	words := strings.Fields(string(s))
	move, known := moves[words[0]]
	if !known {
		panic(fmt.Sprintf("there is no step %q", s))
	}
	if !move(w, words[1:]) {
		return false
	}
	w.rest()
	w.book.check() // of those, too, that have lost their lease and go now
	w.deaths()
	w.rest()
	w.steps++
	return true
}

func (w *world) replica(name string) *replica {
	for _, r := range w.replicas {
		if r.name == name {
			return r
		}
	}
	return nil
}

func (w *world) pass(args []string) bool {
	r := w.replica(args[0])
	if r == nil || r.due == nil || w.leads != r {
		return false
	}
	key := *r.due
	r.turn <- struct{}{}
	if w.hasty {
		w.rest()
		r.loop.Add(key)
		w.rest()
		if r.due != nil {
			r.turn <- struct{}{}
		}
	}
	return true
}

func (w *world) watch(args []string) bool {
	r := w.replica(args[0])
	if r == nil {
		return false
	}
	moved := false
	for _, feed := range r.feeds {
		lag := feed.lag()
		switch {
		case lag == 0:
		case args[1] == "all":
			feed.deliver(lag)
			moved = true
		case args[1] == feed.name():
			feed.deliver(int(number(args[2])))
			moved = true
		}
	}
	return moved
}

func (w *world) relist(args []string) bool {
	r := w.replica(args[0])
	if r == nil {
		return false
	}
	for _, feed := range r.feeds {
		if args[1] == feed.name() {
			feed.relist()
			return true
		}
	}
	return false
}

func (w *world) exec(args []string) bool {
	for _, c := range w.waiting() {
		if c.replica.name == args[0] && c.pod == args[1] {
			c.fate <- fate(args[2])
			return true
		}
	}
	return false
}

// running is the script that runs in the pod of a name; nil: none.
func (w *world) running(pod string) *guests.Script {
	for _, script := range w.guests.Running() {
		if script.Pod == pod {
			return script
		}
	}
	return nil
}

func (w *world) endScript(args []string) bool {
	script := w.running(args[0])
	return script != nil && w.guests.End(script.Number, int(number(args[1])))
}

func (w *world) wait(args []string) bool {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		panic(err)
	}
	w.sleep(d)
	return true
}

// faults are what goes wrong, by the word that a trace has for it.
var faults = map[string]func(w *world, args []string) bool{
	"kill":  (*world).killReplica,
	"start": (*world).startStale,
	"fuse":  (*world).lightFuse,
	"conflicts": func(w *world, args []string) bool {
		return w.onLeader(func(t *transport) { t.conflicts += int(number(args[0])) })
	},
	"lost": func(w *world, args []string) bool {
		return w.onLeader(func(t *transport) { t.lost += int(number(args[0])) })
	},
	"outage": func(w *world, args []string) bool {
		return w.onLeader(func(t *transport) { t.outage = args[0] == "on" })
	},
	"freeze":  (*world).freeze,
	"thaw":    (*world).thaw,
	"lease":   (*world).loseLease,
	"compact": (*world).compact,
	"supervisor": func(w *world, args []string) bool {
		script := w.running(args[0])
		return script != nil && w.guests.Killed(script.Number)
	},
	"container":      func(w *world, args []string) bool { return w.kube.CrashContainer(namespace, args[0], len(args) > 1) },
	"node-stop":      func(w *world, args []string) bool { return w.kube.StopNode(args[0]) },
	"node-partition": func(w *world, args []string) bool { return w.kube.Partition(args[0]) },
	"node-start":     func(w *world, args []string) bool { return w.kube.StartNode(args[0]) },
	"node-delete":    func(w *world, args []string) bool { return w.kube.DeleteNode(args[0]) },
	"node-add":       func(w *world, args []string) bool { return w.kube.AddNode(args[0]) },
	"out-of-service": func(w *world, args []string) bool { return w.kube.OutOfService(args[0], args[1] == "on") },
	"quota":          func(w *world, args []string) bool { w.kube.RefusePods(args[0] == "on"); return true },
	"upgrade":        (*world).upgrade,
}

func (w *world) onLeader(act func(*transport)) bool {
	if w.leads == nil {
		return false
	}
	act(w.leads.network)
	return true
}

func (w *world) killReplica(args []string) bool {
	r := w.replica(args[0])
	if r == nil {
		return false
	}
	w.bury(r)
	return true
}

// startStale BEHIND starts a process whose caches begin so many versions in the past; it leads if nobody does.
func (w *world) startStale(args []string) bool {
	if len(w.replicas) > 1 {
		return false
	}
	w.startReplica(max(0, w.api.Version()-number(args[0])))
	w.lead()
	return true
}

// lightFuse WRITES [unsent] has the leader end at its Nth write or exec from now.
func (w *world) lightFuse(args []string) bool {
	return w.onLeader(func(t *transport) { t.fuse, t.unsent = int(number(args[0])), len(args) > 1 })
}

// freeze has the leader stop within its next write.
func (w *world) freeze([]string) bool {
	if w.leads == nil || w.leads.network.thaw != nil {
		return false
	}
	w.leads.network.freezing, w.leads.network.thaw = true, make(chan struct{})
	return true
}

// thaw lets frozen replicas go on.
func (w *world) thaw([]string) bool {
	moved := false
	for _, r := range w.replicas {
		if t := r.network; t.thaw != nil {
			frozen := t.thaw
			t.thaw, t.freezing = nil, false
			close(frozen)
			moved = true
		}
	}
	return moved
}

// loseLease has the lease pass on to another replica, if there is one. One that
// is not frozen in a pass ends; one that is does when it goes on.
func (w *world) loseLease([]string) bool {
	if w.leads == nil {
		return false
	}
	w.leads = nil
	w.lead()
	return true
}

// compact RESOURCE has the server forget its log, so that a cache that lags must list anew.
func (w *world) compact(args []string) bool {
	for _, r := range w.replicas {
		for _, feed := range r.feeds {
			if feed.name() == args[0] {
				w.api.Compact(schema.GroupResource{Group: feed.group(), Resource: args[0]})
				return true
			}
		}
	}
	return false
}

// builtEarlier is the version of the builder of an earlier controller.
const builtEarlier = "0"

// upgrade makes the StatefulSets such as an earlier version of the controller
// built them: what renders them today renders otherwise. No pod may be touched.
func (w *world) upgrade([]string) bool {
	moved := false
	for _, set := range apiserver.List[*appsv1.StatefulSet](w.api, namespace) {
		if set.Annotations[names.AnnotationBuilderVersion] == builtEarlier || set.DeletionTimestamp != nil {
			continue
		}
		set = set.DeepCopy()
		set.Annotations[names.AnnotationBuilderVersion] = builtEarlier
		set.Spec.Template.Annotations[names.AnnotationBuilderVersion] = builtEarlier
		set.Spec.Template.Spec.InitContainers[0].Image = "kubedirector/kubedirector:older"
		w.must(apiserver.Update(w.api, set))
		moved = true
	}
	return moved
}
