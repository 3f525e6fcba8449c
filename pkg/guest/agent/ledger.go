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

package agent

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// ledger records what happened in one pod:
//
//	lock                      held while a request decides and stages
//	leaders.json              the newest epoch seen, by Lease
//	configured                the incarnation that is configured
//	successes/<scope>.json    outcomes that are never to be repeated
//	attempts/<attempt>/       one try to run an event:
//	    lock                  held as long as its supervisor lives
//	    attempt.json          what to run
//	    started.json          the script was, or was about to be, started
//	    outcome.json          it ended
//	    stdout, stderr        what it printed
//
// A ledger on the member's volume holds successes only. Files are replaced
// atomically, and none is ever changed once an outcome stands.
//
// A power cut makes every container of the machine a new one, for which what
// the pod's ledger says of the old one does not count; so only the ledger on
// the volume pays for being durable.
type ledger struct {
	dir     string
	durable bool
}

// attempt is what identifies and defines one try. Its fields up to Number are
// its identity.
type attempt struct {
	ClusterUID  string         `json:"clusterUID"`
	NodeID      int64          `json:"nodeID"`
	Event       string         `json:"event"`
	Scope       protocol.Scope `json:"scope"`
	Generation  int64          `json:"generation"`
	Incarnation string         `json:"incarnation"`
	Number      int            `json:"attempt"`

	Args           []string                `json:"args"`
	Script         string                  `json:"script"`
	TimeoutSeconds int                     `json:"timeoutSeconds"`
	VolumeDir      string                  `json:"volumeDir,omitempty"`
	MarkConfigured protocol.MarkConfigured `json:"markConfigured"`
}

func newAttempt(req *protocol.Request, incarnation string) *attempt {
	return &attempt{
		ClusterUID:     req.Cluster.UID,
		NodeID:         req.NodeID,
		Event:          req.Event.Name,
		Scope:          req.Event.Scope,
		Generation:     req.Event.Generation,
		Incarnation:    incarnation,
		Number:         req.Event.Attempt,
		Args:           req.Event.Args,
		TimeoutSeconds: req.Event.TimeoutSeconds,
		VolumeDir:      req.VolumeDir,
		MarkConfigured: req.MarkConfigured,
	}
}

// scopeKey identifies that within which one success is enough.
func (a *attempt) scopeKey() string {
	within := ""
	switch a.Scope {
	case protocol.ScopeIncarnation:
		within = a.Incarnation
	case protocol.ScopeNodeGeneration:
		within = fmt.Sprint(a.Generation)
	}
	return a.Event + "-" + digest(a.ClusterUID, fmt.Sprint(a.NodeID), string(a.Scope), within)
}

// key identifies the attempt.
func (a *attempt) key() string {
	return fmt.Sprintf("%s-%d-%s", a.Event, a.Number, digest(a.scopeKey(), a.Incarnation, fmt.Sprint(a.Generation)))
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// started says when a script was started, and by which process.
type started struct {
	StartedAt time.Time `json:"startedAt"`
	Deadline  time.Time `json:"deadline"`
	// PID is the script's process, the leader of its own session; 0 in the
	// instant before it is started.
	PID int `json:"pid,omitempty"`
	// StartTime tells PID from a later process of the same number.
	StartTime string `json:"startTime,omitempty"`
}

// outcome is how an attempt ended.
type outcome struct {
	Event       string              `json:"event"`
	Attempt     int                 `json:"attempt"`
	State       protocol.EventState `json:"state"`
	Incarnation string              `json:"incarnation"`
	ExitCode    *int                `json:"exitCode,omitempty"`
	StartedAt   time.Time           `json:"startedAt"`
	FinishedAt  time.Time           `json:"finishedAt"`
	Deadline    time.Time           `json:"deadline"`
	StdoutTail  string              `json:"stdoutTail,omitempty"`
	StderrTail  string              `json:"stderrTail,omitempty"`
}

func (o *outcome) result(maxOutput int) *protocol.EventResult {
	return &protocol.EventResult{
		Name:        o.Event,
		Attempt:     o.Attempt,
		State:       o.State,
		Incarnation: o.Incarnation,
		ExitCode:    o.ExitCode,
		StartedAt:   o.StartedAt,
		FinishedAt:  o.FinishedAt,
		Deadline:    o.Deadline,
		StdoutTail:  protocol.CleanText([]byte(o.StdoutTail), maxOutput),
		StderrTail:  protocol.CleanText([]byte(o.StderrTail), maxOutput),
	}
}

func (l *ledger) path(elements ...string) string {
	return filepath.Join(append([]string{l.dir}, elements...)...)
}

// open makes the ledger's directories.
func (l *ledger) open() error {
	for _, dir := range []string{"attempts", "successes"} {
		if err := os.MkdirAll(l.path(dir), 0o777); err != nil {
			return err
		}
	}
	return nil
}

// configured tells whether the incarnation is marked configured.
func (l *ledger) configured(incarnation string) bool {
	content, err := os.ReadFile(l.path("configured"))
	return err == nil && strings.TrimSpace(string(content)) == incarnation
}

func (l *ledger) markConfigured(incarnation string) error {
	return atomicfile.Write(l.path("configured"), []byte(incarnation+"\n"), 0o644)
}

// admit notes what a leader says of itself if nothing newer was here under its
// Lease, and returns the newest.
func (l *ledger) admit(leader protocol.Leader) (newest protocol.Leader, err error) {
	if leader.LeaseUID == "" {
		return leader, nil
	}
	var leaders map[string]protocol.Leader
	if !readJSON(l.path("leaders.json"), &leaders) || leaders == nil {
		leaders = map[string]protocol.Leader{}
	}
	newest, seen := leaders[leader.LeaseUID]
	if seen && cmp.Or(cmp.Compare(newest.Epoch, leader.Epoch), cmp.Compare(newest.Request, leader.Request)) >= 0 {
		return newest, nil
	}
	leaders[leader.LeaseUID] = leader
	return leader, atomicfile.WriteJSON(l.path("leaders.json"), leaders, 0o644)
}
