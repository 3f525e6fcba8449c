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
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/testutil"

	"github.com/bluek8s/kubedirector/pkg/freshness"
)

var (
	spark = cache.NewObjectName("ml", "spark")
	other = cache.NewObjectName("ml", "other")
)

// TestMain takes away the error handler that slows down whoever meets errors
// fast: it keeps the time of the last one, which is another in each bubble.
func TestMain(m *testing.M) {
	utilruntime.ErrorHandlers = utilruntime.ErrorHandlers[:1]
	os.Exit(m.Run())
}

// run starts a Controller in a bubble and returns what stops it.
func run(t *testing.T, c *Controller, workers int) (stop func()) {
	for _, counts := range []*metrics.CounterVec{staleRequeues, syncErrors, syncPanics} {
		counts.Reset()
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Run(ctx, workers)
	}()
	return func() { cancel(); <-ended }
}

// script is a Sync that notes when it is called for spark, and answers from a list; nil once that is used up.
type script struct {
	began   time.Time
	calls   []time.Duration
	answers []error
}

func (s *script) sync(_ context.Context, key cache.ObjectName) (time.Duration, error) {
	if key != spark {
		return 0, nil
	}
	s.calls = append(s.calls, time.Since(s.began))
	if n := len(s.calls); n <= len(s.answers) {
		return 0, s.answers[n-1]
	}
	return 0, nil
}

func TestFailuresAreRetriedWithBackOffThatSuccessEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := errors.New("the API server is away")
		s := &script{began: time.Now(), answers: []error{fault, fault, fault, nil, fault}}
		c := New("retry", s.sync)
		stop := run(t, c, 1)
		c.Add(spark)
		time.Sleep(10 * time.Second)
		c.Add(spark)
		time.Sleep(10 * time.Second)
		stop()
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 10 * time.Second, 11 * time.Second}
		if diff := cmp.Diff(want, s.calls); diff != "" {
			t.Errorf("reconciled at (-want +got):\n%s", diff)
		}
		expectCount(t, "errors", 4, func() (float64, error) { return testutil.GetCounterMetricValue(syncErrors.WithLabelValues("retry")) })
	})
}

func TestBackOffEndsAtAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{began: time.Now(), answers: slices.Repeat([]error{errors.New("never")}, 20)}
		c := New("cap", s.sync)
		stop := run(t, c, 1)
		c.Add(spark)
		time.Sleep(10 * time.Minute)
		stop()
		if n := len(s.calls); n < 3 || s.calls[n-1]-s.calls[n-2] != time.Minute {
			t.Errorf("reconciled at %v, want every minute in the end", s.calls)
		}
	})
}

func TestAStaleCacheIsLookedAtAgainSoonAndIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stale := fmt.Errorf("ml/spark: %w", &freshness.StaleError{Resource: schema.GroupResource{Resource: "pods"}, What: "resourceVersion 7"})
		conflict := apierrors.NewConflict(schema.GroupResource{Resource: "services"}, "spark", errors.New("changed"))
		s := &script{began: time.Now(), answers: []error{stale, conflict, errors.Join(stale, conflict)}}
		c := New("stale", s.sync)
		stop := run(t, c, 1)
		c.Add(spark)
		time.Sleep(time.Minute)
		stop()
		want := []time.Duration{0, 5 * time.Millisecond, 15 * time.Millisecond, 35 * time.Millisecond}
		if diff := cmp.Diff(want, s.calls); diff != "" {
			t.Errorf("reconciled at (-want +got):\n%s", diff)
		}
		expectCount(t, "stale requeues", 3, func() (float64, error) { return testutil.GetCounterMetricValue(staleRequeues.WithLabelValues("stale")) })
		expectCount(t, "errors", 0, func() (float64, error) { return testutil.GetCounterMetricValue(syncErrors.WithLabelValues("stale")) })
	})
}

func TestAConflictBesideAFailureIsAFailure(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "services"}, "spark", errors.New("changed"))
	if tooEarly(errors.Join(conflict, errors.New("quota"))) {
		t.Error("tooEarly hides a failure behind a conflict")
	}
}

func TestAPanicStopsNeitherTheWorkerNorTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := map[cache.ObjectName]int{}
		c := New("panic", func(_ context.Context, key cache.ObjectName) (time.Duration, error) {
			calls[key]++
			if key == spark && calls[key] == 1 {
				panic("a bug")
			}
			return 0, nil
		})
		stop := run(t, c, 1)
		c.Add(spark)
		c.Add(other)
		time.Sleep(time.Minute)
		stop()
		if diff := cmp.Diff(map[cache.ObjectName]int{spark: 2, other: 1}, calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		expectCount(t, "panics", 1, func() (float64, error) { return testutil.GetCounterMetricValue(syncPanics.WithLabelValues("panic")) })
	})
}

func TestASyncIsCalledAgainWhenItAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var calls []time.Duration
		c := New("again", func(context.Context, cache.ObjectName) (time.Duration, error) {
			calls = append(calls, time.Since(began))
			if len(calls) < 3 {
				return 20 * time.Second, nil
			}
			return 0, nil
		})
		stop := run(t, c, 2)
		c.Add(spark)
		time.Sleep(5 * time.Minute)
		stop()
		if diff := cmp.Diff([]time.Duration{0, 20 * time.Second, 40 * time.Second}, calls); diff != "" {
			t.Errorf("reconciled at (-want +got):\n%s", diff)
		}
	})
}

func TestStopLetsWorkInProgressFinishAndBeginsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var finished []cache.ObjectName
		c := New("stop", func(ctx context.Context, key cache.ObjectName) (time.Duration, error) {
			select {
			case <-time.After(2 * time.Second):
				finished = append(finished, key)
				return 0, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		})
		stop := run(t, c, 1)
		c.Add(spark)
		c.Add(other)
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		if diff := cmp.Diff([]cache.ObjectName{spark}, finished); diff != "" {
			t.Errorf("finished (-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("stopping took %s, want the second that was left to do", took)
		}
	})
}

func TestStopDoesNotWaitForASyncThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New("hang", func(ctx context.Context, _ cache.ObjectName) (time.Duration, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		stop := run(t, c, 1)
		c.Add(spark)
		synctest.Wait()
		began := time.Now()
		stop()
		if took := time.Since(began); took != drainGrace {
			t.Errorf("stopping took %s, want %s", took, drainGrace)
		}
	})
}

func expectCount(t *testing.T, what string, want float64, read func() (float64, error)) {
	t.Helper()
	if got, err := read(); err != nil || got != want {
		t.Errorf("%s: %v (%v), want %v", what, got, err, want)
	}
}
