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

	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

// refusals are what the API server refused when the clusters' actions were last
// carried out. The next plan shows what of it still stands in its way.
type refusals struct {
	mu     sync.Mutex
	latest map[cache.ObjectName]map[string]string
}

func (r *refusals) of(key cache.ObjectName) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest[key]
}

// keep replaces what is known of a cluster by the refusals among the errors of its actions.
func (r *refusals) keep(key cache.ObjectName, acted error) {
	found := map[string]string{}
	collect(acted, found)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(found) == 0 {
		delete(r.latest, key)
		return
	}
	if r.latest == nil {
		r.latest = map[cache.ObjectName]map[string]string{}
	}
	r.latest[key] = found
}

func collect(err error, into map[string]string) {
	switch e := err.(type) {
	case *plan.Refusal:
		into[e.Action] = e.Err.Error()
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			collect(one, into)
		}
	}
}
