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

package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// Executor brings a request to the guest in a container and its answer back.
// It returns when the exec is over or ctx is; answer may be written to for a
// moment longer. That ctx ended means nothing for the work in the container.
type Executor interface {
	Apply(ctx context.Context, container plan.Container, request []byte, answer io.Writer) error
}

// maxStderr is how much is kept of what the guest itself complains about.
const maxStderr = 2 << 10

// command is the guest's in every container.
var command = []string{path.Join(protocol.MountBin, protocol.Binary), "apply"}

// PodExecutor is the Executor of a real cluster: pods/exec over WebSocket, and
// over SPDY where a server or a proxy in between does not do that.
type PodExecutor struct {
	config *rest.Config
	client rest.Interface
}

var _ Executor = &PodExecutor{}

// NewPodExecutor makes a PodExecutor. The client is that of the core group.
func NewPodExecutor(config *rest.Config, client rest.Interface) *PodExecutor {
	return &PodExecutor{config: config, client: client}
}

// Apply implements Executor.
func (e *PodExecutor) Apply(ctx context.Context, container plan.Container, request []byte, answer io.Writer) error {
	stream, err := e.dial(container)
	if err != nil {
		return err
	}
	complaints := &head{limit: maxStderr}
	// Each of a stream's channels would log that it was cut; the error says so once.
	quiet := klog.NewContext(ctx, klog.New(nil))
	err = stream.StreamWithContext(quiet, remotecommand.StreamOptions{
		Stdin:  bytes.NewReader(request),
		Stdout: answer,
		// Unread, a full stderr would stop the guest.
		Stderr: complaints,
	})
	if failure := (*httpstream.UpgradeFailureError)(nil); errors.As(err, &failure) {
		err = failure.Cause // which it does not unwrap to
	}
	if text := complaints.String(); err != nil && text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}

// dial makes a stream that is not yet connected. Streams can't be used twice.
func (e *PodExecutor) dial(container plan.Container) (remotecommand.Executor, error) {
	url := e.client.Post().
		Resource("pods").
		Namespace(container.Pod.Namespace).
		Name(container.Pod.Name).
		SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: names.ContainerName,
			Command:   command,
			Stdin:     true,
			Stdout:    true,
			Stderr:    true,
		}, scheme.ParameterCodec).URL()
	// WebSocket requests are GET by RFC 6455.
	webSocket, err := remotecommand.NewWebSocketExecutor(e.config, "GET", url.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(e.config, "POST", url)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(webSocket, spdy, notServed)
}

// notServed is true when WebSocket itself may be what is refused. A pod that is
// gone or forbidden is not there for SPDY either, which moreover says so in plain text only.
func notServed(err error) bool {
	var failure *httpstream.UpgradeFailureError
	if !errors.As(err, &failure) {
		return httpstream.IsHTTPSProxyError(err)
	}
	cause := failure.Cause
	return !apierrors.IsNotFound(cause) && !apierrors.IsForbidden(cause) && !apierrors.IsUnauthorized(cause)
}

// head keeps the beginning of what is written to it, and takes the rest. A
// stream may still write when the one who reads has gone on, hence the lock.
type head struct {
	limit int

	mu   sync.Mutex
	kept []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, p[:min(len(p), h.limit-len(h.kept))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return protocol.CleanText(bytes.TrimSpace(h.kept), h.limit)
}
