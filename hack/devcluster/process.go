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
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Every process of a devcluster carries these in its environment and hands them down to its children.
const (
	ownerVariable = "KUBEDIRECTOR_DEVCLUSTER"
	roleVariable  = "KUBEDIRECTOR_DEVCLUSTER_ROLE"
)

// process is a running process of a devcluster.
type process struct {
	pid   int
	owner string // the devcluster's folder
	role  string // "control-plane", "node-1", "kube-proxy", ...
	name  string // of the binary
	// init is set for the first process of a PID namespace just below ours, which is that of a node.
	init bool
	// network tells the process's network namespace from others.
	network string
}

// daemon describes a process that outlives this program.
type daemon struct {
	role string
	path string
	args []string
	log  string
	// cloneflags are new namespaces for the process.
	cloneflags uintptr
}

// start runs the daemon detached, in a session of its own, its output appended to its log.
func (c *cluster) start(d daemon) error {
	log, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(d.path, d.args...)
	cmd.Dir = c.dir
	cmd.Env = c.environ(d.role)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: d.cloneflags}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", d.role, err)
	}
	return cmd.Process.Release()
}

// environ is the environment of a process of this devcluster. KUBECONFIG is dropped: it names the user's cluster.
func (c *cluster) environ(role string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KUBECONFIG=") && !strings.HasPrefix(e, ownerVariable) {
			env = append(env, e)
		}
	}
	return append(env, ownerVariable+"="+c.dir, roleVariable+"="+role)
}

// processes returns the running processes of all devclusters on the machine, except this program's own.
func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// A process may end at any moment, and a zombie has no environment: both are as good as gone.
		environ, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err != nil {
			continue
		}
		if p, ok := parseProcess(pid, string(environ)); ok {
			found = append(found, p)
		}
	}
	return found, nil
}

func parseProcess(pid int, environ string) (process, bool) {
	p := process{pid: pid}
	for v := range strings.SplitSeq(environ, "\x00") {
		switch name, value, _ := strings.Cut(v, "="); name {
		case ownerVariable:
			p.owner = value
		case roleVariable:
			p.role = value
		}
	}
	if p.owner == "" {
		return p, false
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil {
		p.name = strings.TrimSuffix(filepath.Base(exe), " (deleted)")
	}
	p.network, _ = os.Readlink(filepath.Join(dir, "ns", "net"))
	status, _ := os.ReadFile(filepath.Join(dir, "status"))
	for line := range strings.SplitSeq(string(status), "\n") {
		// One number per namespace, ours first.
		if rest, ok := strings.CutPrefix(line, "NSpid:"); ok {
			pids := strings.Fields(rest)
			p.init = len(pids) == 2 && pids[1] == "1"
		}
	}
	return p, true
}

// running returns this devcluster's processes of a role; all of them if role is empty.
func (c *cluster) running(role string) ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	var own []process
	for _, p := range all {
		if p.owner == c.dir && (role == "" || p.role == role) {
			own = append(own, p)
		}
	}
	return own, nil
}

// kill ends all processes of a role (of every role if it is empty) and returns when they are gone.
func (c *cluster) kill(role string) error {
	return poll(30*time.Second, "the end of the processes of "+c.dir, func() error {
		ps, err := c.running(role)
		if err != nil {
			return err
		}
		for _, p := range ps {
			if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("killing %s (pid %d): %w", p.name, p.pid, err)
			}
		}
		if len(ps) > 0 {
			return fmt.Errorf("%s (pid %d) is still there", ps[0].name, ps[0].pid)
		}
		return nil
	})
}
