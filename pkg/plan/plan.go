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
	"strings"
	"time"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// Plan is the whole decision about one cluster at one moment.
type Plan struct {
	// Status is what the status of the cluster should say; nil: leave it as it is.
	Status *v1alpha1.KubeDirectorClusterStatus
	// Record says why Status must be written before anything else is decided;
	// empty: it may be written after the actions, together with later progress.
	Record string
	// Urgent is true when a reader of the status would act on the change: the
	// state or a condition differs. Other changes may be written a second later.
	Urgent bool
	// Actions are to be carried out in order, each even if others fail.
	Actions []Action
	// Notes tell people what Status says anew; they are emitted once it is written.
	Notes []Note
	// Why is what the cluster waits for, one line per reason.
	Why []string
	// Again is when to look again though nothing has happened; 0: not at all.
	Again time.Duration
	// Impossible are pairs of state and event that no table allows: bugs, to be counted and logged.
	Impossible []error
}

// Note is an Event of Kubernetes about the cluster.
type Note struct {
	// Type is Normal or Warning.
	Type, Reason, Message string
}

// String is the note as plans show it.
func (n Note) String() string { return fmt.Sprintf("%s %s: %s", n.Type, n.Reason, n.Message) }

// String is the plan as text, as the golden plans hold it.
func (p *Plan) String() string {
	var b strings.Builder
	if p.Record != "" {
		fmt.Fprintf(&b, "record first: %s\n", p.Record)
	}
	for _, action := range p.Actions {
		fmt.Fprintln(&b, action)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "note %s\n", note)
	}
	for _, why := range p.Why {
		fmt.Fprintf(&b, "waits: %s\n", why)
	}
	if p.Again > 0 {
		fmt.Fprintf(&b, "again in %s\n", p.Again)
	}
	for _, err := range p.Impossible {
		fmt.Fprintf(&b, "impossible: %v\n", err)
	}
	return b.String()
}
