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

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kdguest-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, protocol.Binary)
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building kdguest: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := buildOnce(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// binary is kdguest as it is delivered: static.
func binary(t *testing.T) string {
	t.Helper()
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEveryCommandHasHelp(t *testing.T) {
	calls := [][]string{{"kdguest", "--help"}, {"kdguest", "help"}}
	for _, c := range commands() {
		calls = append(calls, []string{"kdguest", c.name, "--help"})
	}
	for _, name := range protocol.ToolNames {
		calls = append(calls, []string{"/opt/kubedirector/" + name, "--help"})
	}
	for _, args := range calls {
		var stdout, stderr bytes.Buffer
		code := run(args, stdio{strings.NewReader(""), &stdout, &stderr})
		if code != 0 || !strings.Contains(stdout.String(), "Usage:") || stderr.Len() > 0 {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, code, stdout.String(), stderr.String())
		}
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{"kdguest"}, {"kdguest", "dance"}, {"kdguest", "apply", "surprise"}, {"kdguest", "supervise"}, {"kdguest", "install", "--nowhere"}} {
		var stdout, stderr bytes.Buffer
		if code := run(args, stdio{strings.NewReader(""), &stdout, &stderr}); code != 2 || stderr.Len() == 0 {
			t.Errorf("%q: exit %d, stderr %q", args, code, stderr.String())
		}
	}
}

// scratch is the root of an image that holds nothing but the guest and what
// the kubelet mounts.
type scratch struct {
	*testing.T
	root string
	// user runs what is run in it.
	user uint32
}

func newScratch(t *testing.T, user uint32) *scratch {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("chroot needs root")
		}
		t.Skip("chroot needs root")
	}
	s := &scratch{t, t.TempDir(), user}
	// TempDir's parents are private to root.
	for dir := s.root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		s.must(os.Chmod(dir, 0o755))
	}
	if out, err := exec.Command(binary(t), "install", "--dir", filepath.Join(s.root, protocol.MountBin)).CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	for _, dir := range []string{protocol.MountMeta, protocol.MountPackage, protocol.MountState} {
		s.must(os.MkdirAll(filepath.Join(s.root, dir), 0o755))
		s.must(os.Chmod(filepath.Join(s.root, dir), 0o777))
	}
	// Every container runtime gives a /dev/null and a /proc.
	null := filepath.Join(s.root, "dev/null")
	s.must(os.Mkdir(filepath.Dir(null), 0o755))
	s.must(syscall.Mknod(null, syscall.S_IFCHR|0o666, 1<<8|3))
	s.must(os.Chmod(null, 0o666))
	proc := filepath.Join(s.root, "proc")
	s.must(os.Mkdir(proc, 0o755))
	s.must(syscall.Mount("proc", proc, "proc", 0, ""))
	t.Cleanup(func() { syscall.Unmount(proc, 0) })
	return s
}

func (s *scratch) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// command runs a program of the image inside it.
func (s *scratch) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(protocol.MountBin, name), args...)
	cmd.Dir = "/"
	cmd.Env = []string{protocol.EnvPodUID + "=pod"}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     s.root,
		Credential: &syscall.Credential{Uid: s.user, Gid: s.user},
	}
	return cmd
}

// request runs the guest itself as the startscript, for there is no shell.
func (s *scratch) request(args ...string) []byte {
	s.Helper()
	guest, err := os.ReadFile(binary(s.T))
	s.must(err)
	raw, err := json.Marshal(&protocol.Request{
		ProtocolVersion:    protocol.Version,
		PodUID:             "pod",
		Cluster:            protocol.Cluster{UID: "cluster", Namespace: "default", Name: "demo"},
		NodeID:             1,
		Metadata:           json.RawMessage(`{"node":{"role_id":"worker"}}`),
		MetadataGeneration: 1,
		Package:            &protocol.Package{Source: protocol.PackageInline, Bytes: tgz(s.T, "demo/startscript", guest)},
		Event: &protocol.Event{Name: "configure", Args: args, Scope: protocol.ScopeIncarnation,
			Attempt: 1, TimeoutSeconds: 60, MaxOutputBytes: 1024},
		MarkConfigured: protocol.MarkAlways,
		FollowSeconds:  60,
	})
	s.must(err)
	return raw
}

func tgz(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(zipped)
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// TestImageWithNothing drives the whole guest where there is neither shell
// nor writable root, as root and as another user.
func TestImageWithNothing(t *testing.T) {
	for _, user := range []uint32{0, 1000} {
		t.Run(fmt.Sprint("uid ", user), func(t *testing.T) {
			s := newScratch(t, user)
			if out, err := s.command("kdguest", "configured", "--wait", "0").CombinedOutput(); err == nil {
				t.Fatalf("configured before it was: %s", out)
			}
			apply := s.command("kdguest", "apply")
			apply.Stdin = bytes.NewReader(s.request("configcli", "--get", "node.role_id"))
			out, err := apply.Output()
			s.must(err)
			result, err := protocol.ReadResult(bytes.NewReader(out), nil)
			s.must(err)
			if e := result.Event; e == nil || e.State != protocol.EventSucceeded || e.StdoutTail != "worker\n" || !result.Configured {
				t.Fatalf("answer %s", out)
			}
			if out, err := s.command("kdguest", "configured").CombinedOutput(); err != nil {
				t.Errorf("configured: %v, %s", err, out)
			}
			for _, name := range protocol.ToolNames[:4] {
				if out, err := s.command(name, "--get", "node.role_id").CombinedOutput(); err != nil || string(out) != "worker\n" {
					t.Errorf("%s: %v, %s", name, err, out)
				}
			}
		})
	}
}

// TestListenerThatGoesAway closes the answer's reader before the request is
// sent: the work is finished all the same.
func TestListenerThatGoesAway(t *testing.T) {
	s := newScratch(t, 0)
	apply := s.command("kdguest", "apply")
	apply.Stdin = bytes.NewReader(s.request("configcli", "--get", "node.role_id"))
	reader, writer, err := os.Pipe()
	s.must(err)
	apply.Stdout = writer
	s.must(reader.Close())
	s.must(apply.Start())
	s.must(writer.Close())
	if err := apply.Wait(); apply.ProcessState.ExitCode() != 1 {
		t.Errorf("an answer that nobody can read: %v", err)
	}
	if out, err := s.command("kdguest", "configured").CombinedOutput(); err != nil {
		t.Errorf("configured: %v, %s", err, out)
	}
}

// TestScriptInheritsNoIgnoredSignal: a script whose writes to a closed pipe
// did not end it would behave unlike anywhere else.
func TestScriptInheritsNoIgnoredSignal(t *testing.T) {
	s := newScratch(t, 0)
	request := s.request()
	var req protocol.Request
	s.must(json.Unmarshal(request, &req))
	req.Package.Bytes = tgz(t, "demo/startscript", []byte("#!/bin/sh\nexec grep SigIgn /proc/self/status\n"))
	raw, err := json.Marshal(&req)
	s.must(err)
	apply := exec.Command(binary(t), "apply", "--root", s.root)
	apply.Env = append(os.Environ(), protocol.EnvPodUID+"=pod")
	apply.Stdin = bytes.NewReader(raw)
	out, err := apply.Output()
	s.must(err)
	result, err := protocol.ReadResult(bytes.NewReader(out), nil)
	s.must(err)
	if result.Event == nil {
		t.Fatalf("answer %s", out)
	}
	var ignored uint64
	if _, err := fmt.Sscanf(result.Event.StdoutTail, "SigIgn: %x", &ignored); err != nil {
		t.Fatalf("answer %s: %v", out, err)
	}
	// Those from 32 on are the C library's own; what runs the test may have left them ignored.
	const named = 1<<31 - 1
	if ignored&named != 0 {
		t.Errorf("the script ignores signals: mask %x", ignored)
	}
}

func TestInstallMayBeRepeated(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		var stdout, stderr bytes.Buffer
		if code := run([]string{"kdguest", "install", "--dir", dir}, stdio{nil, &stdout, &stderr}); code != 0 {
			t.Fatalf("exit %d, %s", code, stderr.String())
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1+len(protocol.ToolNames) {
		t.Errorf("installed: %v, %v", entries, err)
	}
	for _, name := range protocol.ToolNames {
		if target, err := os.Readlink(filepath.Join(dir, name)); target != protocol.Binary {
			t.Errorf("%s links to %q, %v", name, target, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, protocol.Binary)); err != nil || info.Mode() != 0o755 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
