//go:build real

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

package crash

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
	"k8s.io/utils/ptr"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/cmd/kubedirector/app"
	"github.com/bluek8s/kubedirector/pkg/config"
)

// endTime is how long a controller may take to end when it has died or was asked to.
const endTime = 20 * time.Second

// controller is one that serves a namespace, as a process would.
type controller struct {
	wire  *wire
	ended chan struct{}
	err   error
}

// startController starts one that knows nothing.
func startController(namespace string, log *log) (*controller, error) {
	settings := config.Default()
	settings.WatchNamespace, settings.SystemNamespace = namespace, namespace
	settings.HealthAddress, settings.MetricsAddress = "0", "0"
	// A machine with much to do must not be one more reason to end.
	settings.LeaderElection.LeaseDuration = metav1.Duration{Duration: 2 * time.Minute}
	settings.LeaderElection.RenewDeadline = metav1.Duration{Duration: 100 * time.Second}
	config.SetDerived(settings)

	text := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(log), textlogger.Verbosity(4)))
	ctx, exit := context.WithCancel(klog.NewContext(context.Background(), text))
	c := &controller{wire: &wire{exit: exit}, ended: make(chan struct{})}
	base := rest.CopyConfig(server.config)
	base.UserAgent = "kubedirector/" + namespace
	base.Wrap(c.wire.wrap)
	completed, err := app.CompleteOver(base, settings)
	if err != nil {
		exit()
		return nil, err
	}
	go func() {
		defer close(c.ended)
		defer exit()
		c.err = completed.Run(ctx)
	}()
	return c, nil
}

// stop ends a controller in order.
func (c *controller) stop() error {
	c.wire.exit()
	if err := c.wait(); err != nil {
		return err
	}
	return c.err
}

// wait waits for the end of a controller that has died or was asked to end.
func (c *controller) wait() error {
	select {
	case <-c.ended:
		return nil
	case <-time.After(endTime):
		return fmt.Errorf("the controller has not ended within %s", endTime)
	}
}

// expireLease ends the Lease of a controller that has died, for which the next one would wait.
func expireLease(ctx context.Context, namespace string) error {
	leases := server.kube.CoordinationV1().Leases(namespace)
	lease, err := leases.Get(ctx, config.Default().LeaderElection.ResourceName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	lease.Spec.HolderIdentity = ptr.To("")
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	return err
}

// log is what the controllers of a namespace say.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
