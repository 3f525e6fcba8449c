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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/lifecycle"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// finishDeletion takes a cluster apart whose deletion is asked for. First its
// members' scripts run that want to know; then StatefulSets go, for they would make claims anew; then, where the policy says so, the
// claims; then the finalizer. The rest has owner references and goes with the cluster.
//
// It waits for nothing that a dead node could hold up: a pod that cannot end
// keeps neither its StatefulSet nor the deletion of its claim from being asked for.
func finishDeletion(d *draft) bool {
	cluster := d.seen.Cluster
	if cluster.DeletionTimestamp == nil {
		return true
	}
	d.silent = true
	if !slices.Contains(cluster.Finalizers, names.Finalizer) {
		return false // somebody else's finalizer holds it; our part is done
	}
	d.showDeletion()
	// Who deletes with --cascade=orphan keeps the objects.
	orphan := slices.Contains(cluster.Finalizers, metav1.FinalizerOrphanDependents)
	switch {
	case orphan:
		d.letGo()
	case !d.hasSets():
		if d.dismissClaims() {
			d.letGo()
		}
	case d.deletesVolumes() && d.holdPlaces():
		d.record("whose volumes are being made")
	case d.saidGoodbye():
		d.dismissSets()
	}
	if refused := d.refusal(); refused.reason != "" {
		d.noteRefusal(refused)
		d.setCondition(v1alpha1.ConditionProgressing, metav1.ConditionTrue, refused.reason, refused.message)
	}
	return false
}

func (d *draft) showDeletion() {
	if before := d.stepState(lifecycle.ClusterFacts{Deleting: true}); before == d.status.State {
		return
	}
	d.setCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting, "the cluster is being deleted")
	d.setCondition(v1alpha1.ConditionProgressing, metav1.ConditionTrue, v1alpha1.ReasonDeleting, "removing StatefulSets, then volumes by spec.deletionPolicy.volumes.onDelete, then the rest")
	claims := d.ownClaims()
	if len(claims) == 0 || d.deletesVolumes() {
		return
	}
	d.plan.Notes = append(d.plan.Notes, Note{corev1.EventTypeNormal, "VolumesRetained",
		fmt.Sprintf("keeping %s; a cluster of this name adopts them again", strings.Join(nameList(claims), ", "))})
}

// letGo ends our part in the cluster's life.
func (d *draft) letGo() {
	d.act(RemoveFinalizer{})
	d.status = d.seen.Cluster.Status.DeepCopy() // nobody is left to read a newer one
}

// holdPlaces puts members on the roster for places that have none and whose pods
// are made all the same: who was replaced has gone, and nobody was enlisted after
// it. The claims made for them are the cluster's, and go with those of members.
// True if there are such places.
func (d *draft) holdPlaces() bool {
	held := false
	for _, set := range d.ownSets() {
		i := slices.IndexFunc(d.status.Roles, func(r v1alpha1.RoleStatus) bool { return r.StatefulSet == set.Name })
		if i < 0 {
			continue
		}
		entry := &d.status.Roles[i]
		// Places beyond may have what a scale-down has kept, or belong to whoever has scaled the StatefulSet by hand.
		for ordinal := range min(ptr.Deref(set.Spec.Replicas, 1), entry.Desired) {
			pod := names.Pod(set.Name, int(ordinal))
			if slices.ContainsFunc(entry.Members, func(m v1alpha1.MemberStatus) bool { return m.Pod == pod }) {
				continue
			}
			d.status.LastNodeID++
			entry.Members = append(entry.Members, v1alpha1.MemberStatus{Pod: pod, NodeID: d.status.LastNodeID, State: v1alpha1.MemberPending})
			held = true
		}
	}
	return held
}

func (d *draft) dismissSets() {
	d.noteMissedGoodbyes()
	for _, set := range d.ownSets() {
		if set.DeletionTimestamp == nil {
			d.act(DeleteSet{objectOf(set)})
		}
	}
}

// dismissClaims is true when every claim stays, or is asked to go.
func (d *draft) dismissClaims() bool {
	if !d.deletesVolumes() {
		return true
	}
	asked := true
	for _, claim := range d.ownClaims() {
		if claim.DeletionTimestamp == nil {
			asked = false
			d.act(DeleteClaim{objectOf(claim)})
		}
	}
	return asked
}

func (d *draft) deletesVolumes() bool {
	policy := d.seen.Cluster.Spec.DeletionPolicy
	return policy != nil && policy.Volumes != nil && policy.Volumes.OnDelete == v1alpha1.VolumeDelete
}

// ownClaims are the claims of the cluster's recorded members. Others with its
// label are what an earlier cluster of the name left: nobody said to delete those.
func (d *draft) ownClaims() []*corev1.PersistentVolumeClaim {
	var own []*corev1.PersistentVolumeClaim
	for _, role := range d.status.Roles {
		for _, m := range role.Members {
			claim := d.seen.Claims[names.Claim(m.Pod)]
			if claim != nil && claim.Labels[names.LabelCluster] == d.seen.Cluster.Name {
				own = append(own, claim)
			}
		}
	}
	return own
}
