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
	"strings"
	"testing"
)

// regression is a life that broke an invariant once, as short as it could be made.
type regression struct {
	name string
	// seed is that of the setup.
	seed  uint64
	trace string
}

// regressions tell in their names what went wrong, and what it came to.
var regressions = []regression{
	{"a member that never came is known to those who were configured meanwhile", 57, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		user misspell
		flow
		user misspell
		user scale worker 2`},
	{"a member configured on its volume while nobody looked is still to hear of changes", 57, `
		user create
		watch r1 all
		pass r1
		fault kill r1
		fault start 1
		watch r2 kubedirectorclusters 2
		pass r2
		watch r2 all
		user env controller 1
		pass r2
		user misspell
		flow
		user misspell
		user scale worker 2`},
	{"who was away when status was lost is still to hear of changes", 220, `
		user create
		calm
		fault node-partition node-2
		wait 45s
		flow
		user scale worker 0
		flow
		user wipe`},
	{"who was configured before status was lost is still to hear of changes", 69, `
		user create
		user scale worker 0
		flow
		user scale worker 3
		fault node-partition node-2
		wait 12m
		flow
		user wipe`},
	{"a role on its way to none is not taken for suspended when status was lost", 136, `
		user create
		fault node-stop node-3
		flow
		user scale worker 0
		flow
		wait 300ms
		wait 300ms
		flow
		user scale worker 3
		user wipe`},
}

func TestRegressions(t *testing.T) {
	for _, r := range regressions {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			var trace []step
			for line := range strings.Lines(r.trace) {
				if line = strings.TrimSpace(line); line != "" {
					trace = append(trace, step(line))
				}
			}
			if res := replay(t, r.seed, trace, true); res.broken != nil {
				t.Error(res.report(true))
			}
		})
	}
}
