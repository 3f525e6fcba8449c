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

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

const pausedMessage = "spec.paused asks to leave everything as it is; deletion goes on"

// setPaused speaks of a pause while there is one, or has been.
func (d *draft) setPaused() {
	switch {
	case d.paused():
		d.setCondition(v1alpha1.ConditionPaused, metav1.ConditionTrue, v1alpha1.ReasonPaused, pausedMessage)
	case d.hasCondition(v1alpha1.ConditionPaused):
		d.setCondition(v1alpha1.ConditionPaused, metav1.ConditionFalse, v1alpha1.ReasonNotPaused, "spec.paused is false")
	}
}

// setSuspended speaks of a suspension while there is one, or has been.
func (d *draft) setSuspended() {
	switch {
	case d.suspended() && d.status.State == v1alpha1.ClusterReady:
		d.setCondition(v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended, "every member has stopped; volumes, Services and node IDs are kept")
	case d.suspending():
		d.setCondition(v1alpha1.ConditionSuspended, metav1.ConditionFalse, v1alpha1.ReasonSuspending, "the members are being stopped")
	case d.hasCondition(v1alpha1.ConditionSuspended):
		d.setCondition(v1alpha1.ConditionSuspended, metav1.ConditionFalse, v1alpha1.ReasonNotSuspended, "spec.suspend is false")
	}
}

func (d *draft) hasCondition(kind string) bool {
	return meta.FindStatusCondition(d.status.Conditions, kind) != nil
}

// showElastic tells the scale subresource how many members there are, and how
// an autoscaler finds their pods.
func (d *draft) showElastic() {
	elastic := d.seen.Cluster.Spec.Elastic
	d.status.Elastic = nil
	if elastic == nil {
		return
	}
	d.status.Elastic = &v1alpha1.ElasticStatus{
		Selector: labels.SelectorFromSet(names.Selector(d.seen.Cluster.Name, elastic.Role)).String(),
	}
	for _, m := range d.members {
		if m.role.ID == elastic.Role && m.wanted {
			d.status.Elastic.Members++
		}
	}
}

// setScalingLimited says whether the elastic role has the number of members that
// it was scaled to, for an autoscaler does not know what the app allows.
func (d *draft) setScalingLimited() {
	elastic := d.seen.Cluster.Spec.Elastic
	if elastic == nil || d.app == nil {
		meta.RemoveStatusCondition(&d.status.Conditions, v1alpha1.ConditionScalingLimited)
		return
	}
	allowed := d.app.Members(&d.seen.Cluster.Spec)[elastic.Role]
	text := fmt.Sprintf("spec.elastic asks for %d members of role %s; it is given %d, as the app's cardinality and the limit of a cluster allow", elastic.Members, elastic.Role, allowed)
	switch {
	case allowed > elastic.Members:
		d.setCondition(v1alpha1.ConditionScalingLimited, metav1.ConditionTrue, v1alpha1.ReasonTooFewMembers, text)
	case allowed < elastic.Members:
		d.setCondition(v1alpha1.ConditionScalingLimited, metav1.ConditionTrue, v1alpha1.ReasonTooManyMembers, text)
	default:
		d.setCondition(v1alpha1.ConditionScalingLimited, metav1.ConditionFalse, v1alpha1.ReasonWithinCardinality, fmt.Sprintf("role %s is given the %d members that spec.elastic asks for", elastic.Role, allowed))
	}
}
