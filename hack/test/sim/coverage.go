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
	"strings"
	"sync"

	"github.com/bluek8s/kubedirector/pkg/lifecycle"
)

// coverage counts how much of the tables of both state machines was met.
type coverage struct {
	mu  sync.Mutex
	met map[lifecycle.Pair]int
}

// measure counts until the function that it returns is called.
func measure() (*coverage, func()) {
	c := &coverage{met: map[lifecycle.Pair]int{}}
	lifecycle.Meter(func(p lifecycle.Pair) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.met[p]++
	})
	return c, func() { lifecycle.Meter(nil) }
}

// String says how many rows and ignored pairs were met, and which were not.
func (c *coverage) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	rows, ignored := lifecycle.Pairs()
	return c.share("rows", rows) + c.share("ignored pairs", ignored)
}

// rowsMet is how many rows of the tables were met.
func (c *coverage) rowsMet() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	rows, _ := lifecycle.Pairs()
	return len(rows) - len(c.missed(rows))
}

func (c *coverage) missed(pairs []lifecycle.Pair) []string {
	var missed []string
	for _, p := range pairs {
		if c.met[p] == 0 {
			missed = append(missed, fmt.Sprintf("%s %q on %q", p.Machine, p.State, p.Event))
		}
	}
	return missed
}

func (c *coverage) share(what string, pairs []lifecycle.Pair) string {
	missed := c.missed(pairs)
	text := fmt.Sprintf("%d of %d %s of the state machines' tables met", len(pairs)-len(missed), len(pairs), what)
	if len(missed) > 0 {
		text += "; not met: " + strings.Join(missed, ", ")
	}
	return text + "\n"
}
