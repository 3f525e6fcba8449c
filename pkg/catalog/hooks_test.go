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
	"testing"
	"time"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func TestHook(t *testing.T) {
	with := mustRole(t, New("spark", sparkApp()), "worker")
	spec := sparkApp()
	spec.Hooks = nil
	without := mustRole(t, New("spark", spec), "worker")
	for _, c := range []struct {
		what      string
		got, want Policy
	}{
		{"no hooks", without.Hook(v1alpha1.EventConfigure), Policy{30 * time.Minute, 3, 10 * time.Second}},
		{"for all events", with.Hook(v1alpha1.EventConfigure), Policy{time.Minute, 3, 10 * time.Second}},
		{"for one event", with.Hook(v1alpha1.EventRestart), Policy{time.Minute, 0, time.Second}},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestDelay(t *testing.T) {
	policy := Policy{Backoff: 10 * time.Second}
	for failures, want := range map[int32]time.Duration{
		0: 10 * time.Second, 1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second,
		6: 320 * time.Second, 7: 10 * time.Minute, 100: 10 * time.Minute,
	} {
		if got := policy.Delay(failures); got != want {
			t.Errorf("after %d failures: got %v, want %v", failures, got, want)
		}
	}
}
