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
)

// Role is a kind of member.
//
// +kubebuilder:validation:XValidation:rule="!has(self.containerSpec) || !(has(self.containerSpec.tty) && self.containerSpec.tty) || (has(self.containerSpec.stdin) && self.containerSpec.stdin)",fieldPath=".containerSpec.tty",message="tty needs stdin: true"
// +kubebuilder:validation:XValidation:rule="!has(self.configureAfter) || !(self.id in self.configureAfter)",fieldPath=".configureAfter",message="a role can't wait for itself"
type Role struct {
	// Identity of the role. Capitals, "_" and "." become legal characters in the names of objects.
	// +required
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?$`
	ID string `json:"id"`

	// How many members the role has: "3" exactly three, "1+" one or more.
	// +required
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^\d+\+?$`
	Cardinality string `json:"cardinality"`

	// Container image. Default: spec.defaultImageRepoTag.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	ImageRepoTag string `json:"imageRepoTag,omitempty"`

	// Config package. Default: spec.defaultConfigPackage; without either the role needs no configuration.
	// +optional
	ConfigPackage *ConfigPackage `json:"configPackage,omitempty"`

	// Directories kept on the member's volume. Default: spec.defaultPersistDirs.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	PersistDirs []Directory `json:"persistDirs,omitzero"`

	// Lifecycle events the package takes. Default: spec.defaultEventList.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	EventList []LifecycleEvent `json:"eventList,omitzero"`

	// Roles whose members are configured before those of this role, when they join together. Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=63
	ConfigureAfter []string `json:"configureAfter,omitempty"`

	// Bytes of a failed script's output kept in status. Default: spec.defaultMaxLogSizeDump.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxLogSizeDump *int32 `json:"maxLogSizeDump,omitempty"`

	// The least a member must request; a cluster that asks for less is not valid.
	// +optional
	MinResources corev1.ResourceList `json:"minResources,omitempty"`

	// The least storage a member must ask for.
	// +optional
	MinStorage *MinStorage `json:"minStorage,omitempty"`

	// Terminal settings and command of the container.
	// +optional
	ContainerSpec *ContainerSpec `json:"containerSpec,omitempty"`
}

// MinStorage is the least storage a member must ask for.
type MinStorage struct {
	// Size of the volume.
	// +required
	Size resource.Quantity `json:"size"`

	// True: a member may also do without a volume.
	// +optional
	EphemeralModeSupported bool `json:"ephemeralModeSupported,omitempty"`
}

// ContainerSpec is what of a container an app may set beside the image.
type ContainerSpec struct {
	// Keep standard input open. Default false.
	// +optional
	Stdin bool `json:"stdin,omitempty"`

	// Give the container a terminal; needs stdin. Default false.
	// +optional
	TTY bool `json:"tty,omitempty"`

	// Entry point in place of the image's.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Command []string `json:"command,omitempty"`

	// Arguments in place of the image's.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Args []string `json:"args,omitempty"`
}
