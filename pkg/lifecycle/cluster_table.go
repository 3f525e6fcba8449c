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

// The events of a cluster.
const (
	deletionAsked      EventName = "deletion asked"
	specAccepted       EventName = "spec accepted"
	memberLost         EventName = "member lost"
	noneLost           EventName = "none lost"
	firstStartPending  EventName = "first start pending"
	allStarted         EventName = "all started"
	membershipChanging EventName = "membership changing"
	membershipSettled  EventName = "membership settled"
	workOutstanding    EventName = "work outstanding"
	allConfigured      EventName = "all configured"
)

// clusterMachine is the life of a cluster. Every way to ready leads through
// configuring: whoever was created, came back or joined is configured first.
var clusterMachine = Machine[v1alpha1.ClusterState, ClusterFacts]{
	Name: "cluster",
	States: []State[v1alpha1.ClusterState]{
		{v1alpha1.ClusterNew, "no valid spec was seen yet; nothing was made"},
		{v1alpha1.ClusterCreating, "the cluster has never been ready, and some member has no running container yet"},
		{v1alpha1.ClusterConfiguring, "the containers run; metadata, package or scripts are under way"},
		{v1alpha1.ClusterReady, "the spec is fully realised: every member is configured with the current metadata or, in a suspended cluster, has stopped"},
		{v1alpha1.ClusterResizing, "members of a cluster that has been ready join, leave or start"},
		{v1alpha1.ClusterNodeDown, "a member that had been configured has lost its container, pod or node"},
		{v1alpha1.ClusterDeleting, "the cluster is being deleted"},
	},
	Events: []Event[ClusterFacts]{
		{deletionAsked, "the cluster object has a deletion timestamp",
			func(f ClusterFacts) bool { return f.Deleting }},
		{specAccepted, "the spec was valid once, and the members are recorded",
			func(f ClusterFacts) bool { return f.Valid }},
		{memberLost, "some member is lost",
			func(f ClusterFacts) bool { return f.Lost }},
		{noneLost, "no member is lost",
			func(f ClusterFacts) bool { return !f.Lost }},
		{firstStartPending, "some member has no running container, and the cluster has never been ready",
			func(f ClusterFacts) bool { return f.NotRunning && !f.EverReady }},
		{allStarted, "every member has a running container, or the cluster has been ready before",
			func(f ClusterFacts) bool { return !f.NotRunning || f.EverReady }},
		{membershipChanging, "the cluster has been ready before, and members join, leave, start or differ from the spec",
			func(f ClusterFacts) bool { return f.EverReady && f.changing() }},
		{membershipSettled, "no members join, leave, start or differ from the spec, or the cluster has never been ready",
			func(f ClusterFacts) bool { return !f.EverReady || !f.changing() }},
		{workOutstanding, "some member is configuring, in error or behind in metadata, or a cluster that has never been ready is incomplete",
			func(f ClusterFacts) bool { return f.Working || !f.EverReady && f.changing() }},
		{allConfigured, "every member of the spec, and no other, is configured with the current metadata",
			func(f ClusterFacts) bool { return !f.Lost && !f.changing() && !f.Working }},
	},
	Rows: []Row[v1alpha1.ClusterState]{
		{v1alpha1.ClusterNew, specAccepted, v1alpha1.ClusterCreating, "make Services and StatefulSets"},
		{v1alpha1.ClusterCreating, allStarted, v1alpha1.ClusterConfiguring, "give every member metadata and package, run its scripts"},
		{v1alpha1.ClusterConfiguring, firstStartPending, v1alpha1.ClusterCreating, "wait for the containers"},
		{v1alpha1.ClusterConfiguring, membershipChanging, v1alpha1.ClusterResizing, "add and remove members"},
		{v1alpha1.ClusterConfiguring, allConfigured, v1alpha1.ClusterReady, "record when the cluster was first ready; hold the app in use"},
		{v1alpha1.ClusterReady, membershipChanging, v1alpha1.ClusterResizing, "add and remove members"},
		{v1alpha1.ClusterReady, workOutstanding, v1alpha1.ClusterConfiguring, "push the new metadata, run the scripts that are due"},
		{v1alpha1.ClusterResizing, membershipSettled, v1alpha1.ClusterConfiguring, "tell the members who their peers are"},
		{v1alpha1.ClusterNodeDown, noneLost, v1alpha1.ClusterConfiguring, "configure what came back"},

		{v1alpha1.ClusterCreating, memberLost, v1alpha1.ClusterNodeDown, "say who is lost and why"},
		{v1alpha1.ClusterConfiguring, memberLost, v1alpha1.ClusterNodeDown, "say who is lost and why"},
		{v1alpha1.ClusterReady, memberLost, v1alpha1.ClusterNodeDown, "say who is lost and why"},
		{v1alpha1.ClusterResizing, memberLost, v1alpha1.ClusterNodeDown, "say who is lost and why"},

		{v1alpha1.ClusterNew, deletionAsked, v1alpha1.ClusterDeleting, "let it go: nothing was made"},
		{v1alpha1.ClusterCreating, deletionAsked, v1alpha1.ClusterDeleting, "remove what was made"},
		{v1alpha1.ClusterConfiguring, deletionAsked, v1alpha1.ClusterDeleting, "remove what was made"},
		{v1alpha1.ClusterReady, deletionAsked, v1alpha1.ClusterDeleting, "remove what was made"},
		{v1alpha1.ClusterResizing, deletionAsked, v1alpha1.ClusterDeleting, "remove what was made"},
		{v1alpha1.ClusterNodeDown, deletionAsked, v1alpha1.ClusterDeleting, "remove what was made"},
	},
	Ignored: []Ignored[v1alpha1.ClusterState]{
		{[]v1alpha1.ClusterState{v1alpha1.ClusterNew},
			[]EventName{noneLost, allStarted, membershipSettled, allConfigured},
			"it has no members of which this could say anything"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterCreating, v1alpha1.ClusterConfiguring, v1alpha1.ClusterReady, v1alpha1.ClusterResizing, v1alpha1.ClusterNodeDown},
			[]EventName{specAccepted},
			"it has been accepted already"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterCreating, v1alpha1.ClusterConfiguring, v1alpha1.ClusterReady, v1alpha1.ClusterResizing},
			[]EventName{noneLost},
			"it is not node-down"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterConfiguring, v1alpha1.ClusterReady, v1alpha1.ClusterResizing},
			[]EventName{allStarted},
			"it is past creating"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterCreating, v1alpha1.ClusterConfiguring, v1alpha1.ClusterReady},
			[]EventName{membershipSettled},
			"it is not resizing"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterCreating},
			[]EventName{firstStartPending, workOutstanding},
			"the containers are waited for; the work that they need comes after"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterReady},
			[]EventName{firstStartPending},
			"it was created suspended; it comes to creating through configuring"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterConfiguring},
			[]EventName{workOutstanding},
			"it is what is being done"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterReady},
			[]EventName{allConfigured},
			"it is what ready means"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterResizing},
			[]EventName{membershipChanging, workOutstanding},
			"it is what is being done; who joins is configured meanwhile"},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterNodeDown},
			[]EventName{memberLost, firstStartPending, allStarted, membershipChanging, membershipSettled, workOutstanding},
			"a loss is shown until nobody is lost; the rest is judged from configuring"},
	},
	Impossible: []Impossible[v1alpha1.ClusterState]{
		{[]v1alpha1.ClusterState{v1alpha1.ClusterNew},
			[]EventName{memberLost, firstStartPending, membershipChanging, workOutstanding}},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterCreating},
			[]EventName{membershipChanging}},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterResizing},
			[]EventName{firstStartPending}},
		{[]v1alpha1.ClusterState{v1alpha1.ClusterCreating, v1alpha1.ClusterResizing, v1alpha1.ClusterNodeDown},
			[]EventName{allConfigured}},
	},
}
