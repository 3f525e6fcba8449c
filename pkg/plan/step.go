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
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// Step is what one visit to a container does: put the metadata and the package
// in place, then run at most one event, or find out where that event stands.
// Asking for the same step again is safe: an event that has run is not run again.
type Step struct {
	Container Container

	// Cluster is the UID of the cluster, NodeID the member's number in it; together with the event they identify a script.
	Cluster types.UID
	NodeID  int64

	// MetadataGeneration is the generation of Metadata, the document as this member reads it.
	MetadataGeneration int64
	Metadata           func() ([]byte, error)

	// Package is nil for a role that has none.
	Package *catalog.Package
	// PackageSHA256 is empty when any content is accepted.
	PackageSHA256 string

	// Event is nil when nothing is to be run.
	Event *Event
	// Configured says when the container counts as configured, and its pod turns Ready.
	Configured ConfiguredWhen
	// KeepsLedger is true for a member with a volume: results of events that belong to the member outlive its pod there.
	KeepsLedger bool
}

// Container names one life of one container of a pod.
type Container struct {
	Pod    types.NamespacedName
	PodUID types.UID
	// ID is the container ID of the pod's status, with its scheme: "containerd://5d0f…".
	ID string
}

// Event is a lifecycle event to be run in a container.
type Event struct {
	Name v1alpha1.LifecycleEvent
	// Args are the arguments of the startscript, the event's own first: "--configure".
	Args []string
	// Once says how often the event may succeed.
	Once Once
	// Generation of the metadata the event belongs to or, for a pending event, its number.
	Generation int64
	// Attempt counts from 1; a higher one runs a failed event again.
	Attempt int32
	// Timeout is how long the script may run.
	Timeout time.Duration
	// MaxOutput is the number of bytes of output that a result carries.
	MaxOutput int32
}

// Once is the scope in which an event succeeds once.
type Once string

// The scopes of events.
const (
	OncePerContainer  Once = "Incarnation"
	OncePerMember     Once = "Node"
	OncePerGeneration Once = "NodeGeneration"
)

// ConfiguredWhen says when a container counts as configured.
type ConfiguredWhen string

const (
	// ConfiguredNever leaves the container as it is: it is marked already.
	ConfiguredNever ConfiguredWhen = "Never"
	// ConfiguredHere marks it when the event succeeded in this very container, not in an earlier one.
	ConfiguredHere ConfiguredWhen = "Here"
	// ConfiguredAlways marks it when the event has succeeded, wherever, or there is none.
	ConfiguredAlways ConfiguredWhen = "Always"
)

// StepKey identifies a step: two steps with equal keys do the same.
type StepKey struct {
	PodUID             types.UID
	ContainerID        string
	MetadataGeneration int64
	Event              v1alpha1.LifecycleEvent
	EventGeneration    int64
	Attempt            int32
}

// Key identifies the step.
func (s *Step) Key() StepKey {
	key := StepKey{PodUID: s.Container.PodUID, ContainerID: s.Container.ID, MetadataGeneration: s.MetadataGeneration}
	if s.Event != nil {
		key.Event, key.EventGeneration, key.Attempt = s.Event.Name, s.Event.Generation, s.Event.Attempt
	}
	return key
}

// String names the step for plans that are read as text.
func (s *Step) String() string {
	if s.Event == nil {
		return fmt.Sprintf("%s metadata@%d", s.Container.Pod.Name, s.MetadataGeneration)
	}
	return fmt.Sprintf("%s metadata@%d %s@%d attempt %d", s.Container.Pod.Name, s.MetadataGeneration, s.Event.Name, s.Event.Generation, s.Event.Attempt)
}

// Outcome is where the newest step of a pod stands, as far as this process
// knows. It is a cache: the truth is on the member's disk, and asking again finds it.
type Outcome struct {
	Key   StepKey
	Phase Phase
	// At is when the step came into this phase, or was last asked about.
	At time.Time
	// Tries counts visits in a row that ended as this one did: Running, Faulted or Unreachable.
	Tries int
	// Configured is true when the container counts as configured, as the guest
	// says or as whoever asked for the step knew.
	Configured bool
	// MetadataGeneration is that of the document known to be in place in the container; 0: nothing is known.
	MetadataGeneration int64
	// Event is the result of the step's event; nil when it has none, or nothing is known of it yet.
	Event *EventResult
	// Reason and Message say why, for Faulted, Refused and Unreachable.
	Reason, Message string
	// PackageVersion identifies the content of the package that was put in place; empty when there is none.
	PackageVersion string
}

// Phase is where a step stands.
type Phase string

const (
	// PhaseUnderway is queued, or being delivered: a visit will end by itself and bring news.
	PhaseUnderway Phase = "Underway"
	// PhaseRunning has a script that runs on without us.
	PhaseRunning Phase = "Running"
	// PhaseDone is over; with an event, its result says how.
	PhaseDone Phase = "Done"
	// PhaseFaulted could not put the package or metadata in place.
	PhaseFaulted Phase = "Faulted"
	// PhaseWaiting needs an object that is not there yet.
	PhaseWaiting Phase = "Waiting"
	// PhaseRefused was sent to a container or by a leader that the guest does not accept.
	PhaseRefused Phase = "Refused"
	// PhaseUnreachable could not reach the container.
	PhaseUnreachable Phase = "Unreachable"
)

// EventResult is what a guest says of an event.
type EventResult struct {
	State v1alpha1.EventState // Running, Succeeded (EventSucceeded), Failed, TimedOut or Lost
	// Attempt is the attempt the result is of; it is not the one asked for when another still runs, or an earlier one succeeded.
	Attempt int32
	// Here is false for a success in an earlier container of the same member.
	Here       bool
	ExitCode   *int32
	StartedAt  time.Time
	FinishedAt time.Time
	Deadline   time.Time
	OutputTail string
}

// EventSucceeded is the state of an event that has succeeded. It is not in the
// API: a member whose event succeeded shows none.
const EventSucceeded v1alpha1.EventState = "Succeeded"
