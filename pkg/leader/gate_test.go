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
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

var errPaused = errors.New("paused")

// recordingServer notes what reaches it.
func recordingServer(t *testing.T) (base string, seen func() []string) {
	t.Helper()
	requests := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Method + " " + r.URL.Path
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		var all []string
		for {
			select {
			case request := <-requests:
				all = append(all, request)
			default:
				return all
			}
		}
	}
}

func TestGate(t *testing.T) {
	const (
		pod      = "/api/v1/namespaces/a/pods/p"
		app      = "/apis/kubedirector.bluedata.io/v1alpha1/namespaces/a/kubedirectorapps"
		reviews  = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
		prefixed = "/clusters/c-1/api/v1/namespaces/a/pods/p"
	)
	for _, test := range []struct {
		method, path string
		whileClosed  bool // reaches the server although the gate is closed
	}{
		{http.MethodGet, pod, true},
		{http.MethodHead, pod, true},
		{http.MethodOptions, pod, true},
		{http.MethodGet, pod + "/log", true},
		{http.MethodGet, "/apis", true},
		{http.MethodGet, "/api/v1/namespaces/pods/services/exec", true},
		{http.MethodGet, "/api/v1/namespaces/a/configmaps/exec", true},
		{http.MethodPost, reviews, true},
		{http.MethodPost, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", true},
		{http.MethodPost, "/apis/authentication.k8s.io/v1/selfsubjectreviews", true},

		{http.MethodPost, app, false},
		{http.MethodPut, app + "/x/status", false},
		{http.MethodPatch, app + "/x", false},
		{http.MethodDelete, app + "/x", false},
		{http.MethodDelete, app, false},
		{http.MethodPost, "/api/v1/namespaces/a/events", false},
		{http.MethodPut, "/apis/coordination.k8s.io/v1/namespaces/a/leases/kubedirector", false},
		{http.MethodPost, "/apis/authorization.k8s.io/v1/namespaces/a/localsubjectaccessreviews", false},
		{"PURGE", pod, false},
		{http.MethodPost, pod + "/exec", false},
		{http.MethodGet, pod + "/exec", false},
		{http.MethodGet, pod + "/attach", false},
		{http.MethodGet, pod + "/portforward", false},
		{http.MethodGet, pod + "/proxy/a/b", false},
		{http.MethodGet, prefixed + "/exec", false},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			base, seen := recordingServer(t)
			for _, held := range []error{nil, errPaused} {
				client := &http.Client{Transport: NewGate(func() error { return held }).Wrap(http.DefaultTransport)}
				request, err := http.NewRequestWithContext(t.Context(), test.method, base+test.path, http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				response, err := client.Do(request)
				if err == nil {
					response.Body.Close()
				}

				passes := held == nil || test.whileClosed
				if passes != (err == nil) {
					t.Errorf("Lease: %v, got error %v, want to pass: %t", held, err, passes)
				}
				if !passes && (!errors.Is(err, ErrNotLeader) || !errors.Is(err, errPaused)) {
					t.Errorf("got %v, want ErrNotLeader and why", err)
				}
				if got := seen(); passes != (len(got) == 1) {
					t.Errorf("Lease: %v, the server saw %v, want to pass: %t", held, got, passes)
				}
			}
		})
	}
}

// closeCounter is a request body.
type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestRefusedRequestsBodyIsClosed(t *testing.T) {
	body := &closeCounter{Reader: strings.NewReader("{}")}
	request := httptest.NewRequest(http.MethodPost, "/api/v1/namespaces", body)
	transport := NewGate(func() error { return errPaused }).Wrap(http.DefaultTransport)
	if _, err := transport.RoundTrip(request); !errors.Is(err, ErrNotLeader) {
		t.Fatalf("got %v, want ErrNotLeader", err)
	}
	if body.closed != 1 {
		t.Errorf("closed %d times, want once", body.closed)
	}
}

// TestExecPassesTheGate holds client-go to wrapping the transports that upgrade a connection, too.
func TestExecPassesTheGate(t *testing.T) {
	executors := map[string]func(*rest.Config, *url.URL) (remotecommand.Executor, error){
		"WebSocket": func(c *rest.Config, u *url.URL) (remotecommand.Executor, error) {
			return remotecommand.NewWebSocketExecutor(c, http.MethodGet, u.String())
		},
		"SPDY": func(c *rest.Config, u *url.URL) (remotecommand.Executor, error) {
			return remotecommand.NewSPDYExecutor(c, http.MethodPost, u)
		},
	}
	for name, newExecutor := range executors {
		t.Run(name, func(t *testing.T) {
			base, seen := recordingServer(t)
			target, err := url.Parse(base + "/api/v1/namespaces/a/pods/p/exec")
			if err != nil {
				t.Fatal(err)
			}
			for _, held := range []error{nil, errPaused} {
				config := &rest.Config{Host: base}
				config.Wrap(NewGate(func() error { return held }).Wrap)
				executor, err := newExecutor(config, target)
				if err != nil {
					t.Fatal(err)
				}
				err = executor.StreamWithContext(context.Background(), remotecommand.StreamOptions{Stdout: io.Discard})
				if err == nil {
					t.Fatal("the server refuses every upgrade, and yet there was none refused")
				}
				reached := slices.ContainsFunc(seen(), func(request string) bool { return strings.HasSuffix(request, "/exec") })
				if reached != (held == nil) {
					t.Errorf("Lease: %v, the server was reached: %t, error: %v", held, reached, err)
				}
				if held != nil && !strings.Contains(err.Error(), ErrNotLeader.Error()) {
					t.Errorf("got %v, want it to say %q", err, ErrNotLeader)
				}
			}
		})
	}
}
