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
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Guests are all containers of a simulated cluster.
type Guests struct {
	dir string

	mu         sync.Mutex
	pods       []*pod    // in the order of their first containers
	running    []*Script // in the order of their starts
	containers int       // that were ever started
	scripts    int       // that were ever started
	onStart    func(*Script)
	onEnd      func(*Script)
}

// pod is one that has, or had, a container and is not gone.
type pod struct {
	uid             types.UID
	namespace, name string
	container       *container // nil: none runs
}

// New makes the inside of a cluster without containers. dir is an empty
// directory, best in memory.
func New(dir string) *Guests {
	ignore := func(*Script) {}
	return &Guests{dir: dir, onStart: ignore, onEnd: ignore}
}

// OnStart has f called for each script before it runs.
func (g *Guests) OnStart(f func(*Script)) { g.onStart = f }

// OnEnd has f called for each script when it has ended, before anything of
// that is recorded, and for those that are killed.
func (g *Guests) OnEnd(f func(*Script)) { g.onEnd = f }

// Close ends all containers, and with them everything that goes on in them.
func (g *Guests) Close() {
	for _, p := range g.allPods() {
		g.ContainerEnds(p.uid)
	}
}

func (g *Guests) allPods() []*pod {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.pods)
}

// find is the pod of a UID; nil: it never had a container, or is gone. The
// caller holds the lock.
func (g *Guests) find(uid types.UID) *pod {
	i := slices.IndexFunc(g.pods, func(p *pod) bool { return p.uid == uid })
	if i < 0 {
		return nil
	}
	return g.pods[i]
}

// in is the container that runs in a pod; nil: none does.
func (g *Guests) in(uid types.UID) *container {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.find(uid); p != nil {
		return p.container
	}
	return nil
}
