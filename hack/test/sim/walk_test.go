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
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// length is how long a walk is before all faults end.
const length = 400

// Of the rows of the state machines' tables, of which there are 48, a world that
// has not lost its variety meets at least so many in the usual number of walks.
const (
	usualWalks = 300
	fewestRows = 42
)

// asked is a number from the environment, from 1 on.
func asked(t *testing.T, name string, usual uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		t.Fatalf("%s is %q, want a number from 1 on", name, text)
	}
	return n
}

// TestWalks lives random lives; WALKS says how many and SEED with which to begin;
// SHRINK=no leaves a trace as long as it was found.
func TestWalks(t *testing.T) {
	first, walks := asked(t, "SEED", 1), asked(t, "WALKS", usualWalks)
	var steps atomic.Int64
	met, stop := measure()
	defer stop()
	began := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+walks; seed++ {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				res := live(t, seed, length)
				steps.Add(int64(res.steps))
				switch {
				case res.broken == nil:
				case os.Getenv("SHRINK") == "no": // it takes longer than to find it
					t.Errorf("%v\nagain: make sim SEED=%d WALKS=1", res.broken, seed)
				default:
					t.Errorf("%s\nagain: make sim SEED=%d WALKS=1", shrink(t, res).report(true), seed)
				}
			})
		}
	})
	took := time.Since(began)
	t.Logf("%d walks, %d steps, %.0f steps a second", walks, steps.Load(), float64(steps.Load())/took.Seconds())
	t.Logf("%s", met)
	if rows := met.rowsMet(); walks >= usualWalks && rows < fewestRows {
		t.Errorf("%d rows of the state machines' tables met, want %d at least", rows, fewestRows)
	}
}
