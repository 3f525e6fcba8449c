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

package protocol

import "encoding/json"

// Request asks for one step of work in one container: bring the metadata and
// the package in place, run an event, mark the container configured. Every
// part is optional and every part is idempotent.
type Request struct {
	ProtocolVersion int `json:"protocolVersion"`
	// PodUID names the pod that is meant. pods/exec takes no precondition, so
	// the guest refuses a request for another pod of the same name.
	PodUID string `json:"podUID"`
	// ContainerID is what the controller saw in the pod's status, for logs.
	ContainerID string `json:"containerID,omitempty"`
	// Incarnation names the container that is meant. It is empty in the first
	// request only; the first answer gives the token for the next ones.
	Incarnation string  `json:"incarnation,omitempty"`
	Leader      Leader  `json:"leader"`
	Cluster     Cluster `json:"cluster"`
	// NodeID is the member's identity within the cluster, never used twice.
	NodeID int64 `json:"nodeID"`
	// VolumeDir is where the member's own ledger is mounted; empty for a role
	// without storage.
	VolumeDir string `json:"volumeDir,omitempty"`
	// Metadata is the document for this member. Absent leaves the present one.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// MetadataGeneration orders documents: an older one never replaces a
	// newer one of the same cluster in the same container.
	MetadataGeneration int64 `json:"metadataGeneration"`
	// Package is what to unpack. Absent leaves the present one.
	Package *Package `json:"package,omitempty"`
	// Event is what to run. Absent runs nothing.
	Event          *Event         `json:"event,omitempty"`
	MarkConfigured MarkConfigured `json:"markConfigured"`
	// FollowSeconds is how long the answer may wait for the event to finish.
	FollowSeconds int `json:"followSeconds,omitempty"`
}

// Leader says which controller speaks. Epochs (leaseTransitions) compare only
// within one Lease object: a Lease made anew starts at 0.
type Leader struct {
	LeaseUID string `json:"leaseUID,omitempty"`
	Epoch    int64  `json:"epoch"`
	// Request counts the requests of an epoch, from 1 on: one that arrives
	// after a later one is refused. 0 is not compared.
	Request int64 `json:"request,omitempty"`
}

// Cluster names the KubeDirectorCluster a member belongs to.
type Cluster struct {
	UID       string `json:"uid"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// PackageSource says how a package's bytes reach the container.
type PackageSource string

const (
	// PackageInline carries the bytes in the request.
	PackageInline PackageSource = "inline"
	// PackageURL has the guest fetch them: http, https, or file in the
	// container.
	PackageURL PackageSource = "url"
)

// Package is a gzipped tar whose top directory holds StartScript.
type Package struct {
	Source PackageSource `json:"source"`
	// Bytes is the archive itself, for source inline.
	Bytes []byte `json:"bytes,omitempty"`
	// URL is fetched for source url and only displayed for source inline.
	URL string `json:"url,omitempty"`
	// SHA256 of the archive in hex, when the app names it.
	SHA256 string `json:"sha256,omitempty"`
	// SizeLimit of the archive in bytes; 0 means DefaultPackageSizeLimit.
	SizeLimit int64 `json:"sizeLimit,omitempty"`
	// CABundle holds PEM certificates to trust beside the known roots.
	CABundle string `json:"caBundle,omitempty"`
}

// Event is one attempt to run StartScript for one lifecycle event.
type Event struct {
	Name string `json:"name"`
	// Args are given to the script as they are, e.g. "--configure".
	Args  []string `json:"args,omitempty"`
	Scope Scope    `json:"scope"`
	// Generation is the number of the change that the event tells of, or the
	// metadata generation it belongs to. It is part of the identity for
	// ScopeNodeGeneration, for which it only grows from one event to the next.
	Generation int64 `json:"generation"`
	// Attempt counts from 1 within one scope and container.
	Attempt        int `json:"attempt"`
	TimeoutSeconds int `json:"timeoutSeconds"`
	// MaxOutputBytes bounds each of the two output tails in the answer.
	MaxOutputBytes int `json:"maxOutputBytes,omitempty"`
}

// Scope says within what an event that succeeded is never run again.
type Scope string

const (
	// ScopeIncarnation is this container's life.
	ScopeIncarnation Scope = "Incarnation"
	// ScopeNode is the member's life, whatever its containers do.
	ScopeNode Scope = "Node"
	// ScopeNodeGeneration is the member's life and one generation.
	ScopeNodeGeneration Scope = "NodeGeneration"
)

// MarkConfigured says when this container counts as configured, which is what
// its startup probe waits for.
type MarkConfigured string

const (
	// MarkNever leaves the mark as it is.
	MarkNever MarkConfigured = "Never"
	// MarkHere marks it when the event succeeded in this incarnation. A role
	// with storage uses it where an earlier success is followed by a restart
	// event.
	MarkHere MarkConfigured = "Here"
	// MarkAlways marks it when the event succeeded, now or in an earlier
	// container, or when no event is asked for.
	MarkAlways MarkConfigured = "Always"
)
