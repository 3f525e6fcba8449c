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
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/ptr"
)

// Term is one leadership. Epochs grow within one Lease; a Lease that was
// deleted and made anew has another UID and starts at 0.
type Term struct {
	LeaseUID string
	Epoch    int64
}

// tenure is what the API server last confirmed of our hold on the Lease.
type tenure struct {
	identity string
	// lost is closed when a Lease that was ours is another's.
	lost chan struct{}

	mu    sync.Mutex
	term  Term
	sent  time.Time // when the last confirmed write was
	until time.Time // zero while the Lease is not ours
}

func newTenure(identity string) *tenure {
	return &tenure{identity: identity, lost: make(chan struct{})}
}

// observe notes a Lease as the API server has it. One that is ours was renewed
// earlier than this, so it extends nothing.
func (t *tenure) observe(lease *coordinationv1.Lease) {
	t.mu.Lock()
	defer t.mu.Unlock()
	holder := ptr.Deref(lease.Spec.HolderIdentity, "")
	if holder == t.identity || t.until.IsZero() {
		return
	}
	t.until = time.Time{}
	close(t.lost)
}

// confirm notes a Lease as the API server stored it, in answer to a write sent at the given time.
func (t *tenure) confirm(lease *coordinationv1.Lease, sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ptr.Deref(lease.Spec.HolderIdentity, "") != t.identity {
		t.until = time.Time{} // given back
		return
	}
	t.term = Term{LeaseUID: string(lease.UID), Epoch: int64(ptr.Deref(lease.Spec.LeaseTransitions, 0))}
	t.sent = sent
	t.until = sent.Add(time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 0)) * time.Second)
}

func (t *tenure) current() Term {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.term
}

// holds is nil while nobody else can have taken the Lease.
func (t *tenure) holds() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until.IsZero() {
		return errors.New("the Lease is not held")
	}
	// The monotonic clock stands still while the machine is suspended, the wall
	// clock may be set; a Lease that is over by either is over.
	if now := time.Now(); !now.Before(t.until) || !now.Round(0).Before(t.until.Round(0)) {
		return fmt.Errorf("the Lease was last renewed for the time until %s", t.until.Format(time.RFC3339))
	}
	return nil
}

// confirmedWithin is true while the Lease is held, and was renewed less than a period ago.
func (t *tenure) confirmedWithin(period time.Duration) bool {
	if t.holds() != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Since(t.sent) < period
}

// observedLeases is a client for Leases that lets a tenure know what it reads and writes.
type observedLeases struct {
	coordinationclient.LeasesGetter
	tenure *tenure
}

func (o observedLeases) Leases(namespace string) coordinationclient.LeaseInterface {
	return observedLease{LeaseInterface: o.LeasesGetter.Leases(namespace), tenure: o.tenure, namespace: namespace}
}

type observedLease struct {
	coordinationclient.LeaseInterface
	tenure    *tenure
	namespace string
}

func (o observedLease) Get(ctx context.Context, name string, opts metav1.GetOptions) (*coordinationv1.Lease, error) {
	stored, err := o.LeaseInterface.Get(ctx, name, opts)
	if err == nil {
		o.tenure.observe(stored)
	}
	return stored, err
}

func (o observedLease) Create(ctx context.Context, lease *coordinationv1.Lease, opts metav1.CreateOptions) (*coordinationv1.Lease, error) {
	sent := time.Now()
	stored, err := o.LeaseInterface.Create(ctx, lease, opts)
	if apierrors.IsNotFound(err) {
		return stored, fmt.Errorf("%w: create the namespace (kubectl create namespace %s) or name another with --leader-elect-namespace", err, o.namespace)
	}
	if err == nil {
		o.tenure.confirm(stored, sent)
	}
	return stored, err
}

func (o observedLease) Update(ctx context.Context, lease *coordinationv1.Lease, opts metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	sent := time.Now()
	stored, err := o.LeaseInterface.Update(ctx, lease, opts)
	if err == nil {
		o.tenure.confirm(stored, sent)
	}
	return stored, err
}
