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
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

const (
	namespace = "kubedirector"
	leaseName = "kubedirector"
)

func newElector(t *testing.T, client *fake.Clientset, identity string) *Elector {
	t.Helper()
	e, err := New(Config{
		Client:        client.CoordinationV1(),
		Namespace:     namespace,
		Name:          leaseName,
		Identity:      identity,
		LeaseDuration: 15 * time.Second,
		RenewDeadline: 10 * time.Second,
		RetryPeriod:   2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// run has an elector lead; the result of Run comes on the channel.
func run(ctx context.Context, e *Elector) <-chan error {
	result := make(chan error, 1)
	go func() {
		result <- e.Run(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil })
	}()
	return result
}

// trouble is what a server does with requests for leases from some moment on. A
// fake's reactors must stand before it is used, so this one asks each time.
type trouble struct {
	reaction atomic.Pointer[clienttesting.ReactionFunc]
}

func newTroubled(verb string) (*fake.Clientset, *trouble) {
	client, t := fake.NewSimpleClientset(), &trouble{}
	client.PrependReactor(verb, "leases", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if react := t.reaction.Load(); react != nil {
			return (*react)(action)
		}
		return false, nil, nil
	})
	return client, t
}

func (t *trouble) begin(react clienttesting.ReactionFunc) { t.reaction.Store(&react) }

// stall makes renewals take a while, whatever their context says, as those of a
// process do that is paused in the middle of one.
func stall(pause time.Duration) clienttesting.ReactionFunc {
	return func(clienttesting.Action) (bool, runtime.Object, error) {
		time.Sleep(pause)
		return false, nil, nil
	}
}

func lease(t *testing.T, client *fake.Clientset) *coordinationv1.Lease {
	t.Helper()
	found, err := client.CoordinationV1().Leases(namespace).Get(t.Context(), leaseName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLeadsWhileTheLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewSimpleClientset()
		e := newElector(t, client, "one")
		if e.Holds() == nil {
			t.Error("holds the Lease before there is one")
		}
		ctx, stop := context.WithCancel(t.Context())
		result := run(ctx, e)

		time.Sleep(10 * time.Minute)
		if err := e.Holds(); err != nil {
			t.Errorf("does not hold the Lease it renews: %v", err)
		}

		stop()
		if err := <-result; err != nil {
			t.Errorf("stopped with %v", err)
		}
		if e.Holds() == nil {
			t.Error("holds the Lease after it was given back")
		}
		if holder := ptr.Deref(lease(t, client).Spec.HolderIdentity, ""); holder != "" {
			t.Errorf("the Lease was not given back: %s holds it", holder)
		}
	})
}

// TestPausedInsideARenewal is the case that IsLeader and Check(0) miss: the
// answer to a renewal is read long after the Lease was over.
func TestPausedInsideARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newTroubled("update")
		e := newElector(t, client, "one")
		ctx, stop := context.WithCancel(t.Context())
		result := run(ctx, e)
		time.Sleep(time.Minute)

		server.begin(stall(time.Minute))
		// The renewal that stalls begins within the retry period.
		time.Sleep(20 * time.Second)
		if e.Holds() == nil {
			t.Error("holds the Lease although it was not renewed for 18 seconds")
		}
		// It has been answered, but a minute after it was sent.
		time.Sleep(43 * time.Second)
		if !e.elector.IsLeader() || e.elector.Check(0) != nil {
			t.Fatal("client-go sees by itself that the Lease was over; is the tenure still needed?")
		}
		if e.Holds() == nil {
			t.Error("holds the Lease that was over when the answer came")
		}
		stop()
		<-result
	})
}

func TestLosesTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newTroubled("*")
		e := newElector(t, client, "one")
		busy := make(chan struct{})
		result := make(chan error, 1)
		go func() {
			result <- e.Run(t.Context(), func(context.Context) error { <-busy; return nil })
		}()
		time.Sleep(time.Minute)

		server.begin(func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewInternalError(errors.New("etcd is away"))
		})
		lostBy := time.Now().Add(13 * time.Second) // a retry period, and the renew deadline
		if err := <-result; !errors.Is(err, ErrLost) {
			t.Errorf("got %v, want ErrLost although the work still runs", err)
		}
		if time.Now().After(lostBy) {
			t.Errorf("lost %s too late", time.Since(lostBy))
		}
		close(busy)
	})
}

func TestAnotherTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewSimpleClientset()
		one, two := newElector(t, client, "one"), newElector(t, client, "two")
		ctxOne, stopOne := context.WithCancel(t.Context())
		ctxTwo, stopTwo := context.WithCancel(t.Context())
		resultOne := run(ctxOne, one)
		time.Sleep(time.Second)
		resultTwo := run(ctxTwo, two)
		time.Sleep(time.Minute)
		if one.Holds() != nil || two.Holds() == nil {
			t.Fatalf("one: %v, two: %v; want the first to hold the Lease", one.Holds(), two.Holds())
		}
		_, before := one.Leader()

		stopOne()
		if err := <-resultOne; err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Second) // less than a lease duration: it was given back
		if one.Holds() == nil || two.Holds() != nil {
			t.Errorf("one: %v, two: %v; want the second to hold the Lease", one.Holds(), two.Holds())
		}
		if _, after := two.Leader(); after <= before {
			t.Errorf("the second leader's epoch is %d, the first's was %d", after, before)
		}
		stopTwo()
		<-resultTwo
	})
}

// TestTheLeaseIsTaken: what client-go finds out at the renew deadline, the one who led knows at the next renewal.
func TestTheLeaseIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newTroubled("update")
		e := newElector(t, client, "one")
		result := run(t.Context(), e)
		time.Sleep(time.Minute)

		taken := lease(t, client)
		taken.Spec.HolderIdentity = ptr.To("two")
		if err := client.Tracker().Update(coordinationv1.SchemeGroupVersion.WithResource("leases"), taken, namespace); err != nil {
			t.Fatal(err)
		}
		// A fake stores whatever it gets; a server refuses what was read before another wrote.
		server.begin(func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewConflict(coordinationv1.Resource("leases"), leaseName, errors.New("changed"))
		})
		lostBy := time.Now().Add(2 * time.Second) // the retry period
		if err := <-result; !errors.Is(err, ErrLost) {
			t.Errorf("got %v, want ErrLost", err)
		}
		if time.Now().After(lostBy) {
			t.Errorf("lost %s too late", time.Since(lostBy))
		}
		if e.Holds() == nil {
			t.Error("holds the Lease of another")
		}
	})
}

// TestLeaseMadeAnew: the term names the Lease that is held now.
func TestLeaseMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewSimpleClientset()
		uids := []string{"first", "second"}
		client.PrependReactor("create", "leases", func(action clienttesting.Action) (bool, runtime.Object, error) {
			created := action.(clienttesting.CreateAction).GetObject().(*coordinationv1.Lease)
			created.UID, uids = types.UID(uids[0]), uids[1:]
			return false, nil, nil
		})
		e := newElector(t, client, "one")
		ctx, stop := context.WithCancel(t.Context())
		result := run(ctx, e)
		time.Sleep(time.Minute)
		if uid, _ := e.Leader(); uid != "first" {
			t.Errorf("leads by Lease %q", uid)
		}
		if err := client.CoordinationV1().Leases(namespace).Delete(ctx, leaseName, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if uid, _ := e.Leader(); uid != "second" {
			t.Errorf("leads by Lease %q, which was deleted", uid)
		}
		stop()
		<-result
	})
}

func TestStuckWorkKeepsTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewSimpleClientset()
		e := newElector(t, client, "one")
		ctx, stop := context.WithCancel(t.Context())
		stuck := make(chan struct{})
		result := make(chan error, 1)
		go func() {
			result <- e.Run(ctx, func(context.Context) error { <-stuck; return nil })
		}()
		time.Sleep(time.Minute)
		stop()
		if err := <-result; !errors.Is(err, errStuck) {
			t.Errorf("got %v, want %v", err, errStuck)
		}
		if holder := ptr.Deref(lease(t, client).Spec.HolderIdentity, ""); holder != "one" {
			t.Errorf("the Lease is %q's while our work still runs", holder)
		}
		close(stuck)
	})
}

func TestStopsWhileAnotherLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewSimpleClientset()
		one, two := newElector(t, client, "one"), newElector(t, client, "two")
		ctxOne, stopOne := context.WithCancel(t.Context())
		resultOne := run(ctxOne, one)
		time.Sleep(time.Second)

		ctxTwo, stopTwo := context.WithCancel(t.Context())
		resultTwo := make(chan error, 1)
		go func() {
			resultTwo <- two.Run(ctxTwo, func(context.Context) error { return errors.New("worked without leading") })
		}()
		time.Sleep(time.Minute)
		stopTwo()
		if err := <-resultTwo; err != nil {
			t.Error(err)
		}
		if holder := ptr.Deref(lease(t, client).Spec.HolderIdentity, ""); holder != "one" {
			t.Errorf("the Lease is %q's", holder)
		}
		stopOne()
		<-resultOne
	})
}

func TestMissingNamespaceNamesTheRemedy(t *testing.T) {
	client := fake.NewSimpleClientset()
	client.PrependReactor("create", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(corev1.Resource("namespaces"), namespace)
	})
	leases := observedLeases{LeasesGetter: client.CoordinationV1(), tenure: newTenure("one")}
	_, err := leases.Leases(namespace).Create(t.Context(), &coordinationv1.Lease{}, metav1.CreateOptions{})
	want := `namespaces "kubedirector" not found: create the namespace (kubectl create namespace kubedirector) or name another with --leader-elect-namespace`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAlways(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	worked := false
	err := Always{}.Run(ctx, func(ctx context.Context) error {
		worked = Always{}.Holds() == nil
		stop()
		<-ctx.Done()
		return nil
	})
	if err != nil || !worked {
		t.Errorf("error %v, worked %t", err, worked)
	}
}
