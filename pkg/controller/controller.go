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

package controller

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

const (
	// The delays after failures of one key.
	minRetry, maxRetry = time.Second, time.Minute
	// The delays after looks at a cache that was not up to date.
	minLookAgain, maxLookAgain = 5 * time.Millisecond, time.Second
	// drainGrace is how long reconciliations in progress may go on after Run is told to stop.
	drainGrace = 3 * time.Second
)

// Sync reconciles one object. It asks to be called again after a while, or with
// 0 not before something happens. An error has it called again with back-off.
type Sync func(ctx context.Context, key cache.ObjectName) (again time.Duration, err error)

// Controller calls a Sync for the keys that events bring.
type Controller struct {
	name   string
	sync   Sync
	queue  workqueue.TypedRateLimitingInterface[cache.ObjectName]
	early  workqueue.TypedRateLimiter[cache.ObjectName]
	synced []cache.DoneChecker
}

// New makes a Controller. Its name is that of its queue in metrics, and of its kind of object in the log.
func New(name string, sync Sync) *Controller {
	return &Controller{
		name: name,
		sync: sync,
		queue: workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](minRetry, maxRetry),
			workqueue.TypedRateLimitingQueueConfig[cache.ObjectName]{Name: name}),
		early: workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](minLookAgain, maxLookAgain),
	}
}

// Add has a key reconciled.
func (c *Controller) Add(key cache.ObjectName) { c.queue.Add(key) }

// AddAfter has a key reconciled after a while. Of several delays of a key the one that ends first counts.
func (c *Controller) AddAfter(key cache.ObjectName, delay time.Duration) {
	c.queue.AddAfter(key, delay)
}

// Run reconciles until ctx ends. It returns when the workers have; a
// reconciliation in progress is let finish, but not for long. A Controller runs once.
func (c *Controller) Run(ctx context.Context, workers int) {
	defer utilruntime.HandleCrashWithContext(ctx)
	logger := klog.LoggerWithValues(klog.FromContext(ctx), "controller", c.name)
	ctx = klog.NewContext(ctx, logger)
	working, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()

	var wg sync.WaitGroup
	defer func() {
		c.queue.ShutDown()
		late := time.AfterFunc(drainGrace, abort)
		defer late.Stop()
		wg.Wait()
		logger.Info("Stopped")
	}()
	if !cache.WaitFor(klog.NewContext(ctx, logger.V(2)), "caches", c.synced...) {
		return
	}
	logger.Info("Started", "workers", workers)
	for range workers {
		wg.Go(func() { c.runWorker(ctx, working) })
	}
	<-ctx.Done()
}

// runWorker takes keys until ctx ends; what it has begun goes on within working.
func (c *Controller) runWorker(ctx, working context.Context) {
	for {
		key, shutdown := c.queue.Get()
		if shutdown {
			return
		}
		if ctx.Err() == nil {
			c.processNextWorkItem(working, key)
		}
		c.queue.Done(key)
	}
}

func (c *Controller) processNextWorkItem(ctx context.Context, key cache.ObjectName) {
	logger := klog.LoggerWithValues(klog.FromContext(ctx), c.name, klog.KRef(key.Namespace, key.Name))
	ctx = klog.NewContext(ctx, logger)
	again, err := c.syncRecovered(ctx, key)
	switch {
	case err == nil:
		c.queue.Forget(key)
		c.early.Forget(key)
		if again > 0 {
			c.queue.AddAfter(key, again)
		}
	case tooEarly(err):
		staleRequeues.WithLabelValues(c.name).Inc()
		logger.V(4).Info("Looking again", "reason", err)
		c.queue.AddAfter(key, c.early.When(key))
	default:
		syncErrors.WithLabelValues(c.name).Inc()
		c.early.Forget(key)
		utilruntime.HandleErrorWithContext(ctx, err, "Reconciling failed; trying again")
		c.queue.AddRateLimited(key)
	}
}

// syncRecovered turns a panic into an error: one object that trips a bug must not stop the others.
func (c *Controller) syncRecovered(ctx context.Context, key cache.ObjectName) (again time.Duration, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			syncPanics.WithLabelValues(c.name).Inc()
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
	}()
	return c.sync(ctx, key)
}
