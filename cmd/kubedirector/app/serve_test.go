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
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// get reads one page of a handler that is served for real.
func get(t *testing.T, handler http.Handler, path string) (status int, body string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t.Context(), listener, handler)
	response, err := http.Get("http://" + listener.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(page)
}

func TestHealth(t *testing.T) {
	var filled atomic.Bool
	var fault error
	handler := healthHandler(func(*http.Request) error { return fault }, readyOnce(&filled))

	for _, test := range []struct {
		path   string
		fault  error
		filled bool
		want   int
	}{
		{"/healthz", nil, false, http.StatusOK},
		{"/healthz", errors.New("the Lease is long over"), true, http.StatusServiceUnavailable},
		{"/readyz", nil, false, http.StatusServiceUnavailable},
		{"/readyz", nil, true, http.StatusOK},
		{"/", nil, true, http.StatusNotFound},
	} {
		fault = test.fault
		filled.Store(test.filled)
		status, body := get(t, handler, test.path)
		if status != test.want {
			t.Errorf("%s, fault %v, caches filled: %t: got %d, want %d", test.path, test.fault, test.filled, status, test.want)
		}
		if test.fault != nil && !strings.Contains(body, test.fault.Error()) {
			t.Errorf("%s does not say why: %q", test.path, body)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	err = serve(t.Context(), "metrics-address", taken.Addr().String(), metricsHandler())
	if err == nil {
		t.Fatal("no error for an address that is taken")
	}
	for _, want := range []string{"--metrics-address", taken.Addr().String(), "in use", "port 0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := serve(t.Context(), "metrics-address", disabled, nil); err != nil {
		t.Errorf("serving nothing failed: %v", err)
	}
}
