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
	"math/rand/v2"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// walker chooses what happens next.
type walker struct {
	*world
	rng   *rand.Rand
	trace []step
	// lived is how much of the trace came before all faults ended.
	lived int
	// troubled is how likely a fault is, in a thousand; meddling is a user's edit.
	troubled, meddling int
	// stubborn is an event whose scripts hardly ever succeed; empty: none.
	stubborn v1alpha1.LifecycleEvent
}

// do makes a step and notes it.
func (k *walker) do(s step) bool {
	if !k.world.do(s) {
		return false
	}
	k.trace = append(k.trace, s)
	return true
}

// walk lives a life: a cluster is made, at first often in peace, then anything
// happens, and then all faults end.
func (k *walker) walk(length int) {
	k.do("user create")
	if k.rng.IntN(3) > 0 {
		k.do("calm")
	}
	k.troubled, k.meddling = k.rng.IntN(60), 5+k.rng.IntN(40)
	if k.rng.IntN(4) == 0 {
		k.stubborn = allEvents[1+k.rng.IntN(len(allEvents)-1)] // any but configure, without which nothing goes on
	}
	for range length {
		if len(k.violations) > 0 {
			break
		}
		k.step()
	}
	k.lived = len(k.trace)
	if len(k.violations) == 0 {
		k.finish()
	}
}

// finish ends all faults; the world must come to rest as its user wants it, and be silent.
func (k *walker) finish() {
	for range 3 {
		k.heal(k.do)
		k.do("calm")
		if len(k.violations) > 0 {
			return
		}
	}
	if k.restless {
		k.violate("after faults stop the system comes to rest", "it does not within %d steps", maxCalm)
		return
	}
	k.book.settled()
	if len(k.violations) > 0 {
		return
	}
	before := k.requests()
	k.do("wait 2h")
	if n := k.requests() - before; n > 0 {
		k.violate("idle means silent", "%d requests in two hours", n)
	}
}

// step chooses and makes one step.
func (k *walker) step() {
	roll := k.rng.IntN(1000)
	switch {
	case k.rng.IntN(150) == 0:
		k.do([]step{"flow", "flow", "calm"}[k.rng.IntN(3)])
	case k.leads == nil && roll < 600:
		k.do(step(fmt.Sprintf("fault start %d", []int{0, 0, 1, 3, 10, 40}[k.rng.IntN(6)])))
	case roll < k.troubled:
		k.do(k.fault())
	case roll < k.troubled+k.meddling:
		k.do(k.edit())
	default:
		if s := k.progress(); s == "" || !k.do(s) {
			k.do(step("wait " + []string{"10ms", "200ms", "1s", "5s", "20s", "45s", "5m", "12m"}[min(k.rng.IntN(8), k.rng.IntN(8))]))
		}
	}
}

// progress is something that is due, of whatever kind; empty when the kind chosen has nothing.
func (k *walker) progress() step {
	if len(k.replicas) == 0 {
		return k.moveOfKubernetes()
	}
	r := k.replicas[k.rng.IntN(len(k.replicas))]
	for range 4 {
		switch k.rng.IntN(10) {
		case 0, 1:
			if r.due != nil && k.leads == r {
				return step("pass " + r.name)
			}
		case 2:
			return step("watch " + r.name + " all")
		case 3, 4:
			feed := r.feeds[k.rng.IntN(len(r.feeds))]
			if feed.lag() > 0 {
				return step(fmt.Sprintf("watch %s %s %d", r.name, feed.name(), 1+k.rng.IntN(3)))
			}
		case 5, 6:
			if s := k.moveOfKubernetes(); s != "" {
				return s
			}
		case 7:
			if calls := k.waiting(); len(calls) > 0 {
				c := calls[k.rng.IntN(len(calls))]
				return step(fmt.Sprintf("exec %s %s %s", c.replica.name, c.pod, k.fate()))
			}
			if late := k.lateAt(); len(late) > 0 && k.rng.IntN(4) == 0 {
				return step("late " + late[k.rng.IntN(len(late))])
			}
		case 8:
			if running := k.guests.Running(); len(running) > 0 {
				s := running[k.rng.IntN(len(running))]
				return step(fmt.Sprintf("script %s %d", s.Pod, k.exitCode(s.Event)))
			}
		case 9:
			return step("wait " + []string{"10ms", "100ms", "300ms", "2s", "10s"}[k.rng.IntN(5)])
		}
	}
	return k.next()
}

func (k *walker) moveOfKubernetes() step {
	due := k.kube.Due()
	if len(due) == 0 {
		return ""
	}
	return step("kube " + due[k.rng.IntN(len(due))])
}

func (k *walker) fate() fate {
	if k.rng.IntN(1000) >= 2*k.troubled {
		return delivered
	}
	return []fate{unanswered, refused, late}[k.rng.IntN(3)]
}

func (k *walker) exitCode(event string) int {
	if event == string(k.stubborn) && k.rng.IntN(10) > 0 {
		return 1
	}
	if k.rng.IntN(1000) >= 4*k.troubled {
		return 0
	}
	if event == string(v1alpha1.EventDecommission) && k.rng.IntN(2) == 0 {
		return 3
	}
	return 1 + k.rng.IntN(100)
}

// edit is something that a user does.
func (k *walker) edit() step {
	if k.cluster() == nil {
		return "user create"
	}
	role := []string{workerRole, workerRole, clientRole}[k.rng.IntN(3)]
	switch k.rng.IntN(27) {
	case 0, 1, 2, 3, 4, 5:
		return step(fmt.Sprintf("user scale %s %d", role, k.rng.IntN(5)))
	case 6:
		return "user suspend"
	case 7, 8:
		return "user start"
	case 9:
		return "user pause"
	case 10, 11:
		return "user resume"
	case 12:
		return step(fmt.Sprintf("user env %s %d", []string{controllerRole, workerRole, clientRole}[k.rng.IntN(3)], k.rng.IntN(3)))
	case 13:
		return step("user service " + []string{"ClusterIP", "NodePort"}[k.rng.IntN(2)])
	case 14:
		return "user misspell"
	case 15:
		return step(fmt.Sprintf("user annotate replace %d%s", k.anyID(), []string{"", "", "+volume"}[k.rng.IntN(3)]))
	case 16:
		return step(fmt.Sprintf("user annotate force-remove %d", k.anyID()))
	case 17:
		return step(fmt.Sprintf("user annotate retry %d", k.rng.IntN(1000)))
	case 18:
		return step(fmt.Sprintf("user app-image %d", k.rng.IntN(3)))
	case 19:
		return []step{"user app-delete", "user app-create"}[k.rng.IntN(2)]
	case 20:
		return "user package"
	case 21:
		return []step{"user delete", "user app-create"}[k.rng.IntN(2)]
	case 22:
		return "user wipe"
	case 23:
		return "user hold"
	case 24:
		return step("user own " + k.anyService())
	case 25:
		return step("user note " + k.anyService())
	}
	return k.harmful()
}

// harmful is what people do to a cluster's objects by hand.
func (k *walker) harmful() step {
	pod := k.anyPod()
	set, _, _ := names.ParsePod(pod)
	return step("user harm " + []string{"pod " + pod, "pod " + pod, "service " + names.MemberService(pod), "service " + clusterName, "set " + set}[k.rng.IntN(5)])
}

// fault is something that goes wrong.
func (k *walker) fault() step {
	node := nodes[k.rng.IntN(len(nodes))]
	switch k.rng.IntN(22) {
	case 0:
		return step("fault kill " + k.anyReplica())
	case 1, 2:
		return step(fmt.Sprintf("fault start %d", []int{0, 1, 5, 30}[k.rng.IntN(4)]))
	case 3, 4, 5:
		return step(fmt.Sprintf("fault fuse %d%s", k.rng.IntN(6), []string{"", " unsent"}[k.rng.IntN(2)]))
	case 6:
		return step(fmt.Sprintf("fault conflicts %d", 1+k.rng.IntN(4)))
	case 7:
		return step(fmt.Sprintf("fault lost %d", 1+k.rng.IntN(2)))
	case 8:
		return step("fault outage " + []string{"on", "off", "off"}[k.rng.IntN(3)])
	case 9:
		return "fault freeze"
	case 10:
		return "fault thaw"
	case 11:
		return "fault lease"
	case 12:
		if len(k.replicas) == 0 {
			return "fault start 0"
		}
		feeds := k.replicas[0].feeds
		feed := feeds[k.rng.IntN(len(feeds))].name()
		return []step{step("fault compact " + feed), step("relist " + k.anyReplica() + " " + feed)}[k.rng.IntN(2)]
	case 13:
		return step("fault supervisor " + k.anyPod())
	case 14, 15:
		return step("fault container " + k.anyPod() + []string{"", " oom"}[k.rng.IntN(2)])
	case 16:
		return step("fault node-stop " + node)
	case 17:
		return step("fault node-partition " + node)
	case 18:
		return step("fault node-start " + node)
	case 19:
		return step([]string{"fault node-delete ", "fault node-add ", "fault node-add "}[k.rng.IntN(3)] + node)
	case 20:
		return step(fmt.Sprintf("fault out-of-service %s %s", node, []string{"on", "off", "off"}[k.rng.IntN(3)]))
	}
	return []step{"fault upgrade", "fault quota on", "fault quota off", "fault quota off"}[k.rng.IntN(4)]
}

func (k *walker) anyReplica() string {
	if len(k.replicas) == 0 {
		return "none"
	}
	return k.replicas[k.rng.IntN(len(k.replicas))].name
}

// anyPod is the pod of some member.
func (k *walker) anyPod() string {
	var pods []string
	if cluster := k.cluster(); cluster != nil {
		for _, role := range cluster.Status.Roles {
			for _, m := range role.Members {
				pods = append(pods, m.Pod)
			}
		}
	}
	if len(pods) == 0 {
		return names.Pod(names.StatefulSet(clusterName, workerRole), 0)
	}
	return pods[k.rng.IntN(len(pods))]
}

// anyService is the headless Service, or that of some member.
func (k *walker) anyService() string {
	return []string{clusterName, names.MemberService(k.anyPod()), names.MemberService(k.anyPod())}[k.rng.IntN(3)]
}

// anyID is a node ID that was given, the latest ones more often.
func (k *walker) anyID() int64 {
	last := int64(1)
	if cluster := k.cluster(); cluster != nil {
		last = max(last, cluster.Status.LastNodeID)
	}
	return max(1, last-min(k.rng.Int64N(last), k.rng.Int64N(last)))
}

// story is a trace as text.
func story(trace []step) string {
	lines := make([]string, len(trace))
	for i, s := range trace {
		lines[i] = fmt.Sprintf("%4d  %s", i+1, s)
	}
	return strings.Join(lines, "\n")
}
