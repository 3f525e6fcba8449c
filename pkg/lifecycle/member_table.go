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

package lifecycle

import (
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// The events of a member.
const (
	notWanted         EventName = "not wanted"
	wanted            EventName = "wanted"
	farewellSaid      EventName = "farewell said"
	objectsGone       EventName = "objects gone"
	containerLost     EventName = "container lost"
	setupInterrupted  EventName = "setup interrupted"
	podGone           EventName = "pod gone"
	containerStarting EventName = "container starting"
	containerUp       EventName = "container up"
	setupOutstanding  EventName = "setup outstanding"
	setupFailed       EventName = "setup failed"
	setupSucceeded    EventName = "setup succeeded"
)

// memberMachine is the life of a member. A replaced container of a configured
// member always passes through lost, so that its cluster is seen to be node-down.
var memberMachine = Machine[v1alpha1.MemberState, MemberFacts]{
	Name: "member",
	States: []State[v1alpha1.MemberState]{
		{v1alpha1.MemberPending, "has been given a node ID; has no pod yet"},
		{v1alpha1.MemberCreating, "has a pod whose container does not run yet"},
		{v1alpha1.MemberConfiguring, "has a running container that is given metadata and package, or runs a script"},
		{v1alpha1.MemberReady, "is configured"},
		{v1alpha1.MemberLost, "was configured and has lost its container, pod or node"},
		{v1alpha1.MemberError, "has a script that failed; it is tried again by policy"},
		{v1alpha1.MemberLeaving, "is wanted no more; its peers are told before it goes"},
		{v1alpha1.MemberDeleting, "is having its objects removed"},
		{MemberGone, "nothing is recorded of it any more"},
	},
	Events: []Event[MemberFacts]{
		{notWanted, "the member is no longer part of the cluster",
			func(f MemberFacts) bool { return !f.Wanted }},
		{wanted, "the member is part of the cluster",
			func(f MemberFacts) bool { return f.Wanted }},
		{farewellSaid, "the scripts that precede the member's removal are done, and whoever must go before it goes",
			func(f MemberFacts) bool { return f.FarewellSaid }},
		{objectsGone, "nothing is left of the member",
			func(f MemberFacts) bool { return f.ObjectsGone }},
		{containerLost, "the member was configured, and its container is gone or another one",
			func(f MemberFacts) bool { return f.Configured && f.containerLost() }},
		{setupInterrupted, "the member was never configured or left its pod on purpose, and its container is gone or another one",
			func(f MemberFacts) bool { return !f.Configured && f.containerLost() }},
		{podGone, "the member has no pod",
			func(f MemberFacts) bool { return f.Container == ContainerNone }},
		{containerStarting, "the member has a pod whose container does not run",
			func(f MemberFacts) bool { return f.Container == ContainerStarting }},
		{containerUp, "the member has a running container",
			func(f MemberFacts) bool { return f.Container == ContainerRunning }},
		{setupOutstanding, "metadata, package or a script is due in the container, or under way",
			func(f MemberFacts) bool { return f.is(SetupOutstanding) }},
		{setupFailed, "the last attempt in the container failed, and no newer one is recorded",
			func(f MemberFacts) bool { return f.is(SetupFailed) }},
		{setupSucceeded, "the container has all that was due",
			func(f MemberFacts) bool { return f.is(SetupSucceeded) }},
	},
	Rows: []Row[v1alpha1.MemberState]{
		{v1alpha1.MemberPending, containerStarting, v1alpha1.MemberCreating, "wait for the container"},
		{v1alpha1.MemberPending, containerUp, v1alpha1.MemberConfiguring, "record the container; set it up"},
		{v1alpha1.MemberCreating, containerUp, v1alpha1.MemberConfiguring, "record the container; set it up"},
		{v1alpha1.MemberCreating, podGone, v1alpha1.MemberPending, "wait for the pod"},
		{v1alpha1.MemberConfiguring, setupSucceeded, v1alpha1.MemberReady, "record that the member is configured, and with which metadata"},
		{v1alpha1.MemberConfiguring, setupFailed, v1alpha1.MemberError, "show exit code and output; wait as the policy says"},
		{v1alpha1.MemberConfiguring, setupInterrupted, v1alpha1.MemberCreating, "wait for the container; no peer knows the member yet"},
		{v1alpha1.MemberError, setupOutstanding, v1alpha1.MemberConfiguring, "make the newer attempt"},
		{v1alpha1.MemberError, setupSucceeded, v1alpha1.MemberReady, "record that the member is configured, and with which metadata"},
		{v1alpha1.MemberError, setupInterrupted, v1alpha1.MemberCreating, "wait for the container; no peer knows the member yet"},
		{v1alpha1.MemberReady, setupOutstanding, v1alpha1.MemberConfiguring, "push the new metadata, run the scripts that are due"},
		{v1alpha1.MemberReady, setupFailed, v1alpha1.MemberError, "show exit code and output; wait as the policy says"},
		{v1alpha1.MemberReady, setupInterrupted, v1alpha1.MemberCreating, "wait for the other pod: this one was left on purpose"},
		{v1alpha1.MemberLost, containerUp, v1alpha1.MemberConfiguring, "record the container; set it up"},
		{v1alpha1.MemberLost, setupInterrupted, v1alpha1.MemberCreating, "wait for the other pod: this one was left on purpose"},

		{v1alpha1.MemberPending, containerLost, v1alpha1.MemberLost, "say what was lost"},
		{v1alpha1.MemberCreating, containerLost, v1alpha1.MemberLost, "say what was lost"},
		{v1alpha1.MemberConfiguring, containerLost, v1alpha1.MemberLost, "say what was lost"},
		{v1alpha1.MemberReady, containerLost, v1alpha1.MemberLost, "say what was lost"},
		{v1alpha1.MemberError, containerLost, v1alpha1.MemberLost, "say what was lost"},

		{v1alpha1.MemberPending, notWanted, v1alpha1.MemberLeaving, "tell the peers that know it; run its own farewell"},
		{v1alpha1.MemberCreating, notWanted, v1alpha1.MemberLeaving, "tell the peers that know it; run its own farewell"},
		{v1alpha1.MemberConfiguring, notWanted, v1alpha1.MemberLeaving, "tell the peers that know it; run its own farewell"},
		{v1alpha1.MemberReady, notWanted, v1alpha1.MemberLeaving, "tell the peers that know it; run its own farewell"},
		{v1alpha1.MemberLost, notWanted, v1alpha1.MemberLeaving, "tell the peers that know it; run its own farewell"},
		{v1alpha1.MemberError, notWanted, v1alpha1.MemberLeaving, "tell the peers that know it; run its own farewell"},

		{v1alpha1.MemberLeaving, wanted, v1alpha1.MemberConfiguring, "the removal was called off: see that it is set up"},
		{v1alpha1.MemberLeaving, farewellSaid, v1alpha1.MemberDeleting, "remove pod, Service and, if policy says so, volume"},
		{v1alpha1.MemberDeleting, objectsGone, MemberGone, "drop the record"},
	},
	Ignored: []Ignored[v1alpha1.MemberState]{
		{[]v1alpha1.MemberState{v1alpha1.MemberPending, v1alpha1.MemberCreating, v1alpha1.MemberConfiguring, v1alpha1.MemberReady, v1alpha1.MemberLost, v1alpha1.MemberError},
			[]EventName{wanted, farewellSaid, objectsGone},
			"it counts only for a member that goes"},
		{[]v1alpha1.MemberState{v1alpha1.MemberPending},
			[]EventName{setupInterrupted, podGone},
			"it is what pending means"},
		{[]v1alpha1.MemberState{v1alpha1.MemberCreating},
			[]EventName{setupInterrupted, containerStarting},
			"it is what creating means"},
		{[]v1alpha1.MemberState{v1alpha1.MemberConfiguring, v1alpha1.MemberReady, v1alpha1.MemberError},
			[]EventName{containerUp},
			"the container is on record already"},
		{[]v1alpha1.MemberState{v1alpha1.MemberConfiguring},
			[]EventName{setupOutstanding},
			"it is what is being done"},
		{[]v1alpha1.MemberState{v1alpha1.MemberReady},
			[]EventName{setupSucceeded},
			"it is what ready means"},
		{[]v1alpha1.MemberState{v1alpha1.MemberError},
			[]EventName{setupFailed},
			"it is what error means; the next attempt is recorded first"},
		{[]v1alpha1.MemberState{v1alpha1.MemberLost},
			[]EventName{containerLost, podGone, containerStarting},
			"it is what lost means; a running container is waited for"},
		{[]v1alpha1.MemberState{v1alpha1.MemberLeaving},
			[]EventName{notWanted},
			"it is what leaving means"},
		{[]v1alpha1.MemberState{v1alpha1.MemberLeaving},
			[]EventName{objectsGone, containerLost, setupInterrupted, podGone, containerStarting},
			"its peers are told all the same"},
		{[]v1alpha1.MemberState{v1alpha1.MemberLeaving, v1alpha1.MemberDeleting},
			[]EventName{containerUp, setupOutstanding, setupFailed, setupSucceeded},
			"only its farewell counts; a container that came back is set up no further than that needs"},
		{[]v1alpha1.MemberState{v1alpha1.MemberDeleting},
			[]EventName{notWanted, farewellSaid},
			"it is what led to deleting"},
		{[]v1alpha1.MemberState{v1alpha1.MemberDeleting},
			[]EventName{wanted},
			"deletion is never called off; wanted again, it returns as a new member"},
		{[]v1alpha1.MemberState{v1alpha1.MemberDeleting},
			[]EventName{containerLost, setupInterrupted, podGone, containerStarting},
			"the objects vanish one by one; only the last counts"},
	},
	Impossible: []Impossible[v1alpha1.MemberState]{
		{[]v1alpha1.MemberState{v1alpha1.MemberPending, v1alpha1.MemberCreating, v1alpha1.MemberLost},
			[]EventName{setupOutstanding, setupFailed, setupSucceeded}},
		{[]v1alpha1.MemberState{v1alpha1.MemberConfiguring, v1alpha1.MemberReady, v1alpha1.MemberError},
			[]EventName{podGone, containerStarting}},
	},
}
