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

package guests

import (
	"slices"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// Script is one call of a startscript. The fields of its end are written once,
// when it ends.
type Script struct {
	// Number counts all scripts in the order of their starts.
	Number int

	Namespace, Pod string
	PodUID         types.UID
	ContainerID    string
	Incarnation    string
	// Claim has the member's own ledger; empty: the member has none.
	Claim types.UID

	Cluster    types.UID
	NodeID     int64
	Event      string
	Args       []string
	Attempt    int
	Generation int64
	Scope      protocol.Scope

	// Metadata is the document that the script finds, with its generation.
	Metadata           []byte
	MetadataGeneration int64

	StartedAt, Deadline time.Time

	Ended    bool
	EndedAt  time.Time
	ExitCode int
	// TimedOut: the supervisor has ended it.
	TimedOut bool
	// Killed: it died together with its supervisor, so nobody knows its exit code.
	Killed bool

	container  *container
	supervisor *supervisor
	exit       chan int
}

// Running are the scripts that run, by their numbers.
func (g *Guests) Running() []*Script {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.running)
}

// End has a script exit, and returns when its supervisor has recorded that;
// false: no such script runs.
func (g *Guests) End(number, exitCode int) bool {
	script := g.take(number, func(s *Script) { s.ExitCode = exitCode })
	if script == nil {
		return false
	}
	script.exit <- exitCode
	<-script.supervisor.gone
	return true
}

// Killed kills a script together with its supervisor; false: no such script
// runs.
func (g *Guests) Killed(number int) bool {
	script := g.take(number, func(s *Script) { s.Killed = true })
	if script == nil {
		return false
	}
	script.supervisor.kill()
	<-script.supervisor.gone
	return true
}

// take has a script end, which happens once; nil: it does not run.
func (g *Guests) take(number int, how func(*Script)) *Script {
	g.mu.Lock()
	i := slices.IndexFunc(g.running, func(s *Script) bool { return s.Number == number })
	if i < 0 {
		g.mu.Unlock()
		return nil
	}
	script := g.running[i]
	g.running = slices.Delete(g.running, i, i+1)
	script.Ended, script.EndedAt = true, time.Now()
	how(script)
	g.mu.Unlock()
	g.onEnd(script)
	return script
}

// begin gives a script its number.
func (g *Guests) begin(script *Script) {
	g.mu.Lock()
	g.scripts++
	script.Number = g.scripts
	g.running = append(g.running, script)
	g.mu.Unlock()
	g.onStart(script)
}

// PID implements agent.Script: there is no process to be looked for.
func (s *Script) PID() int { return 0 }

// Exited implements agent.Script.
func (s *Script) Exited() <-chan int { return s.exit }

// Signal implements agent.Script: only a deadline that has passed makes the
// supervisor send one, and the script obeys.
func (s *Script) Signal(signal syscall.Signal) {
	code := 128 + int(signal)
	if s.container.guests.take(s.Number, func(s *Script) { s.TimedOut, s.ExitCode = true, code }) != nil {
		s.exit <- code
	}
}
