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

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// answering is an API server that has nothing, or refuses to say.
func answering(t *testing.T, status int) (kubeconfig string, asked <-chan struct{}) {
	t.Helper()
	once := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(metav1.Status{ // a client that has gone does not read it
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
			Status:   metav1.StatusFailure,
			Code:     int32(status),
			Reason:   map[int]metav1.StatusReason{http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusUnauthorized: metav1.StatusReasonUnauthorized}[status],
		})
		select {
		case once <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(server.Close)
	return writeKubeconfig(t, server.URL), once
}

func TestStopsWhileItWaits(t *testing.T) {
	kubeconfig, asked := answering(t, http.StatusNotFound)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-asked
		stop()
	}()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, []string{"--kubeconfig", kubeconfig, "--health-address=127.0.0.1:0", "--metrics-address=127.0.0.1:0"}, &stdout, &stderr)
	if code != exitOK || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q; being stopped is no fault", code, stderr.String())
	}
}

func TestRefusedCredentials(t *testing.T) {
	kubeconfig, _ := answering(t, http.StatusUnauthorized)
	code, _, stderr := runMain(t, "--kubeconfig", kubeconfig, "--health-address=0", "--metrics-address=0")
	if code != exitFailed || !strings.Contains(stderr, "refuses these credentials") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// TestWaitForAPI: definitions may be applied after the controller has started.
func TestWaitForAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		api := &fake.FakeDiscovery{Fake: &clienttesting.Fake{}}
		api.PrependReactor("get", "resource", func(clienttesting.Action) (bool, runtime.Object, error) {
			if asked++; asked == 3 {
				api.Resources = []*metav1.APIResourceList{{GroupVersion: v1alpha1.SchemeGroupVersion.String()}}
			}
			if asked == 2 {
				return true, nil, apierrors.NewServiceUnavailable("restarting")
			}
			return false, nil, nil
		})
		if err := waitForAPI(t.Context(), api); err != nil {
			t.Error(err)
		}
		if asked != 3 {
			t.Errorf("asked %d times, want until the answer is there: 3", asked)
		}
	})
}

func TestDropManagedFields(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}}}}
	for range 2 { // client-go may call a transform again on its own result
		got, err := dropManagedFields(pod)
		if err != nil || got != any(pod) || pod.ManagedFields != nil || pod.Name != "p" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if got, err := dropManagedFields("tombstone"); got != any("tombstone") || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
