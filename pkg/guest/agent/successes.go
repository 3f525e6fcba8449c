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
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// keptNumbers is how many successes of one event of ScopeNodeGeneration a
// ledger keeps. Their numbers only grow, and a member is called for them in
// order: the last one is all that can be asked for again, but when the cluster's
// status was lost; then those are that were pending.
const keptNumbers = 64

// success is what a ledger keeps of an event that is never to be repeated.
// What it is of was not always written: then it is kept for good.
type success struct {
	outcome
	ClusterUID string         `json:"clusterUID,omitempty"`
	Scope      protocol.Scope `json:"scope,omitempty"`
	Generation int64          `json:"generation,omitempty"`
}

// success is the outcome that makes every further attempt of a's scope
// needless; nil when there is none.
func (l *ledger) success(a *attempt) *outcome {
	var s success
	if !readJSON(l.path("successes", a.scopeKey()+".json"), &s) || s.State != protocol.EventSucceeded {
		return nil
	}
	return &s.outcome
}

// recordSuccess keeps the first success of a scope.
func (l *ledger) recordSuccess(a *attempt, o *outcome) error {
	if l.success(a) != nil {
		return nil
	}
	path := l.path("successes", a.scopeKey()+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	// The volume outlives the pod, and the next one may run as another user.
	if err := os.Chmod(filepath.Dir(path), 0o777|fs.ModeSticky); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	s := success{outcome: *o, ClusterUID: a.ClusterUID, Scope: a.Scope, Generation: a.Generation}
	if !l.durable {
		return atomicfile.WriteJSON(path, s, 0o644)
	}
	content, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	return atomicfile.WriteDurable(path, append(content, '\n'), 0o644)
}

// forgetSuccesses removes those that nobody can ask for any more when a is
// about to be started: of containers that are gone, and of the numbers far
// below a's. What belongs to a member, or to another cluster, stays.
func (l *ledger) forgetSuccesses(a *attempt) error {
	entries, err := os.ReadDir(l.path("successes"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lower := map[string]int64{}
	var failed []error
	for _, entry := range entries {
		var s success
		path := l.path("successes", entry.Name())
		if strings.HasPrefix(entry.Name(), ".") || !readJSON(path, &s) || s.ClusterUID != a.ClusterUID {
			continue
		}
		switch {
		case s.Scope == protocol.ScopeIncarnation && s.Incarnation != a.Incarnation:
			failed = append(failed, remove(path))
		case s.Scope == protocol.ScopeNodeGeneration && a.Scope == s.Scope && s.Event == a.Event && s.Generation < a.Generation:
			lower[path] = s.Generation
		}
	}
	newest := slices.SortedFunc(maps.Keys(lower), func(one, other string) int { return cmp.Compare(lower[other], lower[one]) })
	for _, path := range newest[min(len(newest), keptNumbers-1):] {
		failed = append(failed, remove(path))
	}
	return errors.Join(failed...)
}

// remove removes a file, unless it is another user's: that of an earlier pod
// is out of reach.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
