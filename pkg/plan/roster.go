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
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// protect puts the finalizer on before the first object is made.
func protect(d *draft) bool {
	if d.paused() || slices.Contains(d.seen.Cluster.Finalizers, names.Finalizer) {
		return true
	}
	d.act(AddFinalizer{})
	d.silent = true
	return false
}

// enrol settles who the members are. Node IDs, the revision in use, the metadata
// generation and who is to be told of whom can't be recomputed, so they are
// recorded before anything is made after them. What the members are told changes
// with the members that are wanted, with what their pods are made of and, before
// the cluster has ever been ready, with every edit.
func enrol(d *draft) bool {
	d.bindMembers()
	if d.frozen() {
		d.status.ClusterService = names.HeadlessService(d.seen.Cluster.Name)
		return true
	}
	before := d.rosterText()
	d.heed()
	d.retryEdited()
	d.enlist()
	d.bindMembers()
	d.tidyEvents()
	d.status.ClusterService = names.HeadlessService(d.seen.Cluster.Name)
	revised := d.status.App == nil || *d.status.App != d.inUse
	d.status.App = d.inUse.DeepCopy()
	if revised || before != d.rosterText() || d.edited() {
		d.status.MetadataGeneration++
		d.record("members, revision and metadata generation")
	}
	return true
}

// edited is true while an edit has not been seen that changes what the members
// are told, or are made of.
func (d *draft) edited() bool {
	if d.seen.Cluster.Status.ObservedGeneration == d.seen.Cluster.Generation {
		return false
	}
	return !d.everReady() || slices.ContainsFunc(d.members, d.outdated)
}

// enlist makes the roster what the spec asks for. Members that stay keep their
// IDs; members that are to leave stay on it until nothing is left of them.
func (d *draft) enlist() {
	desired := d.app.Members(&d.seen.Cluster.Spec)
	var roster []v1alpha1.RoleStatus
	d.unwanted = map[int64]bool{}
	for _, role := range d.app.Roles() {
		entry := d.entryOf(role.ID)
		asked := roleSpec(d.seen.Cluster, role.ID) != nil
		if !asked && len(entry.Members) == 0 {
			continue
		}
		was := entry.Desired
		entry.Desired = desired[role.ID]
		change := d.enlistRole(&entry)
		if d.everReady() && was != entry.Desired {
			d.note(corev1.EventTypeNormal, "Resizing", fmt.Sprintf("role %s: %d -> %d members", role.ID, was, entry.Desired))
		}
		d.tellOf(role, change)
		if asked || len(entry.Members) > 0 {
			roster = append(roster, entry)
		}
	}
	d.status.Roles = roster
}

// entryOf is a copy of a role's entry in the roster; a new one when it has none.
func (d *draft) entryOf(id string) v1alpha1.RoleStatus {
	for i := range d.status.Roles {
		if d.status.Roles[i].ID == id {
			return *d.status.Roles[i].DeepCopy()
		}
	}
	return v1alpha1.RoleStatus{ID: id, StatefulSet: names.StatefulSet(d.seen.Cluster.Name, id)}
}

// rosterChange is what an edit means for the members of a role.
type rosterChange struct {
	// joins are new; leaves begin to leave; returns were leaving, and stay after all.
	joins, leaves, returns []v1alpha1.MemberStatus
}

// enlistRole goes through the ordinals of a role: those below the desired number
// are to have a member that is wanted, the others are to lose theirs.
func (d *draft) enlistRole(entry *v1alpha1.RoleStatus) rosterChange {
	var change rosterChange
	known := map[int]*v1alpha1.MemberStatus{}
	last := int(entry.Desired) - 1
	for i := range entry.Members {
		_, ordinal, _ := names.ParsePod(entry.Members[i].Pod)
		known[ordinal] = &entry.Members[i]
		last = max(last, ordinal)
	}
	var members []v1alpha1.MemberStatus
	room := !slices.ContainsFunc(entry.Members, isRemoved)
	for ordinal := range last + 1 {
		m, wanted := known[ordinal], ordinal < int(entry.Desired)
		if m == nil {
			if !wanted || !room {
				continue // nobody joins before those have gone whose ordinals they may need
			}
			d.status.LastNodeID++
			m = &v1alpha1.MemberStatus{Pod: names.Pod(entry.StatefulSet, ordinal), NodeID: d.status.LastNodeID, State: v1alpha1.MemberPending}
			change.joins = append(change.joins, *m)
		}
		if wanted && isRemoved(*m) && m.State == v1alpha1.MemberLeaving {
			m.Retired.Why = v1alpha1.RetiredReplaced // its place is wanted again, by another
		}
		wanted = wanted && mayStay(m)
		switch leaving := goes(m); {
		case wanted && leaving:
			d.callOff(m)
			change.returns = append(change.returns, *m)
		case !wanted && !leaving:
			change.leaves = append(change.leaves, *m)
		}
		d.unwanted[m.NodeID] = !wanted
		members = append(members, *m)
	}
	entry.Members = members
	return change
}

// goes is true for a member of whom it is recorded that it is wanted no more.
func goes(m *v1alpha1.MemberStatus) bool {
	return m.State == v1alpha1.MemberLeaving || m.State == v1alpha1.MemberDeleting
}

// mayStay is false for a member whose removal is never called off.
func mayStay(m *v1alpha1.MemberStatus) bool {
	return m.State != v1alpha1.MemberDeleting && goesOn(m)
}

// isRemoved is true for a member whose ordinal goes with it.
func isRemoved(m v1alpha1.MemberStatus) bool {
	return m.Retired != nil && m.Retired.Why == v1alpha1.RetiredRemoved
}

// isWanted is true for a member that is to be part of the cluster: by the spec or, while that doesn't count, by the record.
func (d *draft) isWanted(m *v1alpha1.MemberStatus) bool {
	if d.unwanted == nil {
		return !goes(m)
	}
	return !d.unwanted[m.NodeID]
}

// rosterText is a text that is equal for rosters whose wanted members are equal.
func (d *draft) rosterText() string {
	var text strings.Builder
	for i := range d.status.Roles {
		fmt.Fprintf(&text, "%s:", d.status.Roles[i].ID)
		for j := range d.status.Roles[i].Members {
			if m := &d.status.Roles[i].Members[j]; d.isWanted(m) {
				fmt.Fprintf(&text, "%s=%d,", m.Pod, m.NodeID)
			}
		}
	}
	return text.String()
}

// roleInput is what the objects of a role are built from; false for a role that the app or the spec lacks.
func (d *draft) roleInput(id string) (resources.RoleInput, bool) {
	role, inApp := d.app.Role(id)
	spec := roleSpec(d.seen.Cluster, id)
	if !inApp || spec == nil {
		return resources.RoleInput{}, false
	}
	in := resources.RoleInput{
		Cluster:                 d.seen.Cluster,
		App:                     d.app,
		Role:                    role,
		Spec:                    spec,
		ClusterDomain:           d.seen.Settings.ClusterDomain,
		DefaultStorageClassName: d.seen.Settings.DefaultStorageClassName,
		MetadataGeneration:      d.status.MetadataGeneration,
		Settings:                d.seen.Settings.Render,
	}
	for i := range d.status.Roles {
		if d.status.Roles[i].ID != id {
			continue
		}
		for _, m := range d.status.Roles[i].Members {
			in.Members = append(in.Members, resources.Member{Pod: m.Pod, NodeID: m.NodeID})
		}
	}
	return in, true
}

func roleSpec(cluster *v1alpha1.KubeDirectorCluster, id string) *v1alpha1.ClusterRole {
	for i := range cluster.Spec.Roles {
		if cluster.Spec.Roles[i].ID == id {
			return &cluster.Spec.Roles[i]
		}
	}
	return nil
}
