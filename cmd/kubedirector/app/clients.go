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
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/bluek8s/kubedirector/pkg/config"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
	"github.com/bluek8s/kubedirector/pkg/guest"
	"github.com/bluek8s/kubedirector/pkg/leader"
	"github.com/bluek8s/kubedirector/pkg/version"
)

// connection finds the cluster that is to be served. It never takes the
// cluster that kubectl happens to point at: outside a pod, one must be named.
func connection(c *config.ClientConnection) (*rest.Config, error) {
	restConfig, err := locate(c)
	if err != nil {
		return nil, err
	}
	restConfig.UserAgent = "kubedirector/" + version.Get()
	return restConfig, nil
}

func locate(c *config.ClientConnection) (*rest.Config, error) {
	if c.Kubeconfig == "" && c.Context == "" {
		restConfig, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, errors.New("no cluster is named and this is no pod: give --kubeconfig or --context")
		}
		return restConfig, err
	}
	files := clientcmd.NewDefaultClientConfigLoadingRules()
	files.ExplicitPath = c.Kubeconfig
	restConfig, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(files, &clientcmd.ConfigOverrides{CurrentContext: c.Context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig %q, --context %q: %w", c.Kubeconfig, c.Context, err)
	}
	return restConfig, nil
}

// clients reach the API server through the gate.
type clients struct {
	server       string
	kube         kubernetes.Interface
	kubeDirector versioned.Interface
	exec         guest.Executor
}

// newClients share one rate limit, so that the configured one is the whole controller's.
func newClients(base *rest.Config, c *config.ClientConnection, gate *leader.Gate) (*clients, error) {
	gated := rest.CopyConfig(base)
	gated.Wrap(gate.Wrap)
	gated.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(c.QPS, c.Burst)

	protobuf := rest.CopyConfig(gated)
	protobuf.ContentType = runtime.ContentTypeProtobuf
	protobuf.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	kube, err := kubernetes.NewForConfig(protobuf)
	if err != nil {
		return nil, err
	}
	kubeDirector, err := versioned.NewForConfig(gated)
	if err != nil {
		return nil, err
	}
	return &clients{
		server:       base.Host,
		kube:         kube,
		kubeDirector: kubeDirector,
		exec:         guest.NewPodExecutor(gated, kube.CoreV1().RESTClient()),
	}, nil
}

// newLeaseClient has neither the gate nor the others' rate limit before it, and
// gives up a request in time to try again before the renew deadline.
func newLeaseClient(base *rest.Config, renewDeadline time.Duration) (kubernetes.Interface, error) {
	own := rest.CopyConfig(base)
	own.Timeout = renewDeadline / 2
	own.UserAgent += "/leader-election"
	return kubernetes.NewForConfig(own)
}
