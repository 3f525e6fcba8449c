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
	"slices"
	"testing"
)

// maxReplays bounds how often a life is lived again to shorten its trace.
const maxReplays = 600

// shrink finds a short trace by which the same invariant is broken: it leaves
// out ever smaller parts, as long as what is left still breaks it, and has
// everything between happen in order where that makes no difference.
func shrink(t *testing.T, found result) result {
	replays := 0
	still := func(trace []step) (result, bool) {
		if replays >= maxReplays {
			return result{}, false
		}
		replays++
		for _, finish := range []bool{false, true} {
			again := replay(t, found.seed, trace, finish, false)
			if again.broken != nil && again.broken.invariant == found.broken.invariant {
				again.trace = again.trace[:min(len(again.trace), len(trace))]
				return again, true
			}
		}
		return result{}, false
	}
	best, ok := still(found.trace)
	if !ok {
		return found // it does not come again: see what differs from run to run first
	}
	for shorter := true; shorter && replays < maxReplays; {
		shorter = false
		for size := max(1, len(best.trace)/2); size >= 1; size /= 2 {
			for at := 0; at+size <= len(best.trace); {
				if again, ok := still(without(best.trace, at, size)); ok {
					best, shorter = again, true
					continue
				}
				if again, ok := still(calmed(best.trace, at, size)); size > 1 && ok && len(again.trace) < len(best.trace) {
					best, shorter = again, true
				}
				at += size
			}
		}
	}
	return best
}

func without(trace []step, at, size int) []step {
	return slices.Concat(trace[:at], trace[at+size:])
}

// calmed has a part of a trace replaced by whatever happens in order.
func calmed(trace []step, at, size int) []step {
	return slices.Concat(trace[:at], []step{"flow"}, trace[at+size:])
}
