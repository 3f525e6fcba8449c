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

package agent

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/archive"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

const (
	testPod     = "6f1f2a52-0001-4c1e-9f53-1e5f3c6b8a10"
	testCluster = "0c0ffee0-0002-4c1e-9f53-1e5f3c6b8a10"
)

var contextOfTests = context.Background()

// testAgent is an agent on a directory. Its supervisor is the test binary.
func testAgent(root string) *Agent {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return &Agent{
		Root:        root,
		Getenv:      func(string) string { return testPod },
		Supervisor:  []string{executable, "supervise", root},
		Fetcher:     archive.Fetcher{Backoff: []time.Duration{0, 0}, Stall: time.Minute, Timeout: time.Minute},
		TermGrace:   200 * time.Millisecond,
		OutputCheck: time.Second,
		LockWait:    time.Minute,
	}
}

// container is a directory that looks like an application container.
type container struct {
	t    *testing.T
	root string
	*Agent
}

func newContainer(t *testing.T) *container {
	t.Helper()
	t.Setenv("KDGUEST_TEST_ROLE", "guest")
	c := &container{t: t, root: t.TempDir()}
	c.Agent = testAgent(c.root)
	c.restart(1)
	return c
}

// restart gives the container another incarnation; its volumes stay.
func (c *container) restart(n int) {
	c.t.Helper()
	c.write("proc/self/mountinfo", fmt.Sprintf(
		"1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 /var/lib/kubelet/pods/%s/containers/app/%08x /dev/termination-log rw - ext4 /dev/sda1 rw\n", testPod, n))
}

func (c *container) write(name, content string) {
	c.t.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c *container) remove(name string) {
	c.t.Helper()
	if err := os.Remove(filepath.Join(c.root, name)); err != nil {
		c.t.Fatal(err)
	}
}

// read returns a file's content, or "" when there is none.
func (c *container) read(name string) string {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(c.root, name))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	return string(content)
}

// eventually waits until the condition holds.
func (c *container) eventually(what string, condition func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			c.t.Fatalf("not within 30s: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// request is a complete one that runs configure with the given script, a
// shell text in which $HERE is the container's root directory.
func (c *container) request(script string) *protocol.Request {
	return &protocol.Request{
		ProtocolVersion:    protocol.Version,
		PodUID:             testPod,
		Leader:             protocol.Leader{LeaseUID: "lease", Epoch: 1},
		Cluster:            protocol.Cluster{UID: testCluster, Namespace: "default", Name: "demo"},
		NodeID:             1,
		Metadata:           json.RawMessage(`{"node":{"id":"1"}}`),
		MetadataGeneration: 1,
		Package:            c.scriptPackage(script),
		Event:              configure(1),
		MarkConfigured:     protocol.MarkAlways,
		FollowSeconds:      60,
	}
}

func configure(attempt int) *protocol.Event {
	return &protocol.Event{
		Name:           "configure",
		Args:           []string{"--configure"},
		Scope:          protocol.ScopeIncarnation,
		Generation:     1,
		Attempt:        attempt,
		TimeoutSeconds: 60,
		MaxOutputBytes: 1024,
	}
}

func (c *container) scriptPackage(script string) *protocol.Package {
	text := "#!/bin/sh\nHERE=" + c.root + "\n" + script + "\n"
	return &protocol.Package{Source: protocol.PackageInline, Bytes: tgz(c.t, tarFile("demo/startscript", text, 0o644))}
}

// apply sends a request and returns the result.
func (c *container) apply(req *protocol.Request) *protocol.Result {
	c.t.Helper()
	result, _ := c.applyRecords(req)
	return result
}

func (c *container) applyRecords(req *protocol.Request) (*protocol.Result, []protocol.Record) {
	c.t.Helper()
	raw, err := json.Marshal(req)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.applyRaw(raw)
}

func (c *container) applyRaw(raw []byte) (*protocol.Result, []protocol.Record) {
	c.t.Helper()
	var out bytes.Buffer
	if err := c.Apply(c.t.Context(), bytes.NewReader(raw), &out); err != nil {
		c.t.Fatalf("Apply: %v", err)
	}
	var records []protocol.Record
	result, err := protocol.ReadResult(&out, func(r protocol.Record) { records = append(records, r) })
	if err != nil {
		c.t.Fatalf("ReadResult: %v", err)
	}
	return result, records
}

// runs is how often the script has written a line to $HERE/runs.
func (c *container) runs() int { return strings.Count(c.read("runs"), "\n") }

func tarFile(name, content string, mode int64) tarEntry {
	return tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}, content}
}

type tarEntry struct {
	header  tar.Header
	content string
}

func tgz(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		if err := archive.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}
