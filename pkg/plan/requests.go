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
	"strconv"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// withVolume after a node ID asks for the member's volume to be replaced, too.
const withVolume = "+volume"

// heed acts on what users ask for once, by annotation. Each request names node
// IDs, which are never given twice, or a value that is remembered; so it acts once.
func (d *draft) heed() {
	asked := d.seen.Cluster.Annotations
	before := d.status.ObservedRequests
	d.status.ObservedRequests = requestsText(asked)
	for _, request := range requests(asked[names.AnnotationReplace]) {
		id, volume := strings.CutSuffix(request, withVolume)
		m := d.memberOf(id)
		if m != nil {
			d.replace(m, volume)
		} else if !observed(before, names.AnnotationReplace, request) {
			d.refuse(names.AnnotationReplace, request, "no member has that node ID")
		}
	}
	for _, id := range requests(asked[names.AnnotationForceRemove]) {
		m := d.memberOf(id)
		switch {
		case m != nil && goes(m.status):
			d.forceOut(m)
		case observed(before, names.AnnotationForceRemove, id):
		case m != nil:
			d.refuse(names.AnnotationForceRemove, id, fmt.Sprintf("member %s does not leave; the annotation %s has a new one take its place", m.status.Pod, names.AnnotationReplace))
		default:
			d.refuse(names.AnnotationForceRemove, id, "no member has that node ID")
		}
	}
	if value := asked[names.AnnotationRetry]; value != "" && value != d.status.ObservedRetry {
		d.status.ObservedRetry = value
		d.record("that a retry was asked for")
		for _, m := range d.members {
			if m.failed() {
				d.nextAttempt(m, "its user asks for it")
			}
		}
	}
}

// requests are the node IDs that an annotation names, separated by commas or white space.
func requests(annotation string) []string {
	return strings.FieldsFunc(annotation, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// requestsText is equal for equal requests; empty for none.
func requestsText(asked map[string]string) string {
	var texts []string
	for _, annotation := range []string{names.AnnotationReplace, names.AnnotationForceRemove} {
		if value := requests(asked[annotation]); len(value) > 0 {
			texts = append(texts, strings.TrimPrefix(annotation, names.ReservedPrefix)+"="+truncate(strings.Join(value, ","), maxMemberMessage))
		}
	}
	return strings.Join(texts, " ")
}

// observed is true for a request that status has named already.
func observed(status, annotation, request string) bool {
	for _, text := range strings.Fields(status) {
		if named, ok := strings.CutPrefix(text, strings.TrimPrefix(annotation, names.ReservedPrefix)+"="); ok && slices.Contains(requests(named), request) {
			return true
		}
	}
	return false
}

// refuse tells people once that a request has no effect as things stand.
func (d *draft) refuse(annotation, value, why string) {
	d.note(corev1.EventTypeWarning, "RequestWithoutEffect", fmt.Sprintf(
		"annotation %s: %q: %s; status.roles[].members[] has the node IDs there are", annotation, value, why))
}

// memberOf is the member of a node ID as a user writes it; nil when there is none.
func (d *draft) memberOf(text string) *member {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(d.members, func(m *member) bool { return m.status.NodeID == id })
	if i < 0 {
		return nil
	}
	return d.members[i]
}

// replace has a member leave for a new one in its place. It does not apply to one that leaves anyway.
func (d *draft) replace(m *member, volume bool) {
	if goes(m.status) || m.status.Retired != nil && m.status.Retired.Why == v1alpha1.RetiredReplaced {
		return
	}
	m.status.Retired = d.retire(m, v1alpha1.RetiredReplaced)
	if claim := d.seen.Claims[names.Claim(m.status.Pod)]; volume && claim != nil && d.isOurs(claim) {
		m.status.Retired.ClaimUID = claim.UID
	}
	d.record("that " + m.status.Pod + " is replaced")
	d.note(corev1.EventTypeNormal, "Replacing", fmt.Sprintf("member %s (node ID %d) is replaced, as its annotation asks", m.status.Pod, m.status.NodeID))
}

// forceOut lets a leaving member go now, whatever holds it.
func (d *draft) forceOut(m *member) {
	if m.status.Retired != nil && m.status.Retired.Force {
		return
	}
	if m.status.Retired == nil || maySayFarewell(m.status) {
		if m.ordinal < int(m.entry.Desired) {
			m.status.Retired = d.retire(m, v1alpha1.RetiredReplaced) // who takes its place takes its volume
		} else {
			m.status.Retired = d.retire(m, v1alpha1.RetiredRemoved)
			d.condemnVolume(m)
		}
	}
	m.status.Retired.Force = true
	d.record("that " + m.status.Pod + " is removed by force")
	d.note(corev1.EventTypeWarning, "ForceRemoving", fmt.Sprintf("member %s (node ID %d) is removed by force, as its annotation asks", m.status.Pod, m.status.NodeID))
}

// retire leaves the pod that a member has now. Who is to start over does so in whatever pod comes.
func (d *draft) retire(m *member, why v1alpha1.RetirementReason) *v1alpha1.RetiredPod {
	retired := &v1alpha1.RetiredPod{Why: why, StartsOver: m.startsOver()}
	if pod := d.podOf(m); pod != nil {
		retired.UID = pod.UID
	}
	return retired
}
