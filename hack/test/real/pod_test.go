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

package real

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// exec runs a command in a member's container and returns what it wrote.
func (f *fixture) exec(pod string, command ...string) string {
	f.Helper()
	out, err := f.tryExec(f.Context(), pod, command...)
	if err != nil {
		f.Fatalf("%s: %s: %v: %s", pod, strings.Join(command, " "), err, out)
	}
	return out
}

func (f *fixture) tryExec(ctx context.Context, pod string, command ...string) (string, error) {
	url := server.kube.CoreV1().RESTClient().Post().Namespace(f.namespace).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: names.ContainerName, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewWebSocketExecutor(server.config, "GET", url.String())
	if err != nil {
		return "", err
	}
	var out, complaints bytes.Buffer
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &complaints}); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, complaints.String())
	}
	return out.String(), nil
}

func (f *fixture) pod(name string) *corev1.Pod {
	f.Helper()
	pod, err := f.tryPod(f.Context(), name)
	if err != nil {
		f.Fatal(err)
	}
	return pod
}

func (f *fixture) tryPod(ctx context.Context, name string) (*corev1.Pod, error) {
	return server.kube.CoreV1().Pods(f.namespace).Get(ctx, name, metav1.GetOptions{})
}

// deletePod deletes a pod, as kubectl delete --wait=false does.
func (f *fixture) deletePod(name string) {
	f.Helper()
	if err := server.kube.CoreV1().Pods(f.namespace).Delete(f.Context(), name, metav1.DeleteOptions{}); err != nil {
		f.Fatal(err)
	}
}

// untilAnotherPod waits until a pod of the same name has taken the place of one.
func (f *fixture) untilAnotherPod(than *corev1.Pod) {
	f.Helper()
	f.eventually(patience, "another pod "+than.Name, func(ctx context.Context) (bool, string) {
		now, err := f.tryPod(ctx, than.Name)
		return err == nil && now.UID != than.UID, "the old one is still there, or none"
	})
}

// killContainer ends the first process of a member's container, and returns
// once the kubelet knows.
func (f *fixture) killContainer(pod string) {
	f.Helper()
	before := containerID(f.pod(pod))
	// The exec ends with the container; how is of no interest.
	f.tryExec(f.Context(), pod, "sh", "-c", "kill 1")
	f.eventually(patience, "the container of "+pod+" is another one", func(ctx context.Context) (bool, string) {
		now, err := f.tryPod(ctx, pod)
		if err != nil {
			return false, err.Error()
		}
		id := containerID(now)
		return id != "" && id != before, string(now.Status.Phase)
	})
}

// containerID is the running application container; empty when none runs.
func containerID(pod *corev1.Pod) string {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == names.ContainerName && c.State.Running != nil {
			return c.ContainerID
		}
	}
	return ""
}

// lines are the lines of a text, the last of which may have no end.
func lines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
