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

package guests

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// fixture is one pod in a bubble.
type fixture struct {
	testing.TB
	*Guests
	pod        *corev1.Pod
	containers int
	ended      []*Script
}

// inBubble runs a test with a pod whose first container runs.
func inBubble(t *testing.T, claim types.UID, test func(*fixture)) {
	dir := inMemory(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, dir)
		defer f.Close()
		f.startPod("pod-1", claim)
		test(f)
	})
}

func newFixture(t testing.TB, dir string) *fixture {
	f := &fixture{TB: t, Guests: New(dir)}
	f.OnEnd(func(s *Script) { f.ended = append(f.ended, s) })
	return f
}

// inMemory is a directory of a test, in memory where the machine has that.
func inMemory(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "guests-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startPod starts the first container of a pod of the one name there is.
func (f *fixture) startPod(uid, claim types.UID) {
	f.pod = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c-worker-0", UID: uid}}
	mounts := []corev1.VolumeMount{{Name: "state", MountPath: protocol.MountState}}
	if claim != "" {
		mounts = append(mounts, corev1.VolumeMount{Name: "data", MountPath: protocol.MountVolumeState})
	}
	f.pod.Spec.Containers = []corev1.Container{{Name: "app", VolumeMounts: mounts}}
	f.startContainer(claim)
}

func (f *fixture) startContainer(claim types.UID) {
	f.containers++
	f.ContainerStarts(f.pod, fmt.Sprintf("containerd://%d", f.containers), map[string]types.UID{"data": claim})
}

// request asks for --configure and follows it for a second.
func (f *fixture) request() *protocol.Request {
	scope, volume := protocol.ScopeIncarnation, ""
	if c := f.in(f.pod.UID); c != nil && c.claim != "" {
		scope, volume = protocol.ScopeNode, protocol.MountVolumeState
	}
	return &protocol.Request{
		ProtocolVersion:    protocol.Version,
		PodUID:             string(f.pod.UID),
		Cluster:            protocol.Cluster{UID: "cluster-1", Namespace: "ns", Name: "c"},
		NodeID:             1,
		VolumeDir:          volume,
		Metadata:           json.RawMessage(`{"version":"1"}`),
		MetadataGeneration: 3,
		Package:            &protocol.Package{Source: protocol.PackageInline, Bytes: packageOf("#!/bin/sh\n")},
		Event: &protocol.Event{Name: "configure", Args: []string{"--configure"}, Scope: scope,
			Attempt: 1, TimeoutSeconds: 60, MaxOutputBytes: 1024},
		MarkConfigured: protocol.MarkAlways,
		FollowSeconds:  1,
	}
}

// result is how an exec ended.
type result struct {
	*protocol.Result
	err error
}

// send sends a request, and comes to rest.
func (f *fixture) send(ctx context.Context, request *protocol.Request) <-chan result {
	raw, err := json.Marshal(request)
	if err != nil {
		f.Fatal(err)
	}
	ended := make(chan result, 1)
	go func() {
		var answer bytes.Buffer
		to := plan.Container{Pod: types.NamespacedName{Namespace: f.pod.Namespace, Name: f.pod.Name}}
		if err := f.Apply(ctx, to, raw, &answer); err != nil {
			ended <- result{err: err}
			return
		}
		r, err := protocol.ReadResult(&answer, func(protocol.Record) {})
		ended <- result{Result: r, err: err}
	}()
	synctest.Wait()
	return ended
}

// ask sends a request and waits for its result.
func (f *fixture) ask(request *protocol.Request) *protocol.Result {
	f.Helper()
	r := <-f.send(context.Background(), request)
	if r.err != nil {
		f.Fatal(r.err)
	}
	return r.Result
}

// one is the only script that runs.
func (f *fixture) one() *Script {
	f.Helper()
	running := f.Running()
	if len(running) != 1 {
		f.Fatalf("%d scripts run, want 1", len(running))
	}
	return running[0]
}

func (f *fixture) wantEvent(r *protocol.Result, state protocol.EventState, attempt int) {
	f.Helper()
	if r.Refusal != nil || r.Fault != nil || r.Event == nil {
		f.Fatalf("refusal %+v, fault %+v, event %+v", r.Refusal, r.Fault, r.Event)
	}
	if r.Event.State != state || r.Event.Attempt != attempt {
		f.Errorf("the event is %s in attempt %d, want %s in attempt %d", r.Event.State, r.Event.Attempt, state, attempt)
	}
}

// wantScripts checks how many were ever started.
func (f *fixture) wantScripts(n int) {
	f.Helper()
	if f.scripts != n {
		f.Errorf("%d scripts were started, want %d", f.scripts, n)
	}
}

func (f *fixture) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func packageOf(script string) []byte {
	var content bytes.Buffer
	zipped := gzip.NewWriter(&content)
	archive := tar.NewWriter(zipped)
	// Writing to memory does not fail.
	_ = archive.WriteHeader(&tar.Header{Name: "app/" + protocol.StartScript, Mode: 0o755, Size: int64(len(script)), Typeflag: tar.TypeReg})
	_, _ = archive.Write([]byte(script))
	archive.Close()
	zipped.Close()
	return content.Bytes()
}
