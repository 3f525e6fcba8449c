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

import "time"

// RecordType tells the lines of an answer apart.
type RecordType string

const (
	RecordProgress RecordType = "progress"
	RecordStarted  RecordType = "started"
	RecordResult   RecordType = "result"
)

// Record is one line of the answer: its type and the fields of exactly that
// one of the embedded parts, flat in the JSON.
type Record struct {
	Type RecordType `json:"type"`
	*Progress
	*Started
	*Result
}

// Step is a part of a request.
type Step string

const (
	StepRequest    Step = "request"
	StepMetadata   Step = "metadata"
	StepPackage    Step = "package"
	StepEvent      Step = "event"
	StepConfigured Step = "configured"
)

// Progress tells a reader what the guest is doing.
type Progress struct {
	Step    Step   `json:"step"`
	Message string `json:"message"`
}

// Started tells that the event runs now, or ran already when asked.
type Started struct {
	Attempt   int       `json:"attempt"`
	StartedAt time.Time `json:"startedAt"`
	Deadline  time.Time `json:"deadline"`
}

// Result is the whole answer. At most one of Refusal and Fault is set.
type Result struct {
	ProtocolVersion int `json:"protocolVersion"`
	// PodUID and Incarnation name who answered.
	PodUID      string `json:"podUID"`
	Incarnation string `json:"incarnation"`
	// Configured tells whether this incarnation is marked configured.
	Configured bool `json:"configured"`
	// MetadataGeneration is that of the document now in place; 0 when this
	// incarnation has none.
	MetadataGeneration int64 `json:"metadataGeneration"`
	// PackageSHA256 is that of the package now in place; empty when this
	// incarnation has none.
	PackageSHA256 string       `json:"packageSHA256,omitempty"`
	Event         *EventResult `json:"event,omitempty"`
	// Refusal: nothing was done.
	Refusal *Refusal `json:"refusal,omitempty"`
	// Fault: the named step failed; the ones before it are done.
	Fault *Fault `json:"fault,omitempty"`
}

// EventState is what is known about one attempt.
type EventState string

const (
	// EventRunning: the script runs.
	EventRunning EventState = "Running"
	// EventSucceeded: it ended with exit code 0.
	EventSucceeded EventState = "Succeeded"
	// EventFailed: it ended with another exit code, or could not be started
	// (exit code 126).
	EventFailed EventState = "Failed"
	// EventTimedOut: its deadline passed and it was ended.
	EventTimedOut EventState = "TimedOut"
	// EventLost: its supervisor died, so its exit code will never be known.
	EventLost EventState = "Lost"
)

// EventResult is the attempt that answers a request's event. It need not be
// the attempt asked for: an earlier success and an attempt still running
// stand in for it.
type EventResult struct {
	Name    string     `json:"name"`
	Attempt int        `json:"attempt"`
	State   EventState `json:"state"`
	// Incarnation is the container it ran in.
	Incarnation string `json:"incarnation"`
	// ExitCode is nil while Running and when Lost; 128+n for signal n.
	ExitCode   *int      `json:"exitCode,omitempty"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	Deadline   time.Time `json:"deadline,omitzero"`
	// StdoutTail and StderrTail are clean text of at most MaxOutputBytes.
	StdoutTail string `json:"stdoutTail,omitempty"`
	StderrTail string `json:"stderrTail,omitempty"`
}

// Finished tells whether the state can change no more.
func (r *EventResult) Finished() bool { return r.State != EventRunning }

// Refusal says why the guest did nothing.
type Refusal struct {
	Reason  RefusalReason `json:"reason"`
	Message string        `json:"message"`
}

// Fault says which step failed and why.
type Fault struct {
	Step    Step        `json:"step"`
	Reason  FaultReason `json:"reason"`
	Message string      `json:"message"`
}
