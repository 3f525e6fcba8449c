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
	"context"

	"k8s.io/apimachinery/pkg/types"
)

// look is what was last seen in a container. Who drives a simulation looks
// after every step, which must not take longer than the step.
type look struct {
	// at is the count of what had ended in the container by then; 0: nobody
	// has looked.
	at         int
	configured bool
	// document is the metadata, generation which.
	document   []byte
	generation int64
}

// Configured is what the startup probe answers in the container that runs in
// a pod.
func (g *Guests) Configured(uid types.UID) bool { return g.look(uid).configured }

// Metadata is the document in the container that runs in a pod, and its
// generation; nil and 0: none.
func (g *Guests) Metadata(uid types.UID) (document []byte, generation int64) {
	seen := g.look(uid)
	return seen.document, seen.generation
}

// look reads files only if they may have changed: by a request that is under
// way, or by what has ended since.
func (g *Guests) look(uid types.UID) look {
	c := g.in(uid)
	if c == nil {
		return look{}
	}
	g.mu.Lock()
	ended, seen := c.ended, c.seen
	quiet := c.requests == 0
	g.mu.Unlock()
	if quiet && seen.at == ended {
		return seen
	}
	document, generation := c.metadata()
	seen = look{at: ended, configured: c.configured(), document: document, generation: generation}
	if quiet {
		g.mu.Lock()
		c.seen = seen
		g.mu.Unlock()
	}
	return seen
}

// configured asks as the probe does, which waits for the mark; here somebody
// looks at this moment.
func (c *container) configured() bool {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	configured, err := c.agent.Configured(now)
	return err == nil && configured
}

// requested counts a request that begins, or has ended.
func (c *container) requested(n int) {
	c.guests.mu.Lock()
	defer c.guests.mu.Unlock()
	c.requests += n
	c.ended++
}

// supervisorEnded counts a supervisor that has ended.
func (c *container) supervisorEnded() {
	c.guests.mu.Lock()
	defer c.guests.mu.Unlock()
	c.ended++
}
