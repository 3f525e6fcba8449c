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
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

// lookForNames is how often a taken name is looked at again; the cache answers, no request is made.
const lookForNames = 5 * time.Second

// verdict is what is wrong with a spec; the zero verdict is that nothing is.
type verdict struct{ reason, message string }

// checkSpec says whether the spec can be realised. Nothing is made for a new
// cluster that has a fault; one that exists is held as it is.
func checkSpec(d *draft) bool {
	if d.verdict.reason == "" {
		d.verdict = d.judge()
	}
	d.hold = d.verdict.reason != ""
	if d.verdict.reason == v1alpha1.ReasonNameTaken {
		d.again(lookForNames) // another's object going away is no event of this cluster
	}
	return !d.frozen() || d.enrolled()
}

func (d *draft) judge() verdict {
	classes := d.seen.StorageClasses
	if d.hasSets() {
		classes = nil // claims exist: a class that was deleted since harms no volume
	}
	faults := validate.Cluster(validate.Input{
		Cluster:                 d.seen.Cluster,
		App:                     d.app,
		StorageClasses:          classes,
		ClusterDomain:           d.seen.Settings.ClusterDomain,
		DefaultStorageClassName: d.seen.Settings.DefaultStorageClassName,
	})
	if len(faults) > 0 {
		return verdict{v1alpha1.ReasonInvalidSpec, listFaults(faults)}
	}
	if taken := d.takenNames(); len(taken) > 0 {
		return verdict{v1alpha1.ReasonNameTaken, strings.Join(taken, "; ")}
	}
	if faults := d.unsupportedChanges(); len(faults) > 0 {
		return verdict{v1alpha1.ReasonNotYetSupported, listFaults(faults)}
	}
	return verdict{}
}

// takenNames finds objects of names this cluster needs that belong to somebody else.
func (d *draft) takenNames() []string {
	var taken []string
	cluster := d.seen.Cluster
	foreign := func(kind string, o metav1.Object, ours bool) {
		switch {
		case ours:
		case leftBy(cluster, o):
			taken = append(taken, fmt.Sprintf("metadata.name: %s %q of an earlier cluster of this name is not removed yet: nothing is to be done, this goes on by itself once it is", kind, o.GetName()))
		default:
			taken = append(taken, fmt.Sprintf("metadata.name: %s %q exists and does not belong to this cluster: delete or rename it, or give the cluster another name", kind, o.GetName()))
		}
	}
	wanted := d.wantedNames()
	for _, service := range sorted(d.seen.Services) {
		if wanted.services[service.Name] {
			foreign("Service", service, metav1.IsControlledBy(service, cluster))
		}
	}
	for _, set := range sorted(d.seen.Sets) {
		if wanted.sets[set.Name] {
			foreign("StatefulSet", set, metav1.IsControlledBy(set, cluster))
		}
	}
	for _, claim := range sorted(d.seen.Claims) {
		if wanted.claims[claim.Name] {
			foreign("PersistentVolumeClaim", claim, claim.Labels[names.LabelCluster] == cluster.Name)
		}
	}
	return taken
}

// leftBy is true for an object of an earlier cluster of the same name, which
// garbage collection has not come to yet.
func leftBy(cluster *v1alpha1.KubeDirectorCluster, o metav1.Object) bool {
	owner := metav1.GetControllerOfNoCopy(o)
	return owner != nil && owner.Kind == "KubeDirectorCluster" && owner.Name == cluster.Name && owner.UID != cluster.UID
}

type nameSets struct{ services, sets, claims map[string]bool }

// wantedNames are the names that the spec needs, by kind.
func (d *draft) wantedNames() nameSets {
	cluster := d.seen.Cluster
	wanted := nameSets{
		services: map[string]bool{names.HeadlessService(cluster.Name): true},
		sets:     map[string]bool{}, claims: map[string]bool{},
	}
	members := d.app.Members(&cluster.Spec)
	for i := range cluster.Spec.Roles {
		spec := &cluster.Spec.Roles[i]
		role, known := d.app.Role(spec.ID)
		if !known {
			continue
		}
		set := names.StatefulSet(cluster.Name, spec.ID)
		wanted.sets[set] = true
		for n := range int(members[role.ID]) {
			pod := names.Pod(set, n)
			wanted.services[names.MemberService(pod)] = role.HasPorts()
			wanted.claims[names.Claim(pod)] = spec.Storage != nil
		}
	}
	return wanted
}

// unsupportedChanges are edits that are not carried out on members that exist.
// Before the cluster has ever been ready, StatefulSets are made anew instead.
func (d *draft) unsupportedChanges() field.ErrorList {
	if !d.everReady() {
		return nil
	}
	var recorded []validate.RecordedRole
	for _, set := range d.ownSets() {
		role := validate.RecordedRole{ID: set.Labels[names.LabelRole]}
		if claims := set.Spec.VolumeClaimTemplates; len(claims) > 0 {
			role.Storage = &claims[0].Spec
		}
		recorded = append(recorded, role)
	}
	return validate.Change(recorded, d.seen.Cluster)
}

// hasSets is true once a StatefulSet of this cluster exists: from then on there are members to be careful with.
func (d *draft) hasSets() bool {
	for _, set := range d.seen.Sets {
		if metav1.IsControlledBy(set, d.seen.Cluster) {
			return true
		}
	}
	return false
}

// enrolled is true once the members are recorded.
func (d *draft) enrolled() bool { return len(d.status.Roles) > 0 }

// listFaults is one line per fault, path first.
func listFaults(faults field.ErrorList) string {
	lines := make([]string, 0, len(faults))
	for _, fault := range faults {
		lines = append(lines, fault.Error())
	}
	return truncate(strings.Join(lines, "\n"), maxMessage)
}

// maxMessage is the longest message of a condition, well under the API server's limit of 32768 bytes.
const maxMessage = 4096

func truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}
