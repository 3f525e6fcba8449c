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
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// looks is how often a candidate looks at the Lease in one retry period.
//
// It counts the lease duration from when it saw a renewal, not from when that
// was sent, and sees the end of it at its next look. Client-go has one period
// for looks and renewals, and makes it up to 2.2 times as long at random: with
// two seconds, a Lease of 15 is taken over up to 24 after its last renewal.
const looks = 10

// pacedLock lets a candidate look often, while renewals, which are writes, and
// tries after a failure come once in a period.
type pacedLock struct {
	resourcelock.Interface
	tenure *tenure
	period time.Duration
}

// undivided is ctx for a request that is not given up halfway when this process
// is asked to stop: it ends soon by its own timeout, and then it is known whose
// the Lease is, and whether it must be given back.
func undivided(ctx context.Context) (context.Context, context.CancelFunc) {
	whole := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(whole, deadline)
	}
	return whole, func() {}
}

// Get reads the Lease. The text by which client-go tells one renewal from the
// next has whole seconds: two within one second would count as the first, and
// the Lease as over while its holder rightly believes in it.
func (l *pacedLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	sent := time.Now()
	whole, done := undivided(ctx)
	defer done()
	record, text, err := l.Interface.Get(whole)
	if err != nil {
		if !apierrors.IsNotFound(err) {
			l.pause(ctx, sent)
		}
		return nil, nil, err
	}
	return record, fmt.Appendf(text, " renewed %s", record.RenewTime.UTC().Format(time.RFC3339Nano)), nil
}

// Create makes the Lease where there is none.
func (l *pacedLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	sent := time.Now()
	whole, done := undivided(ctx)
	defer done()
	err := l.Interface.Create(whole, record)
	if err != nil {
		l.pause(ctx, sent)
	}
	return err
}

// Update sends nothing when the Lease was renewed just now: what the API server
// confirmed then still holds, and the tenure counts from there.
func (l *pacedLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == l.Identity() && l.tenure.confirmedWithin(l.period) {
		return nil
	}
	sent := time.Now()
	whole, done := undivided(ctx)
	defer done()
	err := l.Interface.Update(whole, record)
	// After a conflict it must be known soon whose the Lease is.
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		l.pause(ctx, sent)
	}
	return err
}

// pause waits until a period has passed since a request that failed.
func (l *pacedLock) pause(ctx context.Context, sent time.Time) {
	select {
	case <-ctx.Done():
	case <-time.After(l.period - time.Since(sent)):
	}
}
