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
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	controlPlaneRole = "control-plane"
	// etcd, API server, controller manager, scheduler.
	controlPlaneSize = 4
	// The kubeconfig of what runs on the bridge; the user's names the loopback address.
	internalKubeconfig = "kubeconfig-internal"
)

// kwokDir is where kwokctl keeps the control plane: certificates, etcd's files, logs, pids.
func (c *cluster) kwokDir() string { return c.path("kwok", "clusters", clusterName) }

func (c *cluster) pki() string { return filepath.Join(c.kwokDir(), "pki") }

// startControlPlane starts etcd, API server, controller manager and scheduler, as far as they do not run.
func (c *cluster) startControlPlane() error {
	running, err := c.running(controlPlaneRole)
	if err != nil {
		return err
	}
	if !c.state.ControlPlaneCreated {
		// Half of one is of no use, and holds nothing yet.
		if err := c.kill(controlPlaneRole); err != nil {
			return err
		}
		if err := c.createControlPlane(); err != nil {
			return err
		}
		c.state.ControlPlaneCreated = true
		return c.save()
	}
	if len(running) < controlPlaneSize {
		// kwokctl believes its pid files, but after a kill or a reboot a number may be another process's.
		if err := c.kill(controlPlaneRole); err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(c.kwokDir(), "pids")); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(c.kwokDir(), "pids"), 0o755); err != nil {
			return err
		}
		if err := c.kwokctl("start", "cluster", "--name", clusterName); err != nil {
			return err
		}
	}
	return poll(60*time.Second, "the API server (logs: "+filepath.Join(c.kwokDir(), "logs")+")", func() error {
		_, err := c.kubectl("", "get", "--raw", "/readyz")
		return err
	})
}

func (c *cluster) createControlPlane() error {
	if err := os.RemoveAll(c.path("kwok")); err != nil {
		return err
	}
	if c.state.APIServerPort == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		c.state.APIServerPort = port
	}
	policy, err := render("audit-policy.yaml", nil)
	if err != nil {
		return err
	}
	if err := writeFile(c.path("audit", "policy.yaml"), policy); err != nil {
		return err
	}
	config, err := render("kwokctl.yaml", map[string]any{
		"Port": c.state.APIServerPort, "Bin": c.bin, "PKI": c.pki(), "Nodes": c.state.Nodes,
		"Address": machineAddress, "KubernetesService": kubernetesService, "ServiceRange": serviceRange,
		"AuditPolicy": c.path("audit", "policy.yaml"), "AuditLog": c.auditLog(),
	})
	if err != nil {
		return err
	}
	if err := writeFile(c.path("kwokctl.yaml"), config); err != nil {
		return err
	}
	err = c.kwokctl("create", "cluster", "--name", clusterName, "--config", c.path("kwokctl.yaml"),
		"--kubeconfig", c.path("kwok", "kubeconfig"), "--wait", "60s")
	if err != nil {
		return err
	}
	if err := c.writeKubeconfig(c.kubeconfig(), "127.0.0.1"); err != nil {
		return err
	}
	return c.writeKubeconfig(c.path(internalKubeconfig), machineAddress)
}

// kwokctl runs in a mount namespace where the devcluster's volumes are at the place that the host-path provisioner
// has for them as a constant; what it starts inherits that, and the environment that marks our processes.
func (c *cluster) kwokctl(args ...string) error {
	command := append([]string{c.binary("kwokctl")}, args...)
	attr := &syscall.SysProcAttr{Setsid: true}
	if !c.state.ControlPlaneOnly {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		command = append([]string{self, "with-volumes", c.dir}, command...)
		attr.Cloneflags = syscall.CLONE_NEWNS
	}
	log, err := os.OpenFile(c.path("logs", "kwokctl.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(c.environ(controlPlaneRole), "KWOK_WORKDIR="+c.path("kwok"), "KWOK_KUBE_VERSION="+kubernetesVersion)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kwokctl %s (log: %s): %w", args[0], log.Name(), err)
	}
	return nil
}

// writeKubeconfig writes the administrator's access, complete in itself.
func (c *cluster) writeKubeconfig(path, host string) error {
	values := map[string]string{
		"Name":   clusterName,
		"Server": net.JoinHostPort(host, fmt.Sprint(c.state.APIServerPort)),
	}
	for key, file := range map[string]string{"CA": "ca.crt", "Certificate": "admin.crt", "Key": "admin.key"} {
		raw, err := os.ReadFile(filepath.Join(c.pki(), file))
		if err != nil {
			return err
		}
		values[key] = base64.StdEncoding.EncodeToString(raw)
	}
	content, err := render("kubeconfig.yaml", values)
	if err != nil {
		return err
	}
	return writeFile(path, content)
}

// freePort returns a port for the API server. The preferred one lies below the ports of outgoing connections, one of
// which might hold it when the API server starts again.
func freePort() (int, error) {
	const preferred = 26443
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", preferred))
	if err != nil {
		l, err = net.Listen("tcp", ":0")
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// kubectl runs kubectl as administrator of the devcluster.
func (c *cluster) kubectl(stdin string, args ...string) (string, error) {
	return runInput(stdin, c.binary("kubectl"), append([]string{"--kubeconfig", c.kubeconfig(), "--request-timeout=10s"}, args...)...)
}
