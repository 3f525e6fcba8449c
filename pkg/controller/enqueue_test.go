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

package controller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// source is an informer whose events a test makes itself.
type source struct {
	cache.TypedSharedIndexInformer[*corev1.Pod]
	cache.TypedResourceEventHandler[*corev1.Pod]
	filled chan struct{}
}

func newSource() *source { return &source{filled: make(chan struct{})} }

func (s *source) AddTypedEventHandler(h cache.TypedResourceEventHandler[*corev1.Pod], _ ...cache.HandlerOptions) (cache.ResourceEventHandlerRegistration, error) {
	s.TypedResourceEventHandler = h
	return s, nil
}

func (s *source) HasSyncedChecker() cache.DoneChecker { return s }
func (s *source) HasSynced() bool                     { return cache.IsDone(s) }
func (s *source) Done() <-chan struct{}               { return s.filled }
func (s *source) Name() string                        { return "pods" }

func byLabel(p *corev1.Pod) []cache.ObjectName {
	return []cache.ObjectName{cache.NewObjectName(p.Namespace, p.Labels["cluster"])}
}

func pod(cluster, version string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: "p", Labels: map[string]string{"cluster": cluster}, ResourceVersion: version}}
}

func TestEventsBecomeKeys(t *testing.T) {
	unknown := cache.DeletedFinalStateUnknown{Key: "ml/p"}
	for _, c := range []struct {
		name  string
		event func(*source)
		want  map[cache.ObjectName]int
	}{
		{"added", func(s *source) { s.OnAdd(pod("spark", "1"), true) }, map[cache.ObjectName]int{spark: 1}},
		{"changed", func(s *source) { s.OnUpdate(pod("spark", "1"), pod("spark", "2")) }, map[cache.ObjectName]int{spark: 1}},
		{"moved to another", func(s *source) { s.OnUpdate(pod("spark", "1"), pod("other", "2")) }, map[cache.ObjectName]int{spark: 1, other: 1}},
		{"resynced", func(s *source) { s.OnUpdate(pod("spark", "1"), pod("spark", "1")) }, map[cache.ObjectName]int{}},
		{"deleted", func(s *source) { s.OnDelete(cache.DeletedObject[*corev1.Pod]{OptionalObj: pod("spark", "1")}) }, map[cache.ObjectName]int{spark: 1}},
		{"deleted unseen", func(s *source) {
			s.OnDelete(cache.DeletedObject[*corev1.Pod]{OptionalObj: pod("spark", "1"), FinalStateUnknown: &unknown})
		}, map[cache.ObjectName]int{spark: 1}},
		{"deleted unseen and unknown", func(s *source) { s.OnDelete(cache.DeletedObject[*corev1.Pod]{FinalStateUnknown: &unknown}) },
			map[cache.ObjectName]int{cache.NewObjectName("ml", "p"): 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := map[cache.ObjectName]int{}
				s := newSource()
				close(s.filled)
				loop := New("events", func(_ context.Context, key cache.ObjectName) (time.Duration, error) {
					got[key]++
					return 0, nil
				})
				if err := Enqueue(loop, s, byLabel); err != nil {
					t.Fatal(err)
				}
				c.event(s)
				stop := run(t, loop, 1)
				synctest.Wait()
				stop()
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("reconciled (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestNothingIsReconciledBeforeTheCachesAreFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		s := newSource()
		c := New("wait", func(context.Context, cache.ObjectName) (time.Duration, error) {
			calls++
			return 0, nil
		})
		if err := Enqueue(c, s, Itself); err != nil {
			t.Fatal(err)
		}
		defer run(t, c, 1)()
		s.OnAdd(pod("spark", "1"), true)
		time.Sleep(time.Hour)
		synctest.Wait()
		if calls != 0 {
			t.Errorf("%d reconciliations from a cache that is not filled", calls)
		}
		close(s.filled)
		synctest.Wait()
		if calls != 1 {
			t.Errorf("%d reconciliations once it is filled, want 1", calls)
		}
	})
}
