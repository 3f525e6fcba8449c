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

// RefusalReason says why a request was refused as a whole.
type RefusalReason string

const (
	// WrongPod: the request names another pod than the one asked.
	WrongPod RefusalReason = "WrongPod"
	// WrongIncarnation: the request names an earlier container of this pod.
	WrongIncarnation RefusalReason = "WrongIncarnation"
	// StaleLeader: a newer leader under the same Lease has spoken already.
	StaleLeader RefusalReason = "StaleLeader"
	// StaleRequest: a later request of the same leader was here already.
	StaleRequest RefusalReason = "StaleRequest"
	// UnsupportedProtocol: the guest does not serve this protocol version.
	UnsupportedProtocol RefusalReason = "UnsupportedProtocol"
	// BadRequest: the request is not well-formed.
	BadRequest RefusalReason = "BadRequest"
	// InProgress: another request to this container is under way; ask again.
	InProgress RefusalReason = "InProgress"
	// StateNotWritable: the ledger cannot be kept, so nothing may be run.
	StateNotWritable RefusalReason = "StateNotWritable"
)

// FaultReason says why one step failed.
type FaultReason string

const (
	// MetadataNotWritable: the document cannot be put in place.
	MetadataNotWritable FaultReason = "MetadataNotWritable"
	// PackageNotFound: the server answers 404 or 410, or the file is absent.
	PackageNotFound FaultReason = "PackageNotFound"
	// PackageUnreachable: the server cannot be reached, trusted or made to
	// answer with the package.
	PackageUnreachable FaultReason = "PackageUnreachable"
	// PackageNotTgz: the bytes are not a complete gzipped tar archive.
	PackageNotTgz FaultReason = "PackageNotTgz"
	// PackageNoStartscript: not exactly one top directory holds a startscript.
	PackageNoStartscript FaultReason = "PackageNoStartscript"
	// PackageChecksumMismatch: the bytes are not those the app names.
	PackageChecksumMismatch FaultReason = "PackageChecksumMismatch"
	// PackageTooLarge: the archive or what it unpacks to is over its limit.
	PackageTooLarge FaultReason = "PackageTooLarge"
	// PackageUnsafePath: an entry would be placed outside the package, or is
	// neither file, directory nor link.
	PackageUnsafePath FaultReason = "PackageUnsafePath"
	// PackageNotWritable: the package cannot be put in place.
	PackageNotWritable FaultReason = "PackageNotWritable"
	// PackageMissing: an event is to run, and no package is in place.
	PackageMissing FaultReason = "PackageMissing"
	// DiskFull: no space or quota is left where the step writes.
	DiskFull FaultReason = "DiskFull"
	// Busy: another event runs in this container; ask again when it ended.
	Busy FaultReason = "Busy"
	// EventNotStarted: the script's supervisor could not be started.
	EventNotStarted FaultReason = "EventNotStarted"
	// LedgerNotWritable: what happened cannot be recorded.
	LedgerNotWritable FaultReason = "LedgerNotWritable"
)
