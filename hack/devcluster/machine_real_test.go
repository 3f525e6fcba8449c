//go:build linux

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
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The real tests need root and are asked for by realVariable. They run in network, mount and PID namespaces of their
// own, so that they neither see nor disturb a devcluster that runs on the machine, and nothing goes on running after
// them.
const (
	realVariable   = "KD_DEVCLUSTER_TEST"
	insideVariable = "KD_DEVCLUSTER_TEST_INSIDE"
)

// covered are the folders of the machine where up makes folders of its own. The tests see empty ones.
var covered = []string{"/run", "/tmp", "/var/lib"}

func TestMain(m *testing.M) {
	if os.Getenv(realVariable) == "" {
		os.Exit(m.Run())
	}
	if os.Getenv(insideVariable) != "" {
		if err := enter(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	// go test's own log of what a test reads would lie below a cover.
	args := slices.DeleteFunc(os.Args[1:], func(a string) bool { return strings.HasPrefix(a, "-test.testlogfile=") })
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), insideVariable+"=yes")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	runtime.LockOSThread() // Pdeathsig comes when the thread ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "real tests:", err)
		os.Exit(1)
	}
}

// enter covers the folders, but for the checkout and the user's cache, which may lie in one of them.
func enter() error {
	working, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := findRoot(working)
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	kept := []string{root}
	if cache, err := os.UserCacheDir(); err == nil {
		kept = append(kept, cache)
	}
	for _, dir := range covered {
		if err := cover(dir, kept); err != nil {
			return err
		}
	}
	// The working directory still is the one below the cover.
	if err := os.Chdir(working); err != nil {
		return err
	}
	_, err = run("ip", "link", "set", "dev", "lo", "up")
	return err
}

func cover(dir string, kept []string) error {
	open := map[string]*os.File{}
	for _, path := range kept {
		if !strings.HasPrefix(path, dir+"/") {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		open[path] = f
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=1777"); err != nil {
		return fmt.Errorf("covering %s: %w", dir, err)
	}
	for path, f := range open {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("keeping %s: %w", path, err)
		}
	}
	return nil
}

// testProgram is the built program, and the folder of the devcluster that it is told to use.
type testProgram struct {
	t    *testing.T
	path string
	dir  string
}

func newTestProgram(t *testing.T) *testProgram {
	t.Helper()
	if os.Getenv(realVariable) == "" {
		t.Skipf("it starts a real cluster, as root: set %s=1", realVariable)
	}
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := findRoot(working)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, ".cache", "devcluster-test")
	p := &testProgram{t: t, path: filepath.Join(folder, "devcluster"), dir: filepath.Join(folder, "cluster")}
	if _, err := run("go", "build", "-o", p.path, "."); err != nil {
		t.Fatal(err)
	}
	p.must("down") // What an interrupted test left.
	t.Cleanup(func() {
		p.must("down")
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *testProgram) command(args ...string) *exec.Cmd {
	return exec.Command(p.path, append([]string{"--dir", p.dir}, args...)...)
}

// must runs a command of the program that has to succeed, and returns its standard output.
func (p *testProgram) must(args ...string) string {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		p.t.Fatalf("devcluster %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// fails runs a command that must fail, and returns what it says.
func (p *testProgram) fails(cmd *exec.Cmd) string {
	p.t.Helper()
	output, err := cmd.CombinedOutput()
	if err == nil {
		p.t.Fatalf("%v succeeded:\n%s", cmd.Args, output)
	}
	return string(output)
}

func (p *testProgram) cluster() *cluster {
	p.t.Helper()
	working, err := os.Getwd()
	if err != nil {
		p.t.Fatal(err)
	}
	root, err := findRoot(working)
	if err != nil {
		p.t.Fatal(err)
	}
	return &cluster{root: root, dir: p.dir, bin: filepath.Join(root, ".cache", "bin"), out: progress{os.Stderr}}
}

func (p *testProgram) kubectl(args ...string) string {
	p.t.Helper()
	out, err := p.cluster().kubectl("", args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}
