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

package sim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBudget holds what a new cluster of three members, of which one has a service, costs where no fault
// comes: its objects, and what is recorded on the way.
func TestBudget(t *testing.T) {
	inWorld(t, sweepSetup(false), func(w *world) {
		ready(w)
		want := map[string]int{
			"create controllerrevisions":         1,
			"create services":                    2,
			"create statefulsets":                2,
			"patch kubedirectorclusters":         1,
			"update kubedirectorclusters/status": 3,
		}
		if diff := cmp.Diff(want, w.book.writes); diff != "" {
			t.Errorf("writes until ready (-want +got):\n%s", diff)
		}
		if len(w.events) != 2 {
			t.Errorf("Events: %q, want two", w.events)
		}
		for _, v := range w.violations {
			t.Error(v)
		}
	})
}

// TestOwnWritesAreAwaited has the controller look again after each pass, before
// its caches show what it has just written: it does nothing a second time.
func TestOwnWritesAreAwaited(t *testing.T) {
	inWorld(t, sweepSetup(true), func(w *world) {
		w.hasty = true
		for _, s := range []step{"user create", "calm", "user scale worker 4", "calm", "user annotate replace 2+volume", "calm",
			"user scale worker 1", "calm", "user suspend", "calm", "user start", "calm", "user env worker 1", "calm", "user delete", "calm"} {
			w.do(s)
		}
		for _, v := range w.violations {
			t.Error(v)
		}
		// That a cluster is gone which was let go is told by nothing but its absence.
		want := []string{"404: patch kubedirectorclusters/c"}
		if diff := cmp.Diff(want, w.book.refused); diff != "" {
			t.Errorf("refused requests (-want +got):\n%s", diff)
		}
	})
}
