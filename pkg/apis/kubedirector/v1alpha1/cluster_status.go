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

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// KubeDirectorClusterStatus is what the controller sees and does.
type KubeDirectorClusterStatus struct {
	// What the controller is doing. Empty until a valid spec was seen.
	// +optional
	// +kubebuilder:validation:Enum="";creating;configuring;ready;resizing;node-down;deleting
	State ClusterState `json:"state,omitempty"`

	// The generation of spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Ready, Progressing, Degraded, Valid, AppOutdated, Suspended, Paused and ScalingLimited.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// The app in use.
	// +optional
	App *AppInUse `json:"app,omitempty"`

	// Name of the headless Service that gives the members their DNS names.
	// +optional
	ClusterService string `json:"clusterService,omitempty"`

	// The last node ID that was given. Node IDs only grow and are never given twice.
	// +optional
	LastNodeID int64 `json:"lastNodeID,omitempty"`

	// Generation of the metadata document; it grows when what the members are told changes.
	// +optional
	MetadataGeneration int64 `json:"metadataGeneration,omitempty"`

	// The number of the last pending event. Numbers only grow and are never given twice.
	// +optional
	LastEvent int64 `json:"lastEvent,omitempty"`

	// Scripts that members are still to be called for beside their own configuration, in the order of their numbers.
	// +optional
	// +listType=map
	// +listMapKey=number
	PendingEvents []PendingEvent `json:"pendingEvents,omitempty"`

	// The value of the annotation kubedirector.bluedata.io/retry that was acted on last.
	// +optional
	ObservedRetry string `json:"observedRetry,omitempty"`

	// The values of the annotations kubedirector.bluedata.io/replace and force-remove that were looked at last.
	// +optional
	ObservedRequests string `json:"observedRequests,omitempty"`

	// The role that the scale subresource resizes.
	// +optional
	Elastic *ElasticStatus `json:"elastic,omitempty"`

	// When the cluster was first ready. From then on the app in use is held.
	// +optional
	FirstReadyTime *metav1.Time `json:"firstReadyTime,omitempty"`

	// Members that are configured and up, of all that are wanted, as in "3/4".
	// +optional
	Membership string `json:"membership,omitempty"`

	// The dashboards, at most 50.
	// +optional
	// +listType=atomic
	Endpoints []DashboardEndpoint `json:"endpoints,omitempty"`

	// The roles and their members.
	// +optional
	// +listType=map
	// +listMapKey=id
	Roles []RoleStatus `json:"roles,omitempty"`
}

// ClusterState is what the controller is doing with a cluster.
type ClusterState string

// The cluster states, these six and no more; the empty one is a cluster whose spec was never valid.
const (
	// ClusterNew has no valid spec yet; nothing was made for it.
	ClusterNew ClusterState = ""
	// ClusterCreating has never been ready, and some member has no running container yet.
	ClusterCreating ClusterState = "creating"
	// ClusterConfiguring has running containers; metadata or scripts are under way on a stable membership.
	ClusterConfiguring ClusterState = "configuring"
	// ClusterReady realises its spec: every member is configured, nothing is pending.
	ClusterReady ClusterState = "ready"
	// ClusterResizing is adding, removing or changing members.
	ClusterResizing ClusterState = "resizing"
	// ClusterNodeDown has lost the container, pod or node of a member that had been configured.
	ClusterNodeDown ClusterState = "node-down"
	// ClusterDeleting is being deleted.
	ClusterDeleting ClusterState = "deleting"
)

// AppInUse names the app of a cluster and the revision of it that is in use.
type AppInUse struct {
	// Name of the app.
	Name string `json:"name"`
	// Namespace in which it was found.
	Namespace string `json:"namespace"`
	// The app's own version.
	// +optional
	Version string `json:"version,omitempty"`
	// Name of the ControllerRevision that holds the spec in use.
	Revision string `json:"revision"`
}

// DashboardEndpoint is a page for people.
type DashboardEndpoint struct {
	// Role of the member that serves it.
	Role string `json:"role"`
	// Pod of the member.
	Member string `json:"member"`
	// Id of the service.
	Service string `json:"service"`
	// URL, as it is reached from within the Kubernetes cluster.
	URL string `json:"url"`
}

// ElasticStatus is what the scale subresource tells of the elastic role.
type ElasticStatus struct {
	// Number of members that the role has now.
	Members int32 `json:"members"`
	// Label selector of the role's pods.
	Selector string `json:"selector"`
}

// PendingEvent is a lifecycle event that members are to be called for because of
// something that happened to others, or to the cluster as a whole.
type PendingEvent struct {
	// Number of the event within its cluster, never given twice; with the member's node ID it identifies the script.
	Number int64 `json:"number"`

	// The lifecycle event.
	Event LifecycleEvent `json:"event"`

	// The role that members joined or are about to leave.
	// +optional
	Role string `json:"role,omitempty"`

	// Pods of the members that joined or are about to leave.
	// +optional
	// +listType=atomic
	Members []string `json:"members,omitempty"`

	// Node IDs of those members, in the same order.
	// +optional
	// +listType=atomic
	NodeIDs []int64 `json:"nodeIDs,omitempty"`

	// True while members may still be added to it or taken from it; nobody has been called for it yet.
	// +optional
	Open bool `json:"open,omitempty"`

	// Node IDs of the members that are still to be called.
	// +optional
	// +listType=atomic
	For []int64 `json:"for,omitempty"`

	// Node IDs of those among them that may know of it all the same: they were being configured when it was recorded, or whom it names was leaving.
	// +optional
	// +listType=atomic
	MayKnow []int64 `json:"mayKnow,omitempty"`
}

// RoleStatus is the state of a role.
type RoleStatus struct {
	// Id of the role.
	ID string `json:"id"`

	// Name of the role's StatefulSet.
	StatefulSet string `json:"statefulSet"`

	// Number of members wanted.
	Desired int32 `json:"desired"`

	// Number of members that are configured and up, be it that they are being given news of others.
	Ready int32 `json:"ready"`

	// The members by ordinal.
	// +optional
	// +listType=atomic
	Members []MemberStatus `json:"members,omitempty"`
}

// MemberStatus is the state of a member.
type MemberStatus struct {
	// Name of the member's pod.
	Pod string `json:"pod"`

	// Number of the member within its cluster, never given twice.
	NodeID int64 `json:"nodeID"`

	// What the controller is doing with the member.
	// +kubebuilder:validation:Enum=pending;creating;configuring;ready;lost;error;leaving;deleting
	State MemberState `json:"state"`

	// Generation of the metadata that the member holds since it was configured. Absent: it never was.
	// +optional
	MetadataGeneration int64 `json:"metadataGeneration,omitempty"`

	// The container that the controller works on: the first characters of its ID.
	// +optional
	Incarnation string `json:"incarnation,omitempty"`

	// The pod that the member leaves behind, on purpose. Absent once the member is ready in another.
	// +optional
	Retired *RetiredPod `json:"retired,omitempty"`

	// Why the member is not ready.
	// +optional
	Message string `json:"message,omitempty"`

	// The script that keeps the member from being ready.
	// +optional
	Event *MemberEvent `json:"event,omitempty"`
}

// RetiredPod is a pod that a member leaves behind, on purpose.
type RetiredPod struct {
	// Why: the cluster is suspended, its template has changed, the member was leaving and stays after all, the member leaves, or another member takes its place.
	// +kubebuilder:validation:Enum=Suspended;Renewed;CalledOff;Removed;Replaced
	Why RetirementReason `json:"why"`

	// UID of the pod; empty when there was none.
	// +optional
	UID types.UID `json:"uid,omitempty"`

	// True when the member may have been decommissioned and stays after all: it is configured again in another pod.
	// +optional
	StartsOver bool `json:"startsOver,omitempty"`

	// UID of the claim that goes with it; empty when its volume stays.
	// +optional
	ClaimUID types.UID `json:"claimUID,omitempty"`

	// True when the pod is deleted without waiting for its node to say that it has ended.
	// +optional
	Force bool `json:"force,omitempty"`
}

// RetirementReason is why a member leaves a pod behind.
type RetirementReason string

const (
	// RetiredSuspended: the cluster is suspended; the same member goes on in another pod.
	RetiredSuspended RetirementReason = "Suspended"
	// RetiredRenewed: the pod's template has changed; the same member goes on in another pod.
	RetiredRenewed RetirementReason = "Renewed"
	// RetiredCalledOff: the member was leaving and stays after all, though it may have been decommissioned; it is configured again in another pod.
	RetiredCalledOff RetirementReason = "CalledOff"
	// RetiredRemoved: the member is wanted no more.
	RetiredRemoved RetirementReason = "Removed"
	// RetiredReplaced: a new member takes the place of this one.
	RetiredReplaced RetirementReason = "Replaced"
)

// MemberState is what the controller is doing with a member.
type MemberState string

// The member states.
const (
	// MemberPending has been given a node ID; it has no pod yet.
	MemberPending MemberState = "pending"
	// MemberCreating has a pod whose container does not run yet.
	MemberCreating MemberState = "creating"
	// MemberConfiguring has a running container that is being given metadata and package, or runs a script.
	MemberConfiguring MemberState = "configuring"
	// MemberReady is configured.
	MemberReady MemberState = "ready"
	// MemberLost was configured and has lost its container, pod or node.
	MemberLost MemberState = "lost"
	// MemberError has a script that failed; it is tried again by policy.
	MemberError MemberState = "error"
	// MemberLeaving runs what precedes its removal.
	MemberLeaving MemberState = "leaving"
	// MemberDeleting is having its objects removed.
	MemberDeleting MemberState = "deleting"
)

// MemberEvent is a lifecycle event of a member and the attempt at it that is or was last under way.
type MemberEvent struct {
	// The lifecycle event.
	Name LifecycleEvent `json:"name"`

	// Generation of the metadata that the attempt belongs to or, for a pending event, its number.
	Generation int64 `json:"generation"`

	// Number of the attempt, from 1.
	Attempt int32 `json:"attempt"`

	// How many earlier attempts ended with exit code 3 of decommission, by which a member refuses to leave: they don't count as failures.
	// +optional
	Vetoes int32 `json:"vetoes,omitempty"`

	// Pending, Running, Failed, TimedOut or Lost.
	// +kubebuilder:validation:Enum=Pending;Running;Failed;TimedOut;Lost
	State EventState `json:"state"`

	// Exit code of the script, once it has one.
	// +optional
	ExitCode *int32 `json:"exitCode,omitempty"`

	// When the attempt began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// When the attempt ended.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`

	// The first characters of the SHA-256 of the config package that the attempt ran.
	// +optional
	Package string `json:"package,omitempty"`

	// The end of what the script wrote, standard error first, at most 256 bytes. The whole is on the member under /opt/guestconfig.
	// +optional
	OutputTail string `json:"outputTail,omitempty"`
}

// EventState is where an attempt at a script stands.
type EventState string

const (
	// EventPending was decided and recorded, and may not have begun.
	EventPending EventState = "Pending"
	// EventRunning has begun.
	EventRunning EventState = "Running"
	// EventFailed ended with an exit code other than 0.
	EventFailed EventState = "Failed"
	// EventTimedOut was ended at its deadline.
	EventTimedOut EventState = "TimedOut"
	// EventLost ended without an exit code: what watched over it was killed.
	EventLost EventState = "Lost"
)
