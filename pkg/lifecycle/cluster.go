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

// ClusterFacts is what the state of a cluster rests on.
type ClusterFacts struct {
	// Valid: the spec was valid once and the members are recorded, so objects may be made.
	Valid bool
	// Deleting: the cluster object is being deleted.
	Deleting bool
	// EverReady: it is recorded that the cluster has been ready.
	EverReady bool
	// Lost: some member is lost.
	Lost bool
	// NotRunning: some member is pending or creating.
	NotRunning bool
	// Unsettled: the recorded members are not those of the spec, some are leaving
	// or being deleted or, once the cluster has been ready, some were never configured.
	Unsettled bool
	// Working: some member is configuring or in error, or was configured with older metadata.
	Working bool
}

// changing is true while the members that run are not those that should.
func (f ClusterFacts) changing() bool { return f.NotRunning || f.Unsettled }

// TargetCluster is the state that a cluster of these facts comes to show,
// whatever it showed before. A recorded state other than the empty one is itself
// a record that the spec was valid once.
func TargetCluster(f ClusterFacts) v1alpha1.ClusterState {
	switch {
	case f.Deleting:
		return v1alpha1.ClusterDeleting
	case !f.Valid:
		return v1alpha1.ClusterNew
	case f.Lost:
		return v1alpha1.ClusterNodeDown
	case f.NotRunning && !f.EverReady:
		return v1alpha1.ClusterCreating
	case f.NotRunning, f.Unsettled && f.EverReady:
		return v1alpha1.ClusterResizing
	case f.Unsettled, f.Working:
		return v1alpha1.ClusterConfiguring
	default:
		return v1alpha1.ClusterReady
	}
}

// StepCluster steps the cluster's machine by one row at most. The error says that
// state and facts contradict each other; the state returned counts all the same.
func StepCluster(from v1alpha1.ClusterState, f ClusterFacts) (to v1alpha1.ClusterState, impossible error) {
	return clusterMachine.Step(from, f)
}
