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

package lifecycle

import (
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// MemberGone is the end of a member's life: nothing is recorded of it any more.
const MemberGone v1alpha1.MemberState = ""

// Container is how far a member's container has come.
type Container int

const (
	// ContainerNone has no pod.
	ContainerNone Container = iota
	// ContainerStarting has a pod whose container does not run.
	ContainerStarting
	// ContainerRunning runs.
	ContainerRunning
)

// Setup is how far a running container is set up: metadata, package and scripts.
type Setup int

const (
	// SetupOutstanding has something to be done or under way.
	SetupOutstanding Setup = iota
	// SetupSucceeded has all that was due.
	SetupSucceeded
	// SetupFailed had a last attempt that failed, and no newer one is recorded.
	SetupFailed
)

// MemberFacts is what the state of a member rests on.
type MemberFacts struct {
	// Wanted: the member is part of its cluster.
	Wanted bool
	// Configured: it is recorded that the member was configured once, and has not
	// left its pod behind on purpose since. What is lost was.
	Configured bool
	// Container is how far the member's container has come.
	Container Container
	// Replaced: the container that runs is not the one on record.
	Replaced bool
	// Setup is how far the container that runs is set up.
	Setup Setup
	// FarewellSaid: the scripts that precede the member's removal are done, on itself and on its peers, and whoever must go before it goes.
	FarewellSaid bool
	// ObjectsGone: nothing is left of a member that is being deleted.
	ObjectsGone bool
}

// containerLost is true when the container on record, if any, does not run.
func (f MemberFacts) containerLost() bool {
	return f.Container != ContainerRunning || f.Replaced
}

// is is true when the container on record runs and is set up so far.
func (f MemberFacts) is(setup Setup) bool {
	return !f.containerLost() && f.Setup == setup
}

// TargetMember is the state that a member of these facts comes to show, whatever
// it showed before. Only deleting is a record itself: what was once being deleted
// is wanted no more and its farewell was said. A container that was replaced is recorded
// on the way, so Replaced does not count here.
func TargetMember(f MemberFacts) v1alpha1.MemberState {
	switch {
	case !f.Wanted && !f.FarewellSaid:
		return v1alpha1.MemberLeaving
	case !f.Wanted && !f.ObjectsGone:
		return v1alpha1.MemberDeleting
	case !f.Wanted:
		return MemberGone
	case f.Configured && f.Container != ContainerRunning:
		return v1alpha1.MemberLost
	case f.Container == ContainerNone:
		return v1alpha1.MemberPending
	case f.Container == ContainerStarting:
		return v1alpha1.MemberCreating
	case f.Setup == SetupOutstanding:
		return v1alpha1.MemberConfiguring
	case f.Setup == SetupFailed:
		return v1alpha1.MemberError
	default:
		return v1alpha1.MemberReady
	}
}

// StepMember steps the member's machine by one row at most; gone is true when
// nothing is to be recorded of it any more. The error says that state and facts
// contradict each other; the state returned counts all the same.
//
// The caller keeps the records that the rows name: entering configuring records
// the running container, entering ready that the member was configured.
func StepMember(from v1alpha1.MemberState, f MemberFacts) (to v1alpha1.MemberState, gone bool, impossible error) {
	to, impossible = memberMachine.Step(from, f)
	return to, to == MemberGone, impossible
}
