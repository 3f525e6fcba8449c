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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KubeDirectorApp describes a type of application: its roles, images, services,
// the directories to keep, and the package of scripts that configures it. It is
// data only; running it needs no code in the controller.
//
// +genclient
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=kubedirectorapps,singular=kubedirectorapp,shortName=kdapp,categories=kubedirector
// +kubebuilder:printcolumn:name="Label",type=string,JSONPath=`.spec.label.name`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Valid",type=string,JSONPath=`.status.conditions[?(@.type=="Valid")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Distro",type=string,priority=1,JSONPath=`.spec.distroID`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must be at most 63 characters, for it becomes a label value"
type KubeDirectorApp struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What the application type is.
	// +required
	Spec KubeDirectorAppSpec `json:"spec"`

	// What the controller says of it.
	// +optional
	Status KubeDirectorAppStatus `json:"status,omitempty"`
}

// KubeDirectorAppList is a list of KubeDirectorApps.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
type KubeDirectorAppList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []KubeDirectorApp `json:"items"`
}

// KubeDirectorAppSpec is what an application type is.
//
// +kubebuilder:validation:XValidation:rule="has(self.defaultImageRepoTag) || self.roles.all(r, has(r.imageRepoTag))",message="each role needs an image: set spec.defaultImageRepoTag, or imageRepoTag in every role"
// +kubebuilder:validation:XValidation:rule="self.config.roleServices.all(rs, self.roles.exists(r, r.id == rs.roleID))",fieldPath=".config.roleServices",message="roleID must be the id of one of spec.roles"
// +kubebuilder:validation:XValidation:rule="self.config.roleServices.all(rs, rs.serviceIDs.all(id, has(self.services) && self.services.exists(s, s.id == id)))",fieldPath=".config.roleServices",message="serviceIDs must be ids of spec.services"
// +kubebuilder:validation:XValidation:rule="!has(self.config.selectedRoles) || self.config.selectedRoles.all(id, self.roles.exists(r, r.id == id))",fieldPath=".config.selectedRoles",message="selectedRoles must be ids of spec.roles"
// +kubebuilder:validation:XValidation:rule="self.roles.all(r, !has(r.configureAfter) || r.configureAfter.all(id, self.roles.exists(other, other.id == id)))",fieldPath=".roles",message="configureAfter must be ids of spec.roles"
type KubeDirectorAppSpec struct {
	// How the application is shown to people.
	// +required
	Label Label `json:"label"`

	// Identity of the series this application belongs to, equal across its versions. Default: the name of this object.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	DistroID string `json:"distroID,omitempty"`

	// Version of this application within its series. Default "0".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version,omitempty"`

	// Version of the metadata document that the config package expects. Default 7.
	// +optional
	// +kubebuilder:default=7
	// +kubebuilder:validation:Minimum=7
	ConfigSchemaVersion int32 `json:"configSchemaVersion,omitempty"`

	// Container image of every role that names none itself.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	DefaultImageRepoTag string `json:"defaultImageRepoTag,omitempty"`

	// Config package of every role that names none itself.
	// +optional
	DefaultConfigPackage *ConfigPackage `json:"defaultConfigPackage,omitempty"`

	// Absolute directories of the image's root file system that are kept on a member's volume, for every role that lists none itself.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	DefaultPersistDirs []Directory `json:"defaultPersistDirs,omitzero"`

	// Lifecycle events the config package takes, for every role that lists none itself. Default: configure, addnodes, delnodes, reconnect.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	DefaultEventList []LifecycleEvent `json:"defaultEventList,omitzero"`

	// Bytes of the tail of a failed script's output that are kept in a member's status. Default 256, which is also the most that is kept.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DefaultMaxLogSizeDump *int32 `json:"defaultMaxLogSizeDump,omitempty"`

	// Network services that the roles run.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Services []Service `json:"services,omitempty"`

	// Kinds of members an instance has.
	// +required
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Roles []Role `json:"roles"`

	// Which role runs which services, and free metadata for the config package.
	// +required
	Config AppConfig `json:"config"`

	// Linux capabilities added to the application containers, without the CAP_ prefix: "SYS_PTRACE".
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	Capabilities []corev1.Capability `json:"capabilities,omitempty"`

	// True: the images boot systemd. Members get /run, /run/lock and /tmp in memory and the node's /sys/fs/cgroup/systemd, so they need nodes with cgroup v1 and a namespace that allows hostPath volumes. A script may be called before the services are up: systemctl is-system-running --wait.
	// +optional
	SystemdRequired bool `json:"systemdRequired,omitempty"`

	// Picture for user interfaces. KubeDirector does not read it.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(file|https?)://.+$`
	LogoURL string `json:"logoURL,omitempty"`

	// How long a script may run and how often it is tried.
	// +optional
	Hooks *Hooks `json:"hooks,omitempty"`
}

// Label is how something is shown to people.
type Label struct {
	// Display name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// A sentence or two.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`
}

// ConfigPackage is where a gzipped tar with one directory that holds an executable startscript comes from.
//
// +kubebuilder:validation:XValidation:rule="has(self.packageURL) != (has(self.none) && self.none)",message="set either packageURL or none: true"
type ConfigPackage struct {
	// http(s)://…, file:///path/in/image.tgz, or configmap://name/key with a ConfigMap of the app's namespace.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^((https?|file)://.+|configmap://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[-._a-zA-Z0-9]+)$`
	PackageURL string `json:"packageURL,omitempty"`

	// SHA-256 of the package as 64 hexadecimal digits; a package that differs is refused.
	// +optional
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	SHA256 string `json:"sha256,omitempty"`

	// True: no package, even where the app has a default one. The role's image then needs no configuration.
	// +optional
	None bool `json:"none,omitempty"`

	// Accepted for compatibility with older manifests and without effect: there is one layout.
	// +optional
	UseNewSetupLayout *bool `json:"useNewSetupLayout,omitempty"`
}

// Directory is an absolute path without a trailing slash.
//
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:Pattern=`^(/[^/\x00]+)+$`
// +kubebuilder:validation:XValidation:rule="!self.matches('/[.][.]?(/|$)')",message="must not contain . or .. as a path element"
type Directory string

// Service is a network service that roles may run.
type Service struct {
	// Short identity, a DNS label: it names the port of Kubernetes Services.
	// +required
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	ID string `json:"id"`

	// How the service is shown to people. Default: its id.
	// +optional
	Label *Label `json:"label,omitempty"`

	// Where it listens. Without an endpoint the service is only metadata.
	// +optional
	Endpoint *Endpoint `json:"endpoint,omitempty"`

	// Free word for clients that look for services of one kind across instances.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ExportedService string `json:"exportedService,omitempty"`
}

// Endpoint is where a service listens.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.isDashboard) && self.isDashboard) || has(self.urlScheme)",message="a dashboard needs urlScheme, for its URL is shown in status.endpoints"
type Endpoint struct {
	// TCP port in the container.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// Scheme of the service's URL, for example "http".
	// +optional
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[a-z][-+.a-z0-9]*$`
	URLScheme string `json:"urlScheme,omitempty"`

	// Path of the service's URL, beginning with a slash.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^/.*$`
	Path string `json:"path,omitempty"`

	// True: a page for people, listed in the cluster's status.endpoints.
	// +optional
	IsDashboard bool `json:"isDashboard,omitempty"`
}

// AppConfig says which role runs which services, and carries free metadata.
type AppConfig struct {
	// Services of each role.
	// +required
	// +listType=map
	// +listMapKey=roleID
	// +kubebuilder:validation:MaxItems=50
	RoleServices []RoleServices `json:"roleServices"`

	// Roles that an instance has. Default: all of spec.roles.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=50
	SelectedRoles []RoleID `json:"selectedRoles,omitempty"`

	// Free keys and values for the config package, in the metadata under config_metadata.
	// +optional
	// +kubebuilder:validation:MaxProperties=200
	ConfigMeta map[string]string `json:"configMeta,omitempty"`
}

// RoleID is the id of a role.
//
// +kubebuilder:validation:MaxLength=63
type RoleID string

// ServiceID is the id of a service.
//
// +kubebuilder:validation:MaxLength=15
type ServiceID string

// RoleServices are the services of one role.
type RoleServices struct {
	// Id of the role.
	// +required
	// +kubebuilder:validation:MaxLength=63
	RoleID string `json:"roleID"`

	// Ids of the services that its members run.
	// +required
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	ServiceIDs []ServiceID `json:"serviceIDs"`
}

// KubeDirectorAppStatus is what the controller says of an app.
type KubeDirectorAppStatus struct {
	// The generation of spec that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Valid: the app can be used; its message names every fault.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
