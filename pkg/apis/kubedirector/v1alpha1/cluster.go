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
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KubeDirectorCluster is an instance of an application type, as a user wants it.
//
// +genclient
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.elastic.members,statuspath=.status.elastic.members,selectorpath=.status.elastic.selector
// +kubebuilder:resource:path=kubedirectorclusters,singular=kubedirectorcluster,shortName=kdcluster;kdc,categories=kubedirector
// +kubebuilder:printcolumn:name="App",type=string,JSONPath=`.spec.app`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Members",type=string,JSONPath=`.status.membership`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Dashboard",type=string,priority=1,JSONPath=`.status.endpoints[0].url`
// +kubebuilder:printcolumn:name="Suspended",type=boolean,priority=1,JSONPath=`.spec.suspend`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 45",message="metadata.name must be a DNS label that begins with a letter, at most 45 characters: it names Services and begins the names of pods"
type KubeDirectorCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What the user wants.
	// +required
	Spec KubeDirectorClusterSpec `json:"spec"`

	// What the controller sees and does.
	// +optional
	Status KubeDirectorClusterStatus `json:"status,omitempty"`
}

// KubeDirectorClusterList is a list of KubeDirectorClusters.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
type KubeDirectorClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []KubeDirectorCluster `json:"items"`
}

// KubeDirectorClusterSpec is what a user wants of an instance.
//
// +kubebuilder:validation:XValidation:rule="has(self.appCatalog) == has(oldSelf.appCatalog)",message="appCatalog is immutable: it can be neither added nor removed"
// +kubebuilder:validation:XValidation:rule="!has(self.elastic) || self.roles.exists(r, r.id == self.elastic.role)",fieldPath=".elastic.role",message="elastic.role must be the id of one of spec.roles"
type KubeDirectorClusterSpec struct {
	// Name of the KubeDirectorApp. Immutable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="app is immutable: create another cluster for another app"
	App string `json:"app"`

	// Where the app is looked for: "local" is this namespace, "system" the controller's catalog namespace. Default: local first, then system. Immutable.
	// +optional
	// +kubebuilder:validation:Enum=local;system
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="appCatalog is immutable"
	AppCatalog AppCatalog `json:"appCatalog,omitempty"`

	// The roles of this instance. A role of the app that is left out, and needs no member, has none. Roles may be added and removed at any time; the members of a removed role leave.
	// +required
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Roles []ClusterRole `json:"roles"`

	// Type of the members' Services: ClusterIP, NodePort or LoadBalancer. Default: the controller's configuration, else ClusterIP. Changing it changes the Services in place.
	// +optional
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
	ServiceType corev1.ServiceType `json:"serviceType,omitempty"`

	// The role that kubectl scale, a HorizontalPodAutoscaler or KEDA resizes. Default: none, and scaling it is refused.
	// +optional
	Elastic *Elastic `json:"elastic,omitempty"`

	// True stops every member and keeps volumes, Services, names and node IDs; false starts them again. Default false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// True leaves members, objects and edits as they are; status goes on telling what is there, and deletion goes on. Default false.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// What is done about a member whose node does not answer. Default: wait for the node. Changing it restarts the members, one at a time.
	// +optional
	Recovery *Recovery `json:"recovery,omitempty"`

	// What becomes of volumes when members or the cluster go, and how long deletion waits for scripts.
	// +optional
	DeletionPolicy *DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// Elastic names the one role that the scale subresource resizes.
type Elastic struct {
	// Id of the role.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Role string `json:"role"`

	// Number of its members, in place of spec.roles[].members; the app's cardinality bounds it. Default 1. Left out of a manifest, applying it again keeps the number it was scaled to.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Members int32 `json:"members"`
}

// Recovery says what is done about losses.
type Recovery struct {
	// What is done about a member whose node does not answer.
	// +optional
	NodeDown *NodeDown `json:"nodeDown,omitempty"`
}

// NodeDown says what is done about a member whose node does not answer.
//
// +kubebuilder:validation:XValidation:rule="!has(self.after) || self.action == 'Reschedule'",fieldPath=".after",message="after needs action: Reschedule"
type NodeDown struct {
	// Wait leaves the pod until its node answers, is deleted, or gets the taint node.kubernetes.io/out-of-service. Reschedule deletes it by force after a while, even though it may still run where nobody sees it. Default Wait.
	// +optional
	// +default="Wait"
	// +kubebuilder:validation:Enum=Wait;Reschedule
	Action NodeDownAction `json:"action,omitempty"`

	// How long a node may not answer before its pods are rescheduled, in hours, minutes and seconds as in "1h30m". Default 5m.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+([.][0-9]+)?[hms])+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('168h')",message="must be between 30s and 168h"
	After *metav1.Duration `json:"after,omitempty"`
}

// NodeDownAction is what is done about a member whose node does not answer.
type NodeDownAction string

const (
	// NodeDownWait waits for the node.
	NodeDownWait NodeDownAction = "Wait"
	// NodeDownReschedule has the pod made anew elsewhere.
	NodeDownReschedule NodeDownAction = "Reschedule"
)

// AppCatalog is a place where apps are looked for.
type AppCatalog string

const (
	// AppCatalogLocal is the cluster's own namespace.
	AppCatalogLocal AppCatalog = "local"
	// AppCatalogSystem is the namespace that the controller's --system-namespace names.
	AppCatalogSystem AppCatalog = "system"
)

// ClusterRole is one role of an instance.
type ClusterRole struct {
	// Id of a role of the app.
	// +required
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`

	// Number of members. Default: the number in the role's cardinality. More: new members join. Fewer: those with the highest ordinals leave. spec.elastic overrides it for its role.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Members *int32 `json:"members,omitempty"`

	// Requests and limits of each member, extended resources such as nvidia.com/gpu too. Changing them restarts the members, one at a time.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`

	// The volume that holds each member's persistent directories. Default: none, directories live as long as the container. Once the cluster has been ready, it can't be changed for a role that has members.
	// +optional
	Storage *Storage `json:"storage,omitempty"`

	// Environment of each member's container; values may come from Secrets and ConfigMaps. Changing it restarts the members, one at a time.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=200
	Env []corev1.EnvVar `json:"env,omitempty"`

	// Security settings of each member's pod. Changing them restarts the members, one at a time.
	// +optional
	SecurityContext *corev1.PodSecurityContext `json:"securityContext,omitempty"`
}

// Storage is a member's volume.
type Storage struct {
	// Size of the volume.
	// +required
	Size resource.Quantity `json:"size"`

	// StorageClass of the volume. Default: the controller's configuration, else the cluster's default class.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	StorageClassName *string `json:"storageClassName,omitempty"`
}

// DeletionPolicy says what becomes of things when members or the instance go.
type DeletionPolicy struct {
	// What becomes of the members' volumes.
	// +optional
	Volumes *VolumePolicy `json:"volumes,omitempty"`

	// Seconds that the deletion of a cluster waits for the scripts of event "delete". Default 300.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=604800
	HookDeadlineSeconds *int32 `json:"hookDeadlineSeconds,omitempty"`
}

// VolumePolicy says what becomes of volumes.
type VolumePolicy struct {
	// When the cluster is deleted: Retain keeps the volumes, for a cluster of the same name to adopt; Delete deletes them. Default Retain.
	// +optional
	// +kubebuilder:validation:Enum=Retain;Delete
	OnDelete VolumeReclaim `json:"onDelete,omitempty"`

	// When a member leaves: Retain keeps its volume, for a later member of that name to adopt; Delete deletes it. Default Retain.
	// +optional
	// +kubebuilder:validation:Enum=Retain;Delete
	OnScaleDown VolumeReclaim `json:"onScaleDown,omitempty"`
}

// VolumeReclaim is what becomes of a volume.
type VolumeReclaim string

const (
	// VolumeRetain keeps the volume.
	VolumeRetain VolumeReclaim = "Retain"
	// VolumeDelete deletes the volume and what it holds.
	VolumeDelete VolumeReclaim = "Delete"
)
