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

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/lifecycle"
	"github.com/bluek8s/kubedirector/pkg/names"
)

const (
	// maxEndpoints is how many dashboards status lists.
	maxEndpoints = 50
	// maxTold is of how many members status tells what keeps them; they are
	// mostly alike, and a thousand of them would be more than an object may hold.
	maxTold = 20
)

// rollUp draws the cluster's state, conditions and counts from its members.
func (d *draft) rollUp() {
	d.shorten()
	d.count()
	d.showElastic()
	before := d.stepState(d.clusterFacts())
	if d.status.State == v1alpha1.ClusterReady && !d.everReady() && !d.suspended() {
		d.status.FirstReadyTime = timeOrNil(d.seen.Now)
	}
	if before == v1alpha1.ClusterReady && d.status.State == before && len(d.plan.Actions) > 0 && d.refusal().reason == "" {
		return // what is asked for is said to be realised once it is, not before
	}
	d.judgeAge()
	d.setConditions()
	if !d.paused() {
		d.status.ObservedGeneration = d.seen.Cluster.Generation
	}
	d.announce(before)
	if refused := d.refusal(); refused.message != "" {
		d.wait(refused.message)
	}
	for _, m := range d.members {
		if m.trouble.message != "" {
			d.wait(m.trouble.message)
		}
	}
}

// shorten leaves of members beyond the first ones in trouble what decisions rest on.
func (d *draft) shorten() {
	told := 0
	for _, m := range d.members {
		if m.status.Message == "" && m.status.Event == nil {
			continue
		}
		if told++; told <= maxTold {
			continue
		}
		m.status.Message = ""
		if event := m.status.Event; event != nil {
			event.StartedAt, event.OutputTail = nil, ""
		}
	}
}

// stepState makes one step of the cluster's table. Nothing else assigns
// status.state. It returns the state before.
func (d *draft) stepState(facts lifecycle.ClusterFacts) (before v1alpha1.ClusterState) {
	before = d.status.State
	after, impossible := lifecycle.StepCluster(before, facts)
	if impossible != nil {
		d.plan.Impossible = append(d.plan.Impossible, impossible)
	}
	d.status.State = after
	return before
}

// clusterFacts is the bounded observation that the cluster machine rests on.
func (d *draft) clusterFacts() lifecycle.ClusterFacts {
	facts := lifecycle.ClusterFacts{Valid: d.enrolled(), EverReady: d.everReady()}
	for _, role := range d.status.Roles {
		if _, known := d.app.Role(role.ID); !known && len(role.Members) > 0 {
			facts.Working = true // members that nobody can judge are not configured
		}
	}
	stopped := d.suspended()
	for _, m := range d.members {
		switch {
		case !m.wanted:
			facts.Unsettled = true
			continue
		case stopped:
			facts.NotRunning = facts.NotRunning || d.podOf(m) != nil
			continue
		}
		switch m.status.State {
		case v1alpha1.MemberLost:
			facts.Lost = true
		case v1alpha1.MemberPending, v1alpha1.MemberCreating:
			facts.NotRunning = true
		case v1alpha1.MemberConfiguring, v1alpha1.MemberError:
			facts.Working = true
		}
		if d.everReady() && (!m.configuredOnce() || m.status.Retired != nil || d.outdated(m)) {
			facts.Unsettled = true
		}
		if m.status.State == v1alpha1.MemberReady && m.status.MetadataGeneration != d.status.MetadataGeneration {
			facts.Working = true
		}
	}
	if stopped && !d.everReady() && facts.NotRunning {
		facts.NotRunning, facts.Working = false, true // it was never started, and is not being created
	}
	switch {
	case facts.Valid && d.hold && !d.everReady():
		facts.Working = true // ready is what realises its spec, and from then on edits would count as changes
	case len(d.status.PendingEvents) > 0 && !stopped:
		facts.Working = true // somebody is still to be told
	case !facts.Lost && !facts.NotRunning && !facts.Working:
		facts.Working = slices.ContainsFunc(d.members, d.outdated)
	}
	return facts
}

// count sets what status says in numbers, and where the dashboards are.
func (d *draft) count() {
	ready := map[string]int32{}
	d.status.Endpoints = nil
	for _, m := range d.members {
		if !m.wanted {
			continue
		}
		if m.serves() {
			ready[m.role.ID]++
		}
		d.listDashboards(m)
	}
	var all, up int32
	for i := range d.status.Roles {
		role := &d.status.Roles[i]
		role.Ready = ready[role.ID]
		all, up = all+role.Desired, up+role.Ready
	}
	d.status.Membership = ""
	if len(d.status.Roles) > 0 {
		d.status.Membership = fmt.Sprintf("%d/%d", up, all)
	}
}

// serves is true for a member that is configured and up, if only to be given news of its peers.
func (m *member) serves() bool {
	return m.status.State == v1alpha1.MemberReady || m.status.State == v1alpha1.MemberConfiguring && m.configuredOnce() && m.setUp
}

func (d *draft) listDashboards(m *member) {
	for _, service := range m.role.Services {
		if service.Endpoint == nil || !service.Endpoint.IsDashboard || len(d.status.Endpoints) >= maxEndpoints {
			continue
		}
		host := names.Domain(names.MemberService(m.status.Pod), d.seen.Cluster.Namespace, d.seen.Settings.ClusterDomain)
		d.status.Endpoints = append(d.status.Endpoints, v1alpha1.DashboardEndpoint{
			Role: m.role.ID, Member: m.status.Pod, Service: service.ID,
			URL: fmt.Sprintf("%s://%s:%d%s", service.Endpoint.URLScheme, host, service.Endpoint.Port, service.Endpoint.Path),
		})
	}
}

// announce tells people of a state they wait for or are to know of.
func (d *draft) announce(before v1alpha1.ClusterState) {
	after := d.status.State
	if before == after {
		return
	}
	switch after {
	case v1alpha1.ClusterCreating:
		if before == v1alpha1.ClusterNew {
			d.note(corev1.EventTypeNormal, "Creating", fmt.Sprintf("making %d members of app %s", len(d.members), d.app.Name))
		}
	case v1alpha1.ClusterReady:
		if d.suspended() {
			d.note(corev1.EventTypeNormal, v1alpha1.ReasonSuspended, "every member has stopped; spec.suspend: false starts them again")
			return
		}
		d.note(corev1.EventTypeNormal, "Ready", fmt.Sprintf("all %d members are configured", len(d.members)))
	}
}

func (d *draft) note(kind, reason, message string) {
	d.plan.Notes = append(d.plan.Notes, Note{kind, reason, truncate(message, 1024)})
}

// worst is the trouble that people should hear of first: lasting before
// passing, one that has a reason before one that has none, members in order.
func (d *draft) worst() trouble {
	var found []trouble
	for _, m := range d.members {
		if m.trouble.message != "" {
			found = append(found, m.trouble)
		}
	}
	if len(found) == 0 {
		return trouble{}
	}
	slices.SortStableFunc(found, func(a, b trouble) int { return a.rank() - b.rank() })
	first := found[0]
	if same := len(found) - 1; same > 0 {
		first.message = fmt.Sprintf("%s (and %d more)", strings.TrimSuffix(first.message, "."), same)
	}
	return first
}

func (t trouble) rank() int {
	switch {
	case t.lasting:
		return 0
	case t.reason == v1alpha1.ReasonRetrying:
		return 2
	case t.reason != "":
		return 1
	}
	return 3
}
