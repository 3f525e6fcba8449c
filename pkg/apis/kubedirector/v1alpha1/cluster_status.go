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

	// Ready, Progressing, Degraded, Valid and AppOutdated.
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

	// When the cluster was first ready. From then on the app in use is held.
	// +optional
	FirstReadyTime *metav1.Time `json:"firstReadyTime,omitempty"`

	// Ready members of all members, as in "3/4".
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

// RoleStatus is the state of a role.
type RoleStatus struct {
	// Id of the role.
	ID string `json:"id"`

	// Name of the role's StatefulSet.
	StatefulSet string `json:"statefulSet"`

	// Number of members wanted.
	Desired int32 `json:"desired"`

	// Number of members in state ready.
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

	// Generation of the metadata with which the member was last configured. Absent: it never was.
	// +optional
	MetadataGeneration int64 `json:"metadataGeneration,omitempty"`

	// The container that the controller works on: the first characters of its ID.
	// +optional
	Incarnation string `json:"incarnation,omitempty"`

	// Why the member is not ready.
	// +optional
	Message string `json:"message,omitempty"`

	// The script that keeps the member from being ready.
	// +optional
	Event *MemberEvent `json:"event,omitempty"`
}

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

	// Generation of the metadata that the attempt belongs to.
	Generation int64 `json:"generation"`

	// Number of the attempt, from 1.
	Attempt int32 `json:"attempt"`

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
