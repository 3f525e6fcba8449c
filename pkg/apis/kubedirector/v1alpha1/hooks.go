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

// LifecycleEvent is something that happens in an instance's life and that a config package's startscript is called for.
//
// +kubebuilder:validation:Enum=configure;addnodes;delnodes;reconnect;restart;decommission;stop;start;delete
type LifecycleEvent string

// The lifecycle events. Those an app may list but that no state of an instance leads to yet are accepted, so that packages need not change later.
const (
	// EventConfigure sets up a new member, and one whose container was replaced without persistent storage.
	EventConfigure LifecycleEvent = "configure"
	// EventAddNodes tells a configured member that others have joined.
	EventAddNodes LifecycleEvent = "addnodes"
	// EventDelNodes tells a member that stays that others are about to leave.
	EventDelNodes LifecycleEvent = "delnodes"
	// EventReconnect tells a member that the metadata of a connection has changed.
	EventReconnect LifecycleEvent = "reconnect"
	// EventRestart tells a configured member that its container came back on persistent storage. Opt-in.
	EventRestart LifecycleEvent = "restart"
	// EventDecommission tells a member that it is about to leave; exit code 3 keeps it for now. Opt-in.
	EventDecommission LifecycleEvent = "decommission"
	// EventStop tells a member that its cluster is about to be suspended. Opt-in.
	EventStop LifecycleEvent = "stop"
	// EventStart tells a member that its cluster is no longer suspended and its persistent storage is back. Opt-in.
	EventStart LifecycleEvent = "start"
	// EventDelete tells a member that its cluster is being deleted. Opt-in.
	EventDelete LifecycleEvent = "delete"
)

// Hooks says how long a script may run and how often it is tried.
type Hooks struct {
	HookPolicy `json:",inline"`

	// Exceptions for single events; what one leaves out is as above.
	// +optional
	// +listType=map
	// +listMapKey=event
	// +kubebuilder:validation:MaxItems=16
	Events []EventHook `json:"events,omitempty"`
}

// HookPolicy is how long a script may run and how often it is tried.
type HookPolicy struct {
	// Seconds a script may run before it is ended and counts as failed. Default 1800.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// How often a failed script is tried again by itself. Default 3.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Retries *int32 `json:"retries,omitempty"`

	// Seconds before the first retry; each further wait is twice as long, at most 10 minutes. Default 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=600
	BackoffSeconds *int32 `json:"backoffSeconds,omitempty"`
}

// EventHook is the policy of one event.
type EventHook struct {
	// The event.
	// +required
	Event LifecycleEvent `json:"event"`

	HookPolicy `json:",inline"`
}
