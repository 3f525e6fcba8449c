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
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/component-base/metrics/legacyregistry"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // registers the metrics of client-go: requests, queues, leader election
	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/guest"
)

// disabled is the address at which nothing is served.
const disabled = "0"

// serve answers at the address of a flag until ctx ends. It fails when the address cannot be had.
func serve(ctx context.Context, flag, address string, handler http.Handler) error {
	if address == disabled {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--%s: %w: name another, port 0 for any free one, or \"0\" for none", flag, err)
	}
	klog.FromContext(ctx).Info("Serving", "flag", flag, "address", listener.Addr().String())
	serveOn(ctx, listener, handler)
	return nil
}

func serveOn(ctx context.Context, listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // the process ends, and nobody waits for this
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			klog.FromContext(ctx).Error(err, "No longer serving", "address", listener.Addr().String())
		}
	}()
}

func metricsHandler() http.Handler {
	guest.Register()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", legacyregistry.Handler())
	return mux
}

// healthHandler answers whether the process lives and whether it could lead.
func healthHandler(alive, ready func(*http.Request) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", check(alive))
	mux.Handle("GET /readyz", check(ready))
	return mux
}

func check(passes func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := passes(r); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}
