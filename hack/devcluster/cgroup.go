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
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// cgroup is the name of the devcluster's group below the root of each hierarchy. Two devclusters in two network
// namespaces share the hierarchies, so the name is made from the folder.
func (c *cluster) cgroup() string {
	sum := sha256.Sum256([]byte(c.dir))
	return fmt.Sprintf("devcluster-%x", sum[:4])
}

// hierarchy is a mounted cgroup hierarchy.
type hierarchy struct {
	mount string
	v2    bool
	// cpuset hierarchies (v1) give a new group no CPU and no memory until it is told.
	cpuset bool
}

// hierarchies returns one hierarchy on a machine with cgroup v2, many with v1, and both kinds on a hybrid one.
func hierarchies() ([]hierarchy, error) {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var found []hierarchy
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 4 || (fields[2] != "cgroup" && fields[2] != "cgroup2") {
			continue
		}
		h := hierarchy{mount: fields[1], v2: fields[2] == "cgroup2"}
		for option := range strings.SplitSeq(fields[3], ",") {
			h.cpuset = h.cpuset || (option == "cpuset" && !h.v2)
		}
		found = append(found, h)
	}
	if len(found) == 0 {
		return nil, errors.New("no cgroup hierarchy is mounted: mount cgroup2 at /sys/fs/cgroup")
	}
	return found, nil
}

// makeCgroup makes the group of a node in every hierarchy. The kubelets share the machine's hierarchies, and each
// kills what it does not know below its root: so each needs a root of its own.
func (c *cluster) makeCgroup(node string) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		group := h.mount
		for _, name := range []string{c.cgroup(), node} {
			parent := group
			group = filepath.Join(group, name)
			if h.v2 {
				if err := delegateControllers(parent); err != nil {
					return err
				}
			}
			if err := os.Mkdir(group, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			if h.cpuset {
				if err := inheritCPUSet(parent, group); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// delegateControllers lets the children of a v2 group use all controllers that the group has.
func delegateControllers(group string) error {
	raw, err := os.ReadFile(filepath.Join(group, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for controller := range strings.FieldsSeq(string(raw)) {
		if err := os.WriteFile(filepath.Join(group, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("delegating cgroup controller %s of %s: %w", controller, group, err)
		}
	}
	return nil
}

func inheritCPUSet(parent, group string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		raw, err := os.ReadFile(filepath.Join(parent, file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(group, file), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// removeCgroup removes the group of a node (of all nodes if it is empty), after the node's processes were killed.
func (c *cluster) removeCgroup(node string) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		top := filepath.Join(h.mount, c.cgroup(), node)
		if err := poll(20*time.Second, "the end of cgroup "+top, func() error { return removeGroups(top) }); err != nil {
			return err
		}
	}
	return nil
}

// removeGroups removes a group with all below it, the innermost first; processes that are still in are killed.
func removeGroups(top string) error {
	var groups []string
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			groups = append(groups, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := len(groups) - 1; i >= 0; i-- {
		if err := syscall.Rmdir(groups[i]); err != nil && !errors.Is(err, syscall.ENOENT) {
			killMembers(groups[i])
			return fmt.Errorf("removing %s: %w", groups[i], err)
		}
	}
	return nil
}

// killMembers kills the processes in a group. The caller tries again to remove it, so no error matters here.
func killMembers(group string) {
	raw, _ := os.ReadFile(filepath.Join(group, "cgroup.procs"))
	for field := range strings.FieldsSeq(string(raw)) {
		var pid int
		if _, err := fmt.Sscan(field, &pid); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
