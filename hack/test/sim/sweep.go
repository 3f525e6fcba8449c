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
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/hack/test/sim/guests"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// scenario is an operation that is to come to the same end wherever the
// controller dies in it.
type scenario struct {
	name string
	// begin brings the world to where the operation begins; nil: a cluster that is ready.
	begin func(*world)
	// operate are the steps of the operation.
	operate []step
	// exits is how scripts end; nil: well.
	exits func(*guests.Script) int
	// silent is true for one in which the controller has nothing to write.
	silent bool
}

var scenarios = []scenario{
	{name: "create", begin: func(*world) {}, operate: []step{"user create", "calm"}},
	{name: "up", operate: []step{"user scale worker 4", "calm"}},
	{name: "down", operate: []step{"user scale worker 1", "calm"}},
	{name: "down and up", operate: []step{"user scale worker 1", "calm", "user scale worker 3", "calm"}},
	{name: "veto", operate: []step{"user scale worker 1", "calm"}, exits: vetoOnce},
	{name: "replace", operate: []step{"user annotate replace 2", "calm"}},
	{name: "replace with volume", operate: []step{"user annotate replace 3+volume", "calm"}},
	{name: "node loss", operate: []step{"fault node-stop node-3", "calm", "fault node-start node-3", "calm"}},
	{name: "suspend", operate: []step{"user suspend", "calm"}},
	{name: "start", begin: suspended, operate: []step{"user start", "calm"}},
	{name: "template edit", operate: []step{"user env worker 1", "calm"}},
	{name: "app edit", operate: []step{"user app-image 2", "calm"}},
	{name: "upgrade", begin: upgraded, operate: []step{"calm"}, silent: true},
	{name: "status wiped", operate: []step{"user wipe", "calm"}},
	{name: "status of more members restored", begin: backedUp("user scale worker 4", "user scale worker 1"), operate: []step{"user restore", "calm"}},
	{name: "status of fewer members restored", begin: backedUp("user scale worker 1", "user scale worker 4"), operate: []step{"user restore", "calm"}},
	{name: "status of a replaced member restored", begin: backedUp("flow", "user annotate replace 2"), operate: []step{"user restore", "calm"}},
	{name: "delete", operate: []step{"user delete", "calm"}},
}

// vetoOnce has members refuse to leave when they are asked first.
func vetoOnce(s *guests.Script) int {
	if s.Event == string(v1alpha1.EventDecommission) && s.Attempt == 1 {
		return 3
	}
	return 0
}

func suspended(w *world) {
	ready(w)
	w.do("user suspend")
	w.do("calm")
}

func upgraded(w *world) {
	ready(w)
	w.do("fault upgrade")
	w.do(step("fault kill " + w.leads.name))
	w.do("fault start 0")
}

// backedUp has had the status kept after one step, and is ready after another one.
func backedUp(then, now step) func(*world) {
	return func(w *world) {
		ready(w)
		w.do(then)
		w.do("calm")
		w.do("user back-up")
		w.do(now)
		w.do("calm")
	}
}

func ready(w *world) {
	w.do("user create")
	w.do("calm")
}

// end is what an operation comes to.
type end struct {
	State   string
	Roster  []string
	Objects []string
	// Scripts are those that succeeded, in no order.
	Scripts []string
	Minds   []string
}

// mishap is what happens at a write or exec of the controller.
type mishap struct {
	// unsent is true of a process that dies before it has sent it, and not when it has.
	unsent bool
	// stalls is true of one that does not die: it stalls for as long as another leads and comes to the end.
	stalls bool
	// behind is how many versions the caches of the next process lag.
	behind int
}

// run makes the operation in a world of its own. The mishap is at the nth write
// or exec, if it comes to that: met says whether it did.
func (s scenario) run(w *world, nth int, m mishap) (e end, met bool) {
	if s.exits != nil {
		w.exits = s.exits
	}
	if s.begin == nil {
		ready(w)
	} else {
		s.begin(w)
	}
	w.behind = m.behind
	first := w.leads
	if nth >= 0 {
		first.network.fuse, first.network.unsent, first.network.stalls = nth, m.unsent, m.stalls
	}
	for _, step := range s.operate {
		if !w.do(step) {
			w.violate("each step of the story applies", "%s", step)
		}
	}
	if m.stalls && first.network.burnt {
		w.do("fault thaw")
		for _, pod := range w.lateAt() {
			w.do(step("late " + pod))
		}
		w.do("calm")
	}
	if w.restless {
		w.violate("after faults stop the system comes to rest", "it does not within %d steps", maxCalm)
	} else if cluster := w.cluster(); cluster == nil || !cluster.Spec.Suspend {
		w.book.settled()
	}
	return w.end(), first.network.burnt
}

func (w *world) end() end {
	var e end
	cluster := w.cluster()
	if cluster != nil {
		e.State = string(cluster.Status.State)
		for _, role := range cluster.Status.Roles {
			for _, m := range role.Members {
				e.Roster = append(e.Roster, fmt.Sprintf("%s=%d %s", m.Pod, m.NodeID, m.State))
			}
		}
	}
	e.Objects = slices.Concat(
		namesOf(apiserver.List[*corev1.Pod](w.api, namespace)),
		namesOf(apiserver.List[*corev1.Service](w.api, namespace)),
		namesOf(apiserver.List[*appsv1.StatefulSet](w.api, namespace)),
		namesOf(apiserver.List[*corev1.PersistentVolumeClaim](w.api, namespace)),
	)
	for _, script := range w.book.succeeded {
		e.Scripts = append(e.Scripts, fmt.Sprintf("%s=%d %s", script.Pod, script.NodeID, strings.Join(script.Args, " ")))
	}
	slices.Sort(e.Scripts)
	for _, pod := range apiserver.List[*corev1.Pod](w.api, namespace) {
		if mind := w.book.mindIn(pod.Name); mind != nil {
			e.Minds = append(e.Minds, fmt.Sprintf("%s=%d knows %s", pod.Name, mind.nodeID, asText(mind.peers)))
		}
	}
	return e
}

func namesOf[O object](objects []O) []string {
	var names []string
	for _, o := range objects {
		names = append(names, fmt.Sprintf("%T %s", o, o.GetName()))
	}
	return names
}
