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
	"encoding/json"
	"io"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/plan"
)

// BenchmarkApplyAgain asks for what has been done already.
func BenchmarkApplyAgain(b *testing.B) {
	f := newFixture(b, inMemory(b))
	defer f.Close()
	f.startPod("pod-1", "claim-1")
	request := f.request()
	request.FollowSeconds = 0
	raw, err := json.Marshal(request)
	if err != nil {
		b.Fatal(err)
	}
	to := plan.Container{Pod: types.NamespacedName{Namespace: "ns", Name: "c-worker-0"}}
	apply := func() {
		if err := f.Apply(context.Background(), to, raw, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	apply()
	f.End(1, 0)
	for b.Loop() {
		apply()
	}
}

// BenchmarkConfigured looks as the startup probe does.
func BenchmarkConfigured(b *testing.B) {
	f := newFixture(b, inMemory(b))
	defer f.Close()
	f.startPod("pod-1", "claim-1")
	for b.Loop() {
		f.Configured("pod-1")
	}
}

// BenchmarkLife is a container's: it starts, is configured, and ends.
func BenchmarkLife(b *testing.B) {
	f := newFixture(b, inMemory(b))
	defer f.Close()
	f.startPod("pod-1", "")
	request := f.request()
	request.FollowSeconds = 0
	raw, err := json.Marshal(request)
	if err != nil {
		b.Fatal(err)
	}
	to := plan.Container{Pod: types.NamespacedName{Namespace: "ns", Name: "c-worker-0"}}
	for b.Loop() {
		f.startContainer("")
		if err := f.Apply(context.Background(), to, raw, io.Discard); err != nil {
			b.Fatal(err)
		}
		f.End(f.scripts, 0)
	}
}
