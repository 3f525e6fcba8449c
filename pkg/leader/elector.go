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

package leader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// ErrLost ends a process that led: what it believes of the world may be old.
var ErrLost = errors.New("leadership is lost")

// errStuck ends a process that was asked to stop and could not.
var errStuck = fmt.Errorf("work did not stop within %s", stopGrace)

const (
	// stopGrace is how long work in progress may take to stop.
	stopGrace = 5 * time.Second
	// releaseGrace is how long giving the Lease back may take.
	releaseGrace = 3 * time.Second
	// unhealthyAfter is how long a leader may outlive its Lease before the kubelet restarts it.
	unhealthyAfter = 20 * time.Second
)

// Config is what an Elector needs.
type Config struct {
	// Client has no Gate.
	Client                                    coordinationclient.LeasesGetter
	Namespace, Name                           string
	Identity                                  string
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration
}

// Elector leads while it holds a Lease.
type Elector struct {
	elector *leaderelection.LeaderElector
	lock    resourcelock.Interface
	tenure  *tenure
	started chan struct{}
}

// New makes an Elector that leads once.
func New(c Config) (*Elector, error) {
	e := &Elector{tenure: newTenure(c.Identity), started: make(chan struct{})}
	e.lock = &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: c.Namespace, Name: c.Name},
		Client:     observedLeases{LeasesGetter: c.Client, tenure: e.tenure},
		LockConfig: resourcelock.ResourceLockConfig{Identity: c.Identity},
	}
	look := c.RetryPeriod / looks
	var err error
	e.elector, err = leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		// A renewal is due when the next look would come too late for it.
		Lock:          &pacedLock{Interface: e.lock, tenure: e.tenure, period: c.RetryPeriod - look/2},
		LeaseDuration: c.LeaseDuration,
		// Client-go counts from a renewal that may have stood for one a period ago.
		RenewDeadline: c.RenewDeadline - c.RetryPeriod,
		RetryPeriod:   look,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(e.started) },
			OnStoppedLeading: func() {}, // Run sees the elector return
		},
		Name: c.Name,
	})
	return e, err
}

// Holds is nil while this process is certainly the leader; it is what a Gate asks.
func (e *Elector) Holds() error {
	if !e.elector.IsLeader() {
		return errors.New("the Lease is not held")
	}
	if err := e.elector.Check(0); err != nil {
		return err
	}
	return e.tenure.holds()
}

// Leader is the term of this leadership, for requests whose receiver orders leaders by it.
func (e *Elector) Leader() (leaseUID string, epoch int64) {
	term := e.tenure.current()
	return term.LeaseUID, term.Epoch
}

// Healthy fails for a leader that should have ended when its Lease did.
func (e *Elector) Healthy(*http.Request) error { return e.elector.Check(unhealthyAfter) }

// Run waits for leadership, then has work done until ctx ends, and gives the
// Lease back once the work has ended. It returns ErrLost as soon as the
// Lease is lost, without waiting for the work: the process must end.
func (e *Elector) Run(ctx context.Context, work func(context.Context) error) error {
	// A candidate that looks often would fill the log of each pass.
	quieter := klog.NewContext(context.WithoutCancel(ctx), klog.FromContext(ctx).V(1))
	electing, stopElecting := context.WithCancel(quieter)
	defer stopElecting()
	over := make(chan struct{})
	go func() {
		defer close(over)
		e.elector.Run(electing)
	}()

	var err error
	select {
	case <-ctx.Done():
	case <-e.started:
		uid, epoch := e.Leader()
		klog.FromContext(ctx).Info("Leading", "leaseUID", uid, "epoch", epoch)
		// Client-go goes on trying until the renew deadline when another has taken the Lease.
		err = supervise(ctx, work, over, e.tenure.lost)
	}
	if errors.Is(err, ErrLost) || errors.Is(err, errStuck) {
		// The work may still run: given back now, the Lease would go to another meanwhile.
		return err
	}
	stopElecting()
	<-over
	return errors.Join(err, e.giveBack(context.WithoutCancel(ctx)))
}

// giveBack lets another lead at once instead of after the lease duration.
// Client-go would do it too, but also when it fails to renew, while the work
// still runs, and only then would Run hear of it.
func (e *Elector) giveBack(ctx context.Context) error {
	if !e.elector.IsLeader() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, releaseGrace)
	defer cancel()
	held, _, err := e.lock.Get(ctx)
	if err == nil && held.HolderIdentity == e.lock.Identity() {
		now := metav1.Now()
		err = e.lock.Update(ctx, resourcelock.LeaderElectionRecord{
			LeaseDurationSeconds: 1,
			AcquireTime:          now,
			RenewTime:            now,
			LeaderTransitions:    held.LeaderTransitions,
		})
	}
	if err != nil {
		return fmt.Errorf("giving back the Lease %s, which is left to run out: %w", e.lock.Describe(), err)
	}
	return nil
}

// supervise has work done until ctx ends, for at most stopGrace longer, or
// until leadership is over or lost, whichever is first.
func supervise(ctx context.Context, work func(context.Context) error, over, lost <-chan struct{}) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	result := make(chan error, 1)
	go func() { result <- work(working) }()

	var late <-chan time.Time
	stopping := ctx.Done()
	for {
		select {
		case err := <-result:
			return err
		case <-over:
			return ErrLost
		case <-lost:
			return ErrLost
		case <-stopping:
			stopping, late = nil, time.After(stopGrace)
		case <-late:
			return errStuck
		}
	}
}
