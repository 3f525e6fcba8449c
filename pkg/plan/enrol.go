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
	"slices"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// protect puts the finalizer on before the first object is made.
func protect(d *draft) bool {
	if slices.Contains(d.seen.Cluster.Finalizers, names.Finalizer) {
		return true
	}
	d.act(AddFinalizer{})
	d.silent = true
	return false
}

// enrol settles who the members are. Node IDs, the revision in use and the
// metadata generation can't be recomputed, so they are recorded before anything
// is made after them. What the members are told changed if and only if one of
// them did, or the spec of a cluster that has never been ready.
func enrol(d *draft) bool {
	before := d.seen.Cluster.Status.DeepCopy()
	if !d.hold && !d.hasSets() {
		d.enlist()
	}
	cluster := d.seen.Cluster
	d.status.App = &d.inUse
	revised := before.App == nil || *before.App != d.inUse
	edited := !d.everReady() && !d.hold && before.ObservedGeneration != cluster.Generation
	if revised || edited || rosterOf(before) != rosterOf(d.status) {
		d.status.MetadataGeneration++
		d.record("members, revision and metadata generation")
	}
	d.status.ClusterService = names.HeadlessService(cluster.Name)
	d.bindMembers()
	return true
}

// enlist makes the roster what the spec says, keeping the IDs of members that stay.
func (d *draft) enlist() {
	cluster := d.seen.Cluster
	known := map[string]v1alpha1.MemberStatus{}
	for _, role := range d.status.Roles {
		for _, m := range role.Members {
			known[m.Pod] = m
		}
	}
	d.status.Roles = nil
	for _, role := range d.app.Roles() {
		spec := roleSpec(cluster, role.ID)
		if spec == nil {
			continue
		}
		set := names.StatefulSet(cluster.Name, role.ID)
		entry := v1alpha1.RoleStatus{ID: role.ID, StatefulSet: set, Desired: role.Cardinality.Desired(spec.Members)}
		for n := range int(entry.Desired) {
			m, ok := known[names.Pod(set, n)]
			if !ok {
				d.status.LastNodeID++
				m = v1alpha1.MemberStatus{Pod: names.Pod(set, n), NodeID: d.status.LastNodeID, State: v1alpha1.MemberPending}
			}
			entry.Members = append(entry.Members, m)
		}
		d.status.Roles = append(d.status.Roles, entry)
	}
}

// rosterOf is a text that is equal for equal rosters.
func rosterOf(status *v1alpha1.KubeDirectorClusterStatus) string {
	var text string
	for _, role := range status.Roles {
		text += role.ID + ":"
		for _, m := range role.Members {
			text += m.Pod + "=" + names.FormatNodeIDs([]int64{m.NodeID}) + ","
		}
	}
	return text
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
