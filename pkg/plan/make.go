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
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/configmeta"
)

// decision is one part of the whole. It reads and edits the draft; false ends
// the decision, since nothing that follows could be decided yet.
type decision func(*draft) bool

// decisions are made in this order; each relies on those before it.
var decisions = []decision{
	recoverStatus,  // who the members are and whether they were ready, where status was lost
	adoptApp,       // which app spec counts
	finishDeletion, // a cluster that goes needs nothing else
	checkSpec,      // may anything be made or changed
	protect,        // the finalizer stands before the first object
	enrol,          // who the members are; recorded before any of them exists
	suspend,        // whether they are to run
	keepPin,        // the app spec in use, before what is made of it
	makeServices,
	makeSets,
	moveMembers,        // what happened to each member
	closeAnnouncements, // whom the others are told of
	renewPods,          // pods of an old template
	dismissPods,        // what members have left behind
	visitMembers,       // what each member is to be given or asked
}

// Make decides what to do about a cluster. It is pure: equal observations give
// equal plans, the observation is left as it is, and on its own result, once
// carried out, it decides nothing.
func Make(seen *Observed) *Plan {
	d := &draft{
		seen:   seen,
		status: seen.Cluster.Status.DeepCopy(),
		plan:   &Plan{},
	}
	if d.run() {
		d.rollUp()
	}
	d.finish()
	return d.plan
}

// draft is a decision in the making.
type draft struct {
	seen   *Observed
	status *v1alpha1.KubeDirectorClusterStatus
	plan   *Plan

	// app is the app spec that counts, appNamespace where its ConfigMaps are.
	app          *catalog.App
	appNamespace string
	// inUse names it for status; newest is the app as it stands now, nil when it is gone or invalid.
	inUse  v1alpha1.AppInUse
	newest *pinnedApp

	// hold is true while the spec has faults: what exists stays as it is.
	hold bool
	// verdict on the spec, for the condition Valid.
	verdict verdict

	// members are those of status.roles, in its order.
	members []*member
	// unwanted tells of each node ID whether the spec does without it; nil while the spec doesn't count.
	unwanted map[int64]bool
	// heldBack are the node IDs of members that a script keeps from leaving; nil
	// when the pending events have changed since they were found.
	heldBack map[int64]bool
	// hashes are what the pods of each role are to be made of, once they are known.
	hashes map[string]string
	// documents are what members are told that stay (true) and that leave, built when they are first asked for.
	documents map[bool]func() (*configmeta.Document, error)

	// urgent is true when the status is to be written in this pass.
	urgent bool
	// silent is true when state and conditions are not to be drawn from the members.
	silent bool
}

func (d *draft) run() bool {
	for _, decide := range decisions {
		if !decide(d) {
			break
		}
	}
	return !d.silent
}

// finish compares the drafted status with the observed one.
func (d *draft) finish() {
	old := &d.seen.Cluster.Status
	if equality.Semantic.DeepEqual(old, d.status) {
		d.plan.Notes = nil
		d.plan.Record = ""
		return
	}
	d.plan.Status = d.status
	// What is told of a cluster that goes is told now or never.
	last := d.seen.Cluster.DeletionTimestamp != nil && len(d.plan.Notes) > 0
	d.plan.Urgent = last || d.urgent || old.State != d.status.State || !equality.Semantic.DeepEqual(verdicts(old), verdicts(d.status))
	if d.plan.Record != "" {
		// What was drafted after the record rests on what is not recorded yet.
		d.plan.Actions, d.plan.Again = nil, 0
	}
}

// verdicts are type, status and reason of each condition: what people and machines act on.
func verdicts(status *v1alpha1.KubeDirectorClusterStatus) []string {
	var all []string
	for _, c := range status.Conditions {
		all = append(all, c.Type+"="+string(c.Status)+"/"+c.Reason)
	}
	slices.Sort(all)
	return all
}

func (d *draft) act(actions ...Action) { d.plan.Actions = append(d.plan.Actions, actions...) }

// record asks for the status to be written before anything else happens.
func (d *draft) record(what string) {
	if d.plan.Record == "" {
		d.plan.Record = what
	}
}

func (d *draft) wait(why string) { d.plan.Why = append(d.plan.Why, why) }

// again asks for another look after a while; the shortest while wins.
func (d *draft) again(after time.Duration) {
	after = max(after, time.Millisecond)
	if d.plan.Again == 0 || after < d.plan.Again {
		d.plan.Again = after
	}
}

// paused is true while the user asks to leave everything as it is.
func (d *draft) paused() bool { return d.seen.Cluster.Spec.Paused }

// frozen is true while what exists stays as it is: the spec has faults, or the cluster is paused.
func (d *draft) frozen() bool { return d.hold || d.paused() }

// everReady is the recorded, or recovered, fact that the cluster has been ready once.
func (d *draft) everReady() bool { return d.status.FirstReadyTime != nil }
