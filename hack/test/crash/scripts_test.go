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
	"io"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// exec runs a command in a member's container until it ends or ctx does.
func exec(ctx context.Context, namespace, pod string, out io.Writer, command ...string) error {
	url := server.kube.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: names.ContainerName, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewWebSocketExecutor(server.config, "GET", url.String())
	if err != nil {
		return err
	}
	var complaints bytes.Buffer
	quiet := klog.NewContext(ctx, klog.New(nil)) // the error says that the stream was cut
	if err := executor.StreamWithContext(quiet, remotecommand.StreamOptions{Stdout: out, Stderr: &complaints}); err != nil {
		return fmt.Errorf("%s: %s: %w: %s", pod, strings.Join(command, " "), err, complaints.String())
	}
	return nil
}

// scriptsOf are the calls of a member's script.
func scriptsOf(ctx context.Context, namespace, pod string) ([]string, error) {
	var out bytes.Buffer
	if err := exec(ctx, namespace, pod, &out, "cat", eventsFile); err != nil {
		return nil, err
	}
	return lines(out.String()), nil
}

// witness reads the calls of a member's script as they come, until the member
// is gone. It lets go of the scripts after which a container ends.
type witness struct {
	namespace, pod string
	ctx            context.Context
	stop           context.CancelFunc

	mu  sync.Mutex
	saw bytes.Buffer
}

func watchScripts(namespace, pod string) *witness {
	w := &witness{namespace: namespace, pod: pod}
	w.ctx, w.stop = context.WithCancel(context.Background())
	go func() {
		// It ends with the member's container, which is no error.
		_ = exec(w.ctx, namespace, pod, w, "tail", "--lines=+1", "--follow=name", eventsFile)
	}()
	return w
}

func (w *witness) Write(p []byte) (int, error) {
	for _, event := range []v1alpha1.LifecycleEvent{v1alpha1.EventDecommission, v1alpha1.EventDelete} {
		if bytes.Contains(p, []byte("--"+event)) {
			go w.letGo(event)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.saw.Write(p)
}

// letGo ends the sleep that untilSeen asks for.
func (w *witness) letGo(event v1alpha1.LifecycleEvent) {
	command := fmt.Sprintf("echo 0 >/var/lib/testapp/%s.sleep", event)
	for w.ctx.Err() == nil && exec(w.ctx, w.namespace, w.pod, io.Discard, "sh", "-c", command) != nil {
		time.Sleep(interval)
	}
}

// calls are those seen so far.
func (w *witness) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return lines(w.saw.String())
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
