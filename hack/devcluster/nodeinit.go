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
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runNodeInit is the first process of a node, in a new PID and mount namespace. It never returns but on failure.
func runNodeInit(dir, name, address, kubeletPath string) error {
	node := filepath.Join(dir, "nodes", name)
	if err := mountNode(dir, node); err != nil {
		return err
	}
	containerd := &service{
		name: "containerd", log: filepath.Join(node, "log", "containerd.log"),
		args: []string{"containerd", "--config", filepath.Join(node, "containerd.toml")},
	}
	kubelet := &service{
		name: "kubelet", log: filepath.Join(node, "log", "kubelet.log"),
		args: []string{
			kubeletPath,
			"--config=" + filepath.Join(node, "kubelet.yaml"),
			"--kubeconfig=" + filepath.Join(dir, internalKubeconfig),
			"--hostname-override=" + name,
			"--node-ip=" + address,
		},
	}
	if err := containerd.start(); err != nil {
		return err
	}
	if err := poll(30*time.Second, "containerd's socket", func() error {
		_, err := os.Stat("/run/containerd/containerd.sock")
		return err
	}); err != nil {
		return err
	}
	if err := kubelet.start(); err != nil {
		return err
	}
	if err := openVolumes(filepath.Join(dir, "volumes")); err != nil {
		return err
	}
	return supervise(containerd, kubelet)
}

// mountNode gives the node its own /proc, /run, folders of nodeMounts and the volumes. The mounts are shared within
// the node, so that containers see what the kubelet mounts, and private to it.
func mountNode(dir, node string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the node's mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mounting /run: %w", err)
	}
	binds := map[string]string{filepath.Join(dir, "volumes"): hostPathVolumes}
	for folder, target := range nodeMounts {
		binds[filepath.Join(node, folder)] = target
	}
	for source, target := range binds {
		if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting %s at %s: %w", source, target, err)
		}
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
}

// runWithVolumes replaces this process, which has a mount namespace of its own, by a command that sees the
// devcluster's volumes where the host-path provisioner makes them.
func runWithVolumes(dir string, command []string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount(filepath.Join(dir, "volumes"), hostPathVolumes, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	return syscall.Exec(command[0], command, os.Environ())
}

// service is a process that the node's init keeps running.
type service struct {
	name string
	args []string
	log  string
	pid  int
}

func (s *service) start() error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	path, err := exec.LookPath(s.args[0])
	if err != nil {
		return err
	}
	// Not os/exec, whose Wait would compete with the init's own wait for all children.
	p, err := os.StartProcess(path, s.args, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{nil, log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", s.name, err)
	}
	s.pid = p.Pid
	return nil
}

// supervise reaps all processes that end in the node, and starts a service again that has ended.
func supervise(services ...*service) error {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("waiting for the node's processes: %w", err)
		}
		for _, s := range services {
			if s.pid != pid {
				continue
			}
			fmt.Printf("%s %s ended (%v): starting it again\n", time.Now().Format(time.RFC3339), s.name, status)
			// Not at once: a service that cannot start must not keep the machine busy.
			time.Sleep(time.Second)
			if err := s.start(); err != nil {
				return err
			}
		}
	}
}
