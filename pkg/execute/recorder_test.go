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

package execute

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2/ktesting"
)

// TestRecorder holds that an Event about a cluster out of a cache, which has no
// kind, names its kind and comes from us.
func TestRecorder(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	f := newFixture(t)
	written := make(chan *corev1.Event, 1)
	f.kube.PrependReactor("create", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		event := action.(clienttesting.CreateActionImpl).Object.(*corev1.Event)
		written <- event
		return true, event, nil
	})
	recorder, shutdown := NewRecorder(ctx, f.kube)
	defer shutdown()

	recorder.Event(f.cluster, corev1.EventTypeNormal, "Ready", "all 3 members are configured")

	select {
	case event := <-written:
		if got := event.InvolvedObject; got.Kind != "KubeDirectorCluster" || got.Name != "spark" || got.UID != ours {
			t.Errorf("the Event is about %+v", got)
		}
		if event.Source.Component != component || event.Reason != "Ready" || event.Namespace != "ml" {
			t.Errorf("the Event is %+v", event)
		}
	case <-ctx.Done():
		t.Fatal("no Event was written")
	}
}
