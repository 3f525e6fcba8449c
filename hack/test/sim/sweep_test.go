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
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sweepSetup is the application that scenarios are about: all its roles take every event.
func sweepSetup(volumes bool) setup {
	return setup{volumes: map[string]bool{"controller": volumes, "worker": volumes}, events: allEvents, workers: 2}
}

// TestSweep has the controller die at every write and exec of every operation,
// before it is sent and after, and the next one begin with caches that are
// current or lag; and has it stall there until another one has come to the end.
// Each time the end is that of a life in peace.
func TestSweep(t *testing.T) {
	for _, s := range scenarios {
		for _, volumes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, volumes %t", s.name, volumes), func(t *testing.T) {
				t.Parallel()
				want, _ := s.live(t, volumes, -1, mishap{})
				mishaps := 0
				for _, m := range []mishap{{}, {unsent: true}, {behind: 12}, {stalls: true}} {
					for nth := 0; ; nth++ {
						got, met := s.live(t, volumes, nth, m)
						if !met {
							break
						}
						mishaps++
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("a mishap at request %d, %+v, makes a difference (-want +got):\n%s", nth, m, diff)
						}
					}
				}
				if s.silent != (mishaps == 0) {
					t.Errorf("%d mishaps", mishaps)
				}
				t.Logf("%d mishaps", mishaps)
			})
		}
	}
}

func (s scenario) live(t *testing.T, volumes bool, nth int, m mishap) (e end, met bool) {
	t.Helper()
	inWorld(t, sweepSetup(volumes), func(w *world) {
		e, met = s.run(w, nth, m)
		for _, v := range w.violations {
			t.Errorf("a mishap at request %d, %+v: %v\n%s", nth, m, v, w.describe())
		}
	})
	return e, met
}
