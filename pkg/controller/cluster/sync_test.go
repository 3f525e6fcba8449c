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
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

var key = cache.ObjectName{Namespace: "ns", Name: "c"}

// fixture is a Syncer whose surroundings say in which order they were called.
type fixture struct {
	*Syncer
	seen     *plan.Observed
	clock    *clocktesting.FakePassiveClock
	events   *record.FakeRecorder
	calls    []string
	stale    error
	refusing error
	conflict error
}

func newFixture() *fixture {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := &fixture{clock: clocktesting.NewFakePassiveClock(now), events: record.NewFakeRecorder(10)}
	f.seen = &plan.Observed{
		Now: now,
		Cluster: &v1alpha1.KubeDirectorCluster{
			ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: "u", Generation: 1},
			Spec:       v1alpha1.KubeDirectorClusterSpec{App: "app", Roles: []v1alpha1.ClusterRole{{ID: "worker"}}},
		},
		App: &v1alpha1.KubeDirectorApp{
			ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: "app"},
			Spec: v1alpha1.KubeDirectorAppSpec{
				DefaultImageRepoTag: "example/app:1",
				Roles:               []v1alpha1.Role{{ID: "worker", Cardinality: "1"}},
			},
		},
		Outcomes: map[types.UID]plan.Outcome{},
	}
	f.Syncer = &Syncer{Confirm: confirmed{}, Fresh: f, Observe: f, Execute: f, Status: f, Recorder: f.events, Clock: f.clock,
		Gone: func(cache.ObjectName) { f.calls = append(f.calls, "gone") }}
	return f
}

// confirmed is a cache that is known not to be behind.
type confirmed struct{}

func (confirmed) Ensure(context.Context, cache.ObjectName) error { return nil }
func (confirmed) Forget(cache.ObjectName)                        {}

func (f *fixture) Ensure(cache.ObjectName) error { return f.stale }
func (f *fixture) Clear(cache.ObjectName)        { f.calls = append(f.calls, "clear") }

func (f *fixture) Cluster(context.Context, cache.ObjectName) (*plan.Observed, error) {
	if f.seen == nil {
		return nil, nil
	}
	seen := *f.seen
	return &seen, nil
}

// Do refuses everything or makes the finalizer appear, the one action these tests need the effect of.
func (f *fixture) Do(_ context.Context, _ *v1alpha1.KubeDirectorCluster, actions []plan.Action) error {
	var errs []error
	for _, action := range actions {
		f.calls = append(f.calls, action.String())
		if f.refusing != nil {
			errs = append(errs, &plan.Refusal{Action: action.String(), Err: f.refusing})
		} else if _, is := action.(plan.AddFinalizer); is {
			f.seen.Cluster = f.seen.Cluster.DeepCopy()
			f.seen.Cluster.Finalizers = []string{"kubedirector.bluedata.io/cluster"}
		}
	}
	return errors.Join(errs...)
}

func (f *fixture) Write(_ context.Context, seen *v1alpha1.KubeDirectorCluster, status *v1alpha1.KubeDirectorClusterStatus) error {
	f.calls = append(f.calls, fmt.Sprintf("status %s", status.State))
	if f.conflict != nil {
		return f.conflict
	}
	f.seen.Cluster = seen.DeepCopy()
	f.seen.Cluster.Status = *status.DeepCopy()
	return nil
}

func (f *fixture) told() []string {
	var told []string
	for len(f.events.Events) > 0 {
		told = append(told, <-f.events.Events)
	}
	return told
}

// pass makes one pass and returns what it called.
func (f *fixture) pass(t *testing.T) (calls []string, again time.Duration, err error) {
	t.Helper()
	f.calls = nil
	again, err = f.Sync(t.Context(), key)
	return f.calls, again, err
}

func TestSyncRecordsBeforeItActs(t *testing.T) {
	f := newFixture()
	want := [][]string{
		{"add finalizer"},
		{"status creating"},
		{"create revision c.app-", "create service c headless", "create statefulset c-worker replicas 1"},
	}
	for i, calls := range want {
		got, again, err := f.pass(t)
		if err != nil || again != soon {
			t.Errorf("pass %d: again in %s, error %v; want the next at once", i, again, err)
		}
		if !slices.EqualFunc(got, calls, strings.HasPrefix) {
			t.Errorf("pass %d: %s", i, cmp.Diff(calls, got))
		}
	}
	if told := f.told(); len(told) != 1 || !strings.HasPrefix(told[0], "Normal Creating ") {
		t.Errorf("people were told %q", told)
	}
}

func TestSyncLooksAtNothingWhileACacheIsBehind(t *testing.T) {
	f := newFixture()
	f.stale = errors.New("not yet")
	if calls, _, err := f.pass(t); !errors.Is(err, f.stale) || len(calls) > 0 {
		t.Errorf("error %v after %q", err, calls)
	}
}

func TestSyncTellsNobodyOfAStatusThatIsNotWritten(t *testing.T) {
	f := newFixture()
	if _, _, err := f.pass(t); err != nil {
		t.Fatal(err)
	}
	f.conflict = apierrors.NewConflict(v1alpha1.Resource("kubedirectorclusters"), "c", errors.New("changed"))
	calls, _, err := f.pass(t)
	if !apierrors.IsConflict(err) || len(calls) != 1 || len(f.told()) > 0 {
		t.Errorf("error %v after %q", err, calls)
	}
}

func TestSyncShowsWhatIsRefused(t *testing.T) {
	f := newFixture()
	for range 2 {
		if _, _, err := f.pass(t); err != nil {
			t.Fatal(err)
		}
	}
	f.refusing = errors.New("exceeded quota: few")
	for range 2 { // the first meets the refusal, the second shows it
		if _, _, err := f.pass(t); !errors.Is(err, f.refusing) {
			t.Fatalf("error %v", err)
		}
	}
	ready := f.seen.Cluster.Status.Conditions[slices.IndexFunc(f.seen.Cluster.Status.Conditions, func(c metav1.Condition) bool { return c.Type == v1alpha1.ConditionReady })]
	if ready.Reason != v1alpha1.ReasonRequestRefused || !strings.Contains(ready.Message, "exceeded quota: few") {
		t.Errorf("Ready is %s: %s", ready.Reason, ready.Message)
	}
	f.refusing = nil
	if _, _, err := f.pass(t); err != nil {
		t.Fatal(err)
	}
	if left := f.refusals.of(key); len(left) > 0 {
		t.Errorf("what was granted counts as refused: %v", left)
	}
}

func TestSyncForgetsAClusterThatIsGone(t *testing.T) {
	f := newFixture()
	f.seen = nil
	calls, again, err := f.pass(t)
	if diff := cmp.Diff([]string{"clear", "gone"}, calls); diff != "" || again != 0 || err != nil {
		t.Errorf("again in %s, error %v, calls (-want +got):\n%s", again, err, diff)
	}
}

func TestProgressIsPaced(t *testing.T) {
	var p pace
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if left := p.left(key, now, 3); left != 0 {
		t.Errorf("the first write waits for %s", left)
	}
	p.wrote(key, now)
	for members, want := range map[int]time.Duration{3: time.Second, 100: time.Second, 1000: 10 * time.Second} {
		if left := p.left(key, now, members); left != want {
			t.Errorf("with %d members the next write waits for %s, want %s", members, left, want)
		}
	}
	p.forget(key)
	if left := p.left(key, now, 3); left != 0 {
		t.Errorf("a cluster made again waits for %s", left)
	}
}

func TestOwnersOfObjects(t *testing.T) {
	yes := true
	controlled := func(kind string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "ns", OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: "c", Controller: &yes}}}
	}
	labelled := controlled("StatefulSet")
	labelled.Labels = map[string]string{"kubedirector.bluedata.io/cluster": "c"}
	for name, test := range map[string]struct {
		meta metav1.ObjectMeta
		want []cache.ObjectName
	}{
		"controlled by the cluster":               {controlled("KubeDirectorCluster"), []cache.ObjectName{key}},
		"labelled, controlled by its StatefulSet": {labelled, []cache.ObjectName{key}},
		"somebody else's":                         {controlled("Deployment"), nil},
	} {
		if diff := cmp.Diff(test.want, owner(&corev1.Pod{ObjectMeta: test.meta})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
