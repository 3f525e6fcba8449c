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
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/guests"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// scriptStarted judges whether a script may start where it does.
func (b *book) scriptStarted(s *guests.Script) {
	b.mu.Lock()
	defer b.mu.Unlock()
	what := s.Pod + ": " + strings.Join(s.Args, " ")
	for _, other := range b.world.guests.Running() {
		if other != s && other.PodUID == s.PodUID && other.ContainerID == s.ContainerID {
			b.world.violate("one script at a time", "%s while %v runs", what, other.Args)
		}
	}
	attempt := fmt.Sprintf("%s generation %d in %s attempt %d", identity(s), s.Generation, s.ContainerID, s.Attempt)
	if b.started[attempt] {
		b.world.violate("no attempt is made twice", "%s, attempt %d", what, s.Attempt)
	}
	b.started[attempt] = true
	if s.Event == string(v1alpha1.EventDecommission) {
		b.parted[s.ContainerID] = true
		if m := b.minds[disk(s)]; m != nil {
			m.parted = true
		}
	}
	if earlier := b.succeeded[identity(s)]; earlier != nil {
		b.world.violate("a finished event is not run again", "%s: it succeeded as script %d", what, earlier.Number)
	}
	b.onRecord(s, what)
	b.gates(s, what)
}

// onRecord: what can't be recomputed is recorded before it is acted upon.
func (b *book) onRecord(s *guests.Script, what string) {
	m := b.recorded(s)
	if b.wiped > 0 {
		return // a request may be on its way while the status is lost
	}
	switch {
	case b.world.cluster() == nil || b.world.cluster().UID != s.Cluster:
		return // its cluster went while the request was on its way
	case m == nil:
		b.world.violate("members are recorded before they are visited", "%s: no node ID %d in status", what, s.NodeID)
	case s.Attempt > 1 && !b.attempts[attemptOn(s.Cluster, s.NodeID, s.Event, int64(s.Generation), s.Attempt)]:
		b.world.violate("attempts are recorded before they are made", "%s, attempt %d; status has %+v", what, s.Attempt, m.Event)
	}
	pending := s.Scope == protocol.ScopeNodeGeneration || s.Event == string(v1alpha1.EventDelete)
	if pending && !b.announced[announcement(s.Cluster, s.Event, int64(s.Generation), s.NodeID)] {
		b.world.violate("events are recorded before members are called", "%s, number %d; status has %+v", what, s.Generation, b.world.cluster().Status.PendingEvents)
	}
	for _, event := range b.world.cluster().Status.PendingEvents {
		if s.Scope == protocol.ScopeNodeGeneration && event.Number == int64(s.Generation) && event.Open {
			b.world.violate("who is announced is recorded before anybody is told", "%s, number %d; status has %+v", what, s.Generation, event)
		}
	}
}

// attemptOn identifies an attempt as status records it. It may be over by the
// time at which the request for it is delivered.
func attemptOn(cluster types.UID, nodeID int64, event string, generation int64, attempt int) string {
	return fmt.Sprintf("%s/%d/%s/%d/%d", cluster, nodeID, event, generation, attempt)
}

// announcement identifies that a member is to be called for an event. It may be
// called off while the request is on its way.
func announcement(cluster types.UID, event string, number, nodeID int64) string {
	return fmt.Sprintf("%s/%s/%d/%d", cluster, event, number, nodeID)
}

// recorded is a script's member in status; nil: it has none.
func (b *book) recorded(s *guests.Script) *v1alpha1.MemberStatus {
	cluster := b.world.cluster()
	if cluster == nil || cluster.UID != s.Cluster {
		return nil
	}
	return memberByID(&cluster.Status, s.NodeID)
}

// gates are what must hold elsewhere before a script starts.
func (b *book) gates(s *guests.Script, what string) {
	roster, err := rosterOf(s.Metadata)
	if err != nil {
		b.world.violate("a script finds its metadata", "%s: %v", what, err)
		return
	}
	switch v1alpha1.LifecycleEvent(s.Event) {
	case v1alpha1.EventConfigure:
		if roster[s.Pod] != s.NodeID {
			b.world.violate("a script finds its metadata", "%s: node ID %d is not in the document: %v", what, s.NodeID, roster)
		}
		b.peersKnow(s, what)
		b.inOrder(s, what, roster)
	case v1alpha1.EventAddNodes:
		for _, pod := range named(s) {
			id := roster[pod]
			if id == 0 {
				b.world.violate("a script finds its metadata", "%s: %s is not in the document: %v", what, pod, roster)
			} else if !b.configured[memberKey(s.Cluster, id)] {
				b.world.violate("who joins is announced once configured", "%s: %s was never configured", what, pod)
			}
		}
	}
}

// peersKnow: ready members hold the metadata that names a new member before it is configured.
func (b *book) peersKnow(s *guests.Script, what string) {
	cluster := b.world.cluster()
	if cluster == nil || cluster.UID != s.Cluster || b.configured[memberKey(s.Cluster, s.NodeID)] || b.rebuilt {
		return // of a status that is rebuilt nobody can tell who was configured
	}
	for _, role := range cluster.Status.Roles {
		for _, m := range role.Members {
			pod := b.world.pod(m.Pod)
			if m.NodeID == s.NodeID || !b.works(&m, pod) || b.away[memberKey(cluster.UID, m.NodeID)] {
				continue
			}
			document, generation := b.world.guests.Metadata(pod.UID)
			if roster, err := rosterOf(document); err == nil && generation <= s.MetadataGeneration && roster[s.Pod] != s.NodeID && !b.knows(m.Pod, s.Pod, s.NodeID) {
				b.world.violate("peers hold the metadata before a member is configured", "%s with metadata %d, %s holds %d: %v", what, s.MetadataGeneration, m.Pod, generation, roster)
			}
		}
	}
}

// inOrder: a role is configured after those that its app puts before it.
func (b *book) inOrder(s *guests.Script, what string, roster map[string]int64) {
	if b.configured[memberKey(s.Cluster, s.NodeID)] || b.rebuilt || !isOf(clientRole, s.Pod) {
		return
	}
	for pod, id := range roster {
		if isOf(workerRole, pod) && !b.configured[memberKey(s.Cluster, id)] {
			b.world.violate("a role is configured after those that its app puts before it", "%s: %s was never configured", what, pod)
		}
	}
}

func isOf(role, pod string) bool {
	set, _, _ := names.ParsePod(pod)
	return set == names.StatefulSet(clusterName, role)
}

// works is true for a member that was configured, in the container that is on record.
func (b *book) works(m *v1alpha1.MemberStatus, pod *corev1.Pod) bool {
	if pod == nil || pod.DeletionTimestamp != nil || len(pod.Status.ContainerStatuses) == 0 || !b.world.kube.Reachable(namespace, m.Pod) {
		return false
	}
	up := m.State == v1alpha1.MemberReady || m.State == v1alpha1.MemberConfiguring
	return up && m.MetadataGeneration > 0 && m.Incarnation != "" && strings.Contains(pod.Status.ContainerStatuses[0].ContainerID, m.Incarnation)
}

// knows is true when a member has been told of another.
func (b *book) knows(pod, other string, id int64) bool {
	m := b.mindIn(pod)
	return m != nil && m.peers[other] == id
}

// mindIn is what the application knows in the container that runs in a pod; nil: nothing.
func (b *book) mindIn(name string) *mind {
	pod := b.world.pod(name)
	if pod == nil || len(pod.Status.ContainerStatuses) == 0 {
		return nil
	}
	if claim := b.claimOf(pod); claim != "" {
		return b.minds[claim]
	}
	return b.minds[pod.Status.ContainerStatuses[0].ContainerID]
}

// scriptEnded lets the application know what a script that succeeded told it.
func (b *book) scriptEnded(s *guests.Script) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended[attemptOn(s.Cluster, s.NodeID, s.Event, int64(s.Generation), s.Attempt)] = time.Now()
	if s.Killed || s.TimedOut || s.ExitCode != 0 {
		return
	}
	b.succeeded[identity(s)] = s
	roster, err := rosterOf(s.Metadata)
	if err != nil {
		return // reported when it started
	}
	m := b.minds[disk(s)]
	if m == nil {
		m = &mind{peers: map[string]int64{}, returned: map[string]bool{}}
		b.minds[disk(s)] = m
	}
	switch v1alpha1.LifecycleEvent(s.Event) {
	case v1alpha1.EventConfigure:
		m.nodeID, m.container, m.peers, m.parted = s.NodeID, s.ContainerID, maps.Clone(roster), false
		b.configured[memberKey(s.Cluster, s.NodeID)] = true
		delete(b.farewelled, memberKey(s.Cluster, s.NodeID))
	case v1alpha1.EventAddNodes:
		for _, pod := range named(s) {
			m.peers[pod] = roster[pod]
		}
	case v1alpha1.EventDelNodes:
		for _, pod := range named(s) {
			delete(m.peers, pod)
		}
	case v1alpha1.EventDecommission:
		b.farewelled[memberKey(s.Cluster, s.NodeID)] = true
	case v1alpha1.EventRestart, v1alpha1.EventStart:
		m.returned[s.ContainerID] = true
	}
}
