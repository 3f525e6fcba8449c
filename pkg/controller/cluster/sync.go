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
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// Observer gathers what a decision rests on; nil, nil: the cluster is gone.
type Observer interface {
	Cluster(ctx context.Context, key cache.ObjectName) (*plan.Observed, error)
}

// Executor carries out actions. Every one is tried; their errors are joined.
type Executor interface {
	Do(ctx context.Context, cluster *v1alpha1.KubeDirectorCluster, actions []plan.Action) error
}

// StatusWriter writes a cluster's status at the resourceVersion that was observed.
type StatusWriter interface {
	Write(ctx context.Context, seen *v1alpha1.KubeDirectorCluster, status *v1alpha1.KubeDirectorClusterStatus) error
}

// Freshness knows whether the caches hold this process's own writes yet.
type Freshness interface {
	Ensure(key cache.ObjectName) error
	Clear(key cache.ObjectName)
}

// Confirmed makes sure that the cache of clusters is not behind what an earlier leader recorded.
type Confirmed interface {
	Ensure(ctx context.Context, key cache.ObjectName) error
	Forget(key cache.ObjectName)
}

// Syncer makes passes over clusters.
type Syncer struct {
	Confirm  Confirmed
	Fresh    Freshness
	Observe  Observer
	Execute  Executor
	Status   StatusWriter
	Recorder record.EventRecorder
	Clock    clock.PassiveClock
	// Gone is told of clusters that exist no more.
	Gone func(key cache.ObjectName)

	pace     pace
	refusals refusals
}

// soon asks for the next pass at once, behind freshness: after a write, its
// event is not waited for, since one that changes nothing emits none.
const soon = time.Millisecond

// Sync makes one pass over a cluster. It returns after what time the next is due; 0: when something happens.
func (s *Syncer) Sync(ctx context.Context, key cache.ObjectName) (time.Duration, error) {
	if err := s.Confirm.Ensure(ctx, key); err != nil {
		return 0, err
	}
	if err := s.Fresh.Ensure(key); err != nil {
		return 0, err
	}
	seen, err := s.Observe.Cluster(ctx, key)
	if err != nil {
		return 0, err
	}
	if seen == nil {
		s.forget(key)
		return 0, nil
	}
	seen.Refusals = s.refusals.of(key)
	p := plan.Make(seen)
	s.report(ctx, p)
	if p.Record != "" {
		return soon, s.write(ctx, key, seen, p)
	}
	acted := s.Execute.Do(ctx, seen.Cluster, p.Actions)
	s.refusals.keep(key, acted)
	again, written := s.progress(ctx, key, seen, p)
	return again, errors.Join(acted, written)
}

// progress writes the planned status if it differs: at once when a reader would
// act on it, else at most once in a while, so that a large cluster's start is few writes.
func (s *Syncer) progress(ctx context.Context, key cache.ObjectName, seen *plan.Observed, p *plan.Plan) (time.Duration, error) {
	again := p.Again
	if writes(p.Actions) {
		again = soon
	}
	if p.Status == nil {
		return again, nil
	}
	if wait := s.pace.left(key, s.Clock.Now(), membersOf(p.Status)); wait > 0 && !p.Urgent {
		return sooner(again, wait), nil
	}
	return soon, s.write(ctx, key, seen, p)
}

// write records the planned status, and only then tells people of it.
func (s *Syncer) write(ctx context.Context, key cache.ObjectName, seen *plan.Observed, p *plan.Plan) error {
	if p.Status == nil {
		return nil
	}
	if err := s.Status.Write(ctx, seen.Cluster, p.Status); err != nil {
		return err
	}
	s.pace.wrote(key, s.Clock.Now())
	for _, note := range p.Notes {
		s.Recorder.Event(seen.Cluster, note.Type, note.Reason, note.Message)
	}
	return nil
}

func (s *Syncer) report(ctx context.Context, p *plan.Plan) {
	logger := klog.FromContext(ctx)
	for _, err := range p.Impossible {
		impossible.Inc()
		logger.Error(err, "A state machine met an event that its table does not allow")
	}
	if verbose := logger.V(4); verbose.Enabled() {
		verbose.Info("Planned", "plan", p.String())
	} else if p.Record != "" || len(p.Actions) > 0 {
		logger.V(2).Info("Planned", "record", p.Record, "actions", len(p.Actions))
	}
}

func (s *Syncer) forget(key cache.ObjectName) {
	s.Confirm.Forget(key)
	s.Fresh.Clear(key)
	s.pace.forget(key)
	s.refusals.keep(key, nil)
	s.Gone(key)
}

// writes is true when an action writes to the API server; visits do not.
func writes(actions []plan.Action) bool {
	for _, action := range actions {
		switch action.(type) {
		case plan.VisitGuest, plan.CheckPackage:
		default:
			return true
		}
	}
	return false
}

func membersOf(status *v1alpha1.KubeDirectorClusterStatus) int {
	n := 0
	for _, role := range status.Roles {
		n += len(role.Members)
	}
	return n
}

// sooner is the shorter of two waits, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
