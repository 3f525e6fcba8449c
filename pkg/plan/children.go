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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// makeServices makes the headless Service and one Service for each member whose
// role has ports, puts back what drifted, and removes those no longer wanted.
func makeServices(d *draft) bool {
	if d.frozen() {
		return true
	}
	cluster := d.seen.Cluster
	wanted := map[string]*corev1.Service{}
	headless := resources.HeadlessService(cluster, d.status, d.app.Name, ptr.Deref(d.journal(), resources.Journal{}))
	wanted[headless.Name] = headless
	for _, m := range d.members {
		if m.vacates() {
			continue
		}
		if service := resources.MemberService(cluster, d.app.Name, m.role, m.status.Pod, d.serviceType()); service != nil {
			wanted[service.Name] = service
		}
	}
	for _, service := range sorted(wanted) {
		have := d.seen.Services[service.Name]
		if have == nil {
			d.act(CreateService{service})
		} else if !metav1.IsControlledBy(have, cluster) {
			d.wait(fmt.Sprintf("Service %s exists and does not belong to this cluster: delete or rename it", have.Name))
		} else if patch, drifted := resources.ServiceDrift(have, service); drifted {
			d.act(PatchService{objectOf(have), patch})
		}
	}
	for _, have := range sorted(d.seen.Services) {
		if wanted[have.Name] == nil && metav1.IsControlledBy(have, cluster) && have.DeletionTimestamp == nil {
			d.act(DeleteService{objectOf(have)})
		}
	}
	return true
}

func (d *draft) serviceType() corev1.ServiceType {
	if t := d.seen.Cluster.Spec.ServiceType; t != "" {
		return t
	}
	return d.seen.Settings.DefaultServiceType
}

// makeSets makes one StatefulSet for each role that has members. Its replicas
// are the recorded members that have pods, never the spec. Its template is
// rendered anew only where what it is built from changed, so that another version
// of this controller touches no pod.
func makeSets(d *draft) bool {
	if d.frozen() {
		return true
	}
	kept := map[string]bool{}
	for i := range d.status.Roles {
		entry := &d.status.Roles[i]
		have := d.seen.Sets[entry.StatefulSet]
		want := d.wantedSet(entry, have)
		if want == nil {
			continue
		}
		kept[want.Name] = true
		switch {
		case have == nil:
			d.act(CreateSet{want})
		case !metav1.IsControlledBy(have, d.seen.Cluster):
			d.wait(fmt.Sprintf("StatefulSet %s exists and does not belong to this cluster: delete or rename it", have.Name))
		case have.DeletionTimestamp != nil:
			d.wait(fmt.Sprintf("StatefulSet %s is being deleted", have.Name))
		case !d.everReady() && resources.ClaimsDiffer(have, want):
			d.replaceSet(have)
		default:
			if patch, drifted := resources.SetDrift(have, want); drifted {
				d.act(PatchSet{objectOf(have), patch})
			}
		}
	}
	for _, have := range d.ownSets() {
		if !kept[have.Name] && have.DeletionTimestamp == nil {
			d.act(DeleteSet{objectOf(have)})
		}
	}
	return true
}

// wantedSet is the StatefulSet of a role as it should be; nil for a role without
// members. One whose role is no longer asked for stays as it is but for its replicas.
func (d *draft) wantedSet(entry *v1alpha1.RoleStatus, have *appsv1.StatefulSet) *appsv1.StatefulSet {
	if len(entry.Members) == 0 {
		return nil
	}
	replicas := d.replicas(entry)
	if in, ok := d.roleInput(entry.ID); ok {
		in.Replicas = &replicas
		return resources.StatefulSet(in)
	}
	if have == nil {
		return nil
	}
	want := have.DeepCopy()
	want.Spec.Replicas = &replicas
	return want
}

// replicas is how many ordinals of a role have pods: none of a suspended cluster,
// else all but the highest whose members go for good. Never more than those, or
// a pod would go with them whose member stays.
func (d *draft) replicas(entry *v1alpha1.RoleStatus) int32 {
	if d.suspended() {
		return 0
	}
	for _, m := range slices.Backward(d.members) {
		if m.entry == entry && !m.vacates() {
			return int32(m.ordinal) + 1
		}
	}
	return 0
}

// replaceSet has a StatefulSet made anew whose storage was corrected before the
// cluster was ever ready: claim templates can't be edited. Claims that were never
// bound go with it, for they would be adopted as they are; bound ones hold data and stay.
func (d *draft) replaceSet(set *appsv1.StatefulSet) {
	d.act(DeleteSet{objectOf(set)})
	for _, claim := range sorted(d.seen.Claims) {
		if d.claimOf(claim, set) && claim.Status.Phase != corev1.ClaimBound && claim.Spec.VolumeName == "" && claim.DeletionTimestamp == nil {
			d.act(DeleteClaim{objectOf(claim)})
		}
	}
}

func (d *draft) claimOf(claim *corev1.PersistentVolumeClaim, set *appsv1.StatefulSet) bool {
	for _, m := range d.members {
		if m.set == set && names.Claim(m.status.Pod) == claim.Name {
			return d.isOurs(claim)
		}
	}
	return false
}

func hashOf(o metav1.Object) string { return o.GetAnnotations()[names.AnnotationInputsHash] }
