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
