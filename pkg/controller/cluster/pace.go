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

package cluster

import (
	"sync"
	"time"

	"k8s.io/client-go/tools/cache"
)

// pace spaces out writes of progress, for each cluster by itself.
type pace struct {
	mu   sync.Mutex
	last map[cache.ObjectName]time.Time
}

// left is how long progress of a cluster with so many members has to wait: one
// write a second up to 100 members, and in proportion beyond, for a write's size grows with them.
func (p *pace) left(key cache.ObjectName, now time.Time, members int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.last[key]
	if !known {
		return 0
	}
	interval := time.Second * time.Duration(max(members, 100)) / 100
	return last.Add(interval).Sub(now)
}

func (p *pace) wrote(key cache.ObjectName, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[cache.ObjectName]time.Time{}
	}
	p.last[key] = now
}

func (p *pace) forget(key cache.ObjectName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, key)
}
