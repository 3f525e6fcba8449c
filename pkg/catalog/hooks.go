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

package catalog

import (
	"time"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// DefaultPolicy is the policy of a script for which the app says nothing.
var DefaultPolicy = Policy{Timeout: 30 * time.Minute, Retries: 3, Backoff: 10 * time.Second}

// MaxDelay is the longest wait before a failed script is tried again by itself.
const MaxDelay = 10 * time.Minute

// Policy is how long a script may run and how often it is tried.
type Policy struct {
	Timeout time.Duration
	// Retries is how often a failed script is tried again by itself.
	Retries int32
	// Backoff is the wait before the first retry.
	Backoff time.Duration
}

// Hook is the policy of the script that is called for an event.
func (r *Role) Hook(event v1alpha1.LifecycleEvent) Policy {
	policy := DefaultPolicy
	if r.hooks == nil {
		return policy
	}
	policy.override(r.hooks.HookPolicy)
	for _, exception := range r.hooks.Events {
		if exception.Event == event {
			policy.override(exception.HookPolicy)
		}
	}
	return policy
}

// Delay is the wait after so many failed attempts: Backoff after the first,
// doubled with each further one up to MaxDelay.
func (p Policy) Delay(failures int32) time.Duration {
	delay := p.Backoff
	for i := int32(1); i < failures && delay < MaxDelay; i++ {
		delay *= 2
	}
	return min(delay, MaxDelay)
}

func (p *Policy) override(with v1alpha1.HookPolicy) {
	if with.TimeoutSeconds != nil {
		p.Timeout = time.Duration(*with.TimeoutSeconds) * time.Second
	}
	if with.Retries != nil {
		p.Retries = *with.Retries
	}
	if with.BackoffSeconds != nil {
		p.Backoff = time.Duration(*with.BackoffSeconds) * time.Second
	}
}
