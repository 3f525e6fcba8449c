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
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

// TestTakesOverInTime lets a leader end without a word, each time a little later
// after it was first seen: another leads within the lease duration and a second.
func TestTakesOverInTime(t *testing.T) {
	for after := range 10 {
		synctest.Test(t, func(t *testing.T) {
			client := fake.NewSimpleClientset()
			renewByAnother(t, client)
			ctx, stop := context.WithCancel(t.Context())
			e := newElector(t, client, "one")
			result := run(ctx, e)
			time.Sleep(time.Duration(after) * 170 * time.Millisecond)
			renewed := renewByAnother(t, client)

			time.Sleep(15*time.Second - 1)
			if e.Holds() == nil {
				t.Errorf("took the Lease %s after its renewal", time.Since(renewed))
			}
			time.Sleep(time.Second)
			if err := e.Holds(); err != nil {
				t.Errorf("%s after the renewal: %v", time.Since(renewed), err)
			}
			stop()
			<-result
		})
	}
}

// renewByAnother has another leader renew its Lease, or make it.
func renewByAnother(t *testing.T, client *fake.Clientset) time.Time {
	t.Helper()
	now := time.Now()
	held := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: leaseName},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity:       ptr.To("another"),
			LeaseDurationSeconds: ptr.To[int32](15),
			RenewTime:            &metav1.MicroTime{Time: now},
		},
	}
	leases := client.CoordinationV1().Leases(namespace)
	_, err := leases.Create(t.Context(), held, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = leases.Update(t.Context(), held, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// TestRenewsOncePerPeriod: who looks often must not write often.
func TestRenewsOncePerPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewSimpleClientset()
		ctx, stop := context.WithCancel(t.Context())
		result := run(ctx, newElector(t, client, "one"))
		time.Sleep(time.Second)
		client.ClearActions()
		time.Sleep(10 * time.Minute)
		if sent := len(client.Actions()); sent < 270 || sent > 300 {
			t.Errorf("%d requests in 10 minutes; with a retry period of 2 s want one each, and none left out", sent)
		}
		stop()
		<-result
	})
}

// TestTriesOncePerPeriod: an API server in trouble is not asked more often for it.
func TestTriesOncePerPeriod(t *testing.T) {
	for _, verb := range []string{"get", "create"} {
		synctest.Test(t, func(t *testing.T) {
			client, server := newTroubled(verb)
			server.begin(func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewInternalError(errors.New("etcd is away"))
			})
			ctx, stop := context.WithCancel(t.Context())
			result := run(ctx, newElector(t, client, "one"))
			time.Sleep(time.Minute)
			tries := 0
			for _, action := range client.Actions() {
				if action.GetVerb() == verb {
					tries++
				}
			}
			if tries < 20 || tries > 31 {
				t.Errorf("%s: %d tries in a minute; with a retry period of 2 s want 30 at most, and not many less", verb, tries)
			}
			stop()
			<-result
		})
	}
}

// TestStopsInsideARequest: a request for the Lease that is under way when the
// process is asked to stop is carried through, and the Lease is given back.
func TestStopsInsideARequest(t *testing.T) {
	// The Lease is made in the first second; it is renewed from the third on, as that was 2 s after it was asked for.
	for verb, into := range map[string]time.Duration{"create": 500 * time.Millisecond, "update": 2500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			client := fake.NewSimpleClientset()
			slow := slowLeases{LeasesGetter: client.CoordinationV1()}
			e, err := New(Config{
				Client: slow, Namespace: namespace, Name: leaseName, Identity: "one",
				LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			result := run(ctx, e)
			time.Sleep(into)
			stop()
			if err := <-result; err != nil {
				t.Errorf("stopped inside %s with %v", verb, err)
			}
			if holder := ptr.Deref(lease(t, client).Spec.HolderIdentity, ""); holder != "" {
				t.Errorf("stopped inside %s, and the Lease is still %q's", verb, holder)
			}
		})
	}
}

// slowLeases takes a second for each write, and gives up one whose context ends.
type slowLeases struct {
	coordinationclient.LeasesGetter
}

func (s slowLeases) Leases(namespace string) coordinationclient.LeaseInterface {
	return slowLease{s.LeasesGetter.Leases(namespace)}
}

type slowLease struct {
	coordinationclient.LeaseInterface
}

func (s slowLease) Create(ctx context.Context, made *coordinationv1.Lease, opts metav1.CreateOptions) (*coordinationv1.Lease, error) {
	stored, err := s.LeaseInterface.Create(ctx, made, opts)
	return afterASecond(ctx, stored, err)
}

func (s slowLease) Update(ctx context.Context, changed *coordinationv1.Lease, opts metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	stored, err := s.LeaseInterface.Update(ctx, changed, opts)
	return afterASecond(ctx, stored, err)
}

// afterASecond answers late: what was stored is stored, whether or not the answer is waited for.
func afterASecond(ctx context.Context, stored *coordinationv1.Lease, err error) (*coordinationv1.Lease, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
		return stored, err
	}
}
