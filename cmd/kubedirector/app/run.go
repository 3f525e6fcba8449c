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
	"net/http"
	"sync/atomic"

	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/version"
)

// leadership decides who works; leader.Elector is one, and leader.Always.
type leadership interface {
	Holds() error
	Leader() (leaseUID string, epoch int64)
	Healthy(*http.Request) error
	Run(ctx context.Context, work func(context.Context) error) error
}

// Run runs the controller until ctx ends: it waits for the API, fills its
// caches, waits for leadership, works. It returns nil when it was asked to stop and has stopped.
func (c CompletedConfig) Run(ctx context.Context) error {
	logger := klog.FromContext(ctx)
	logger.Info("Starting", "version", version.Get(), "server", c.clients.server)

	// Whoever watches the process, or waits for its caches, may do so until it has ended.
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()

	var filled atomic.Bool
	if err := serve(background, "metrics-address", c.settings.MetricsAddress, metricsHandler()); err != nil {
		return err
	}
	if err := serve(background, "health-address", c.settings.HealthAddress, healthHandler(c.leadership.Healthy, readyOnce(&filled))); err != nil {
		return err
	}

	if err := waitForAPI(ctx, c.clients.kubeDirector.Discovery()); err != nil {
		return stopped(ctx, err)
	}
	caches := newFactories(c.clients, c.settings.WatchNamespace, c.settings.SystemNamespace)
	w, err := newWork(background, c, caches)
	if err != nil {
		return err
	}
	caches.start(background)
	if err := caches.waitForSync(ctx); err != nil {
		return stopped(ctx, err)
	}
	filled.Store(true)
	logger.Info("Caches are filled")

	err = c.leadership.Run(ctx, w.do)
	if err == nil {
		logger.Info("Stopped")
	}
	return err
}

// readyOnce is ready once the caches are filled: from then on this process can lead.
func readyOnce(filled *atomic.Bool) func(*http.Request) error {
	return func(*http.Request) error {
		if !filled.Load() {
			return errors.New("the caches are not filled yet")
		}
		return nil
	}
}

// stopped is nil when err came of being asked to stop.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
