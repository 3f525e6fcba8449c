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

package freshness_test

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/freshness"
)

var (
	services = schema.GroupResource{Resource: "services"}
	pods     = schema.GroupResource{Resource: "pods"}
	spark    = cache.NewObjectName("ml", "spark")
	other    = cache.NewObjectName("ml", "other")
)

func object(name, uid, version string, terminating bool) *corev1.Pod {
	o := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: name, UID: types.UID(uid), ResourceVersion: version}}
	if terminating {
		o.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	}
	return o
}

func fixture() (tracker *freshness.Tracker, serviceStore, podStore cache.Store) {
	serviceStore, podStore = cache.NewStore(cache.MetaNamespaceKeyFunc), cache.NewStore(cache.MetaNamespaceKeyFunc)
	tracker = freshness.New(map[schema.GroupResource]freshness.Store{services: serviceStore, pods: podStore})
	return tracker, serviceStore, podStore
}

func expectStale(t *testing.T, tracker *freshness.Tracker, resource schema.GroupResource) {
	t.Helper()
	var stale *freshness.StaleError
	if err := tracker.Ensure(spark); !errors.As(err, &stale) {
		t.Fatalf("Ensure = %v, want a StaleError", err)
	}
	if stale.Resource != resource {
		t.Errorf("stale in %s, want %s", stale.Resource, resource)
	}
}

func expectFresh(t *testing.T, tracker *freshness.Tracker, owner cache.ObjectName) {
	t.Helper()
	if err := tracker.Ensure(owner); err != nil {
		t.Fatalf("Ensure(%s) = %v, want nil", owner, err)
	}
}

func TestAWriteIsStaleUntilItsOwnStoreHasComeThatFar(t *testing.T) {
	tracker, serviceStore, podStore := fixture()
	serviceStore.Bookmark("5")
	tracker.WroteAt(spark, services, "10")
	tracker.WroteAt(spark, services, "9") // answers may come in any order
	expectStale(t, tracker, services)
	expectFresh(t, tracker, other)

	podStore.Bookmark("100") // another resource's versions say nothing
	expectStale(t, tracker, services)
	if err := serviceStore.Update(object("s", "1", "9", false)); err != nil {
		t.Fatal(err)
	}
	expectStale(t, tracker, services)
	if err := serviceStore.Update(object("s", "1", "10", false)); err != nil {
		t.Fatal(err)
	}
	expectFresh(t, tracker, spark)
	if n := tracker.Pending(); n != 0 {
		t.Errorf("writes that were seen are still kept, for %d owners", n)
	}
}

func TestADeletionIsSeenByTheObjectsUID(t *testing.T) {
	for _, c := range []struct {
		name string
		seen func(cache.Store) error
	}{
		{"gone", func(s cache.Store) error { return s.Delete(object("p", "1", "8", false)) }},
		{"terminating", func(s cache.Store) error { return s.Update(object("p", "1", "8", true)) }},
		{"replaced", func(s cache.Store) error { return s.Update(object("p", "2", "8", false)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracker, _, podStore := fixture()
			if err := podStore.Add(object("p", "1", "7", false)); err != nil {
				t.Fatal(err)
			}
			tracker.Deleted(spark, pods, cache.NewObjectName("ml", "p"), "1")
			expectStale(t, tracker, pods)
			if err := c.seen(podStore); err != nil {
				t.Fatal(err)
			}
			expectFresh(t, tracker, spark)
		})
	}
}

func TestNothingIsWaitedForThatCannotBeSeen(t *testing.T) {
	tracker, serviceStore, _ := fixture()
	tracker.WroteAt(spark, schema.GroupResource{Resource: "events"}, "10")
	tracker.Deleted(spark, schema.GroupResource{Resource: "events"}, cache.NewObjectName("ml", "e"), "1")
	expectFresh(t, tracker, spark)

	tracker.WroteAt(spark, services, "") // as a fake clientset answers
	expectFresh(t, tracker, spark)

	serviceStore.Bookmark("1")
	tracker.WroteAt(spark, services, "2")
	tracker.Clear(spark)
	expectFresh(t, tracker, spark)
}
