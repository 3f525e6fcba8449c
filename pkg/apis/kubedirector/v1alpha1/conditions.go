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

package v1alpha1

// The condition types. State says what the controller is doing, conditions say
// whether the cluster can be used and why not.
const (
	// ConditionReady is True when the spec is fully realised for the observed generation.
	ConditionReady = "Ready"
	// ConditionProgressing is True while the controller works or waits; its message says on what, since when, until when.
	ConditionProgressing = "Progressing"
	// ConditionDegraded is True while something has failed that the controller will not mend by itself.
	ConditionDegraded = "Degraded"
	// ConditionValid is False when the spec cannot be realised as it stands; its message has one line per fault, path first.
	ConditionValid = "Valid"
	// ConditionAppOutdated is True when the app has changed since this cluster pinned it.
	ConditionAppOutdated = "AppOutdated"
	// ConditionSuspended is True once every member of a suspended cluster has stopped.
	ConditionSuspended = "Suspended"
	// ConditionPaused is True while the controller keeps its hands off.
	ConditionPaused = "Paused"
	// ConditionScalingLimited is True while spec.elastic asks for a number of members that the app's cardinality does not allow.
	ConditionScalingLimited = "ScalingLimited"
)

// Reasons that conditions carry when all is well.
const (
	// ReasonClusterReady: every member is configured.
	ReasonClusterReady = "ClusterReady"
	// ReasonAsExpected: nothing is wrong.
	ReasonAsExpected = "AsExpected"
	// ReasonSpecValid: the spec can be realised.
	ReasonSpecValid = "SpecValid"
	// ReasonAppCurrent: the pinned app spec is the newest.
	ReasonAppCurrent = "AppCurrent"
	// ReasonSuspended: every member has stopped, as spec.suspend asks.
	ReasonSuspended = "Suspended"
	// ReasonSuspending: the members of a suspended cluster are being stopped.
	ReasonSuspending = "Suspending"
	// ReasonNotSuspended: spec.suspend is false.
	ReasonNotSuspended = "NotSuspended"
	// ReasonPaused: spec.paused asks to leave everything as it is.
	ReasonPaused = "Paused"
	// ReasonNotPaused: spec.paused is false.
	ReasonNotPaused = "NotPaused"
	// ReasonTooFewMembers: spec.elastic.members is below the role's cardinality, which counts.
	ReasonTooFewMembers = "TooFewMembers"
	// ReasonTooManyMembers: spec.elastic.members is above the role's cardinality, or the cluster would have too many members; what is allowed counts.
	ReasonTooManyMembers = "TooManyMembers"
	// ReasonWithinCardinality: spec.elastic.members is what the role has.
	ReasonWithinCardinality = "WithinCardinality"
	// ReasonAppChanged: the app was edited after the cluster pinned it.
	ReasonAppChanged = "AppChanged"
)

// Reasons of Valid=False. The message names each field, its value and what would be right.
const (
	// ReasonAppNotFound: no KubeDirectorApp of that name exists where the cluster looks for it.
	ReasonAppNotFound = "AppNotFound"
	// ReasonAppInvalid: the app itself has faults.
	ReasonAppInvalid = "AppInvalid"
	// ReasonInvalidSpec: the spec contradicts its app or names something that does not exist.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonNameTaken: an object of a name that the cluster needs belongs to somebody else.
	ReasonNameTaken = "NameTaken"
	// ReasonNotYetSupported: the edit would change members that already run in a way this version does not do; they are left as they are.
	ReasonNotYetSupported = "NotYetSupported"
)

// Reasons of Progressing=True and, with it, Ready=False.
const (
	// ReasonCreating: objects are being made or containers started.
	ReasonCreating = "Creating"
	// ReasonConfiguring: metadata, package or scripts are under way.
	ReasonConfiguring = "Configuring"
	// ReasonResizing: members are being added or removed.
	ReasonResizing = "Resizing"
	// ReasonWaitingForConfigMap: the ConfigMap that holds a config package is not there yet.
	ReasonWaitingForConfigMap = "WaitingForConfigMap"
	// ReasonWaitingForGuest: a member's container cannot be reached.
	ReasonWaitingForGuest = "WaitingForGuest"
	// ReasonRequestRefused: the API server refuses something that the cluster needs, as a quota, a policy or missing rights can make it do.
	ReasonRequestRefused = "RequestRefused"
	// ReasonWaitingForRole: members are configured after those of another role, as the app's configureAfter says.
	ReasonWaitingForRole = "WaitingForRole"
	// ReasonScaleDownBlocked: a member that is to leave refuses to, by exit code 3 of its script for event decommission.
	ReasonScaleDownBlocked = "ScaleDownBlocked"
	// ReasonPodTerminating: the pod of a member that leaves, or is replaced, has not ended.
	ReasonPodTerminating = "PodTerminating"
	// ReasonRetrying: a script failed and will be tried again by itself.
	ReasonRetrying = "Retrying"
	// ReasonDeleting: the cluster is being deleted.
	ReasonDeleting = "Deleting"
)

// Reasons for which a member's pod is not there or does not run.
const (
	// ReasonPodCreationFailed: the API server refuses the pod, as a quota, a LimitRange or a pod security level can make it do.
	ReasonPodCreationFailed = "PodCreationFailed"
	// ReasonUnschedulable: no node takes the pod.
	ReasonUnschedulable = "Unschedulable"
	// ReasonVolumePending: the member's volume is not bound.
	ReasonVolumePending = "VolumePending"
	// ReasonImagePullFailed: an image cannot be pulled.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonContainerConfigError: the container cannot be made, as a missing Secret or ConfigMap can make it.
	ReasonContainerConfigError = "ContainerConfigError"
	// ReasonContainerCrashing: the container ends again and again.
	ReasonContainerCrashing = "ContainerCrashing"
	// ReasonPersistFailed: the persistent directories could not be copied to the member's volume.
	ReasonPersistFailed = "PersistFailed"
)

// Reasons for which a configured member is lost.
const (
	// ReasonContainerRestarted: the member's container was replaced or has ended.
	ReasonContainerRestarted = "ContainerRestarted"
	// ReasonNodeLost: the node of the member's pod does not answer.
	ReasonNodeLost = "NodeLost"
	// ReasonPodLost: the member's pod is gone, ending, or another one.
	ReasonPodLost = "PodLost"
)

// Reasons of a failed configuration.
const (
	// ReasonScriptFailed: a script ended with an exit code other than 0, ran past its deadline, or was lost.
	ReasonScriptFailed = "ScriptFailed"
	// ReasonPackageFault: the config package cannot be had, or is not what it should be.
	ReasonPackageFault = "PackageFault"
)
