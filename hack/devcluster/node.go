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
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

//go:embed config
var configFiles embed.FS

// render fills in a file of the config folder.
func render(name string, values any) (string, error) {
	t, err := template.ParseFS(configFiles, "config/"+name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Option("missingkey=error").Execute(&b, values); err != nil {
		return "", err
	}
	return b.String(), nil
}

// nodeValues are what the configuration of a node is made from.
type nodeValues struct {
	Name, Address, PodRange, Cgroup, CNIConfig, CNIPlugins, PauseImage, ClusterCA, DNS, ClusterDomain, ResolvConf string
}

// nodeMounts are the folders of a node that it sees instead of the machine's. They outlive a stop of the node, like
// the disk of a machine.
var nodeMounts = map[string]string{
	"containerd": "/var/lib/containerd",
	"kubelet":    "/var/lib/kubelet",
	"cni":        "/var/lib/cni",
	"log":        "/var/log",
}

// startNode starts node number i unless it runs, and returns when its containerd answers.
func (c *cluster) startNode(i int) error {
	name := nodeName(i)
	running, err := c.running(name)
	if err != nil {
		return err
	}
	if len(running) > 0 && nodeInit(running) == 0 {
		// An init that was killed takes all with it, but a debugger's or a user's process may still hold on.
		if err := c.kill(name); err != nil {
			return err
		}
		running = nil
	}
	if len(running) == 0 {
		if err := c.removeCgroup(name); err != nil {
			return err
		}
		if err := c.configureNode(i); err != nil {
			return err
		}
		self, err := os.Executable()
		if err != nil {
			return err
		}
		err = c.start(daemon{
			role: name, path: self, args: []string{"node-init", c.dir, name, nodeAddress(i), c.binary("kubelet")},
			log:        c.path("logs", name+".log"),
			cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		})
		if err != nil {
			return err
		}
	}
	return poll(30*time.Second, "containerd of "+name+" (log: "+c.path("nodes", name, "log", "containerd.log")+")", func() error {
		_, err := c.ctr(name, "version")
		return err
	})
}

// configureNode writes the node's configuration and makes its folders and its cgroup.
func (c *cluster) configureNode(i int) error {
	name := nodeName(i)
	dir := c.path("nodes", name)
	for folder, target := range nodeMounts {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return err
		}
		if err := c.makeMountPoint(target); err != nil {
			return err
		}
	}
	plugins, err := cniPlugins()
	if err != nil {
		return err
	}
	values := nodeValues{
		Name: name, Address: nodeAddress(i), PodRange: podRange(i),
		Cgroup:    "/" + c.cgroup() + "/" + name,
		CNIConfig: filepath.Join(dir, "net.d"), CNIPlugins: plugins,
		PauseImage: pauseImage,
		ClusterCA:  filepath.Join(c.pki(), "ca.crt"),
		DNS:        machineAddress, ClusterDomain: clusterDomain,
		ResolvConf: c.path("resolv.conf"),
	}
	for file, path := range map[string]string{
		"containerd.toml": filepath.Join(dir, "containerd.toml"),
		"kubelet.yaml":    filepath.Join(dir, "kubelet.yaml"),
		"cni.conflist":    filepath.Join(dir, "net.d", "10-devcluster.conflist"),
	} {
		content, err := render(file, values)
		if err != nil {
			return err
		}
		if err := writeFile(path, content); err != nil {
			return err
		}
	}
	return c.makeCgroup(name)
}

// makeMountPoint makes a folder that a private mount needs on the machine, and remembers what it made.
func (c *cluster) makeMountPoint(path string) error {
	var missing []string
	for p := path; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); err == nil {
			break
		}
		missing = append(missing, p)
	}
	if len(missing) == 0 {
		return nil
	}
	// Innermost first: the order in which they can be removed.
	c.state.MountPoints = append(missing, c.state.MountPoints...)
	if err := c.save(); err != nil {
		return err
	}
	return os.MkdirAll(path, 0o755)
}

// stopNode cuts the node's power: its init is killed and the kernel ends all that runs in its namespaces.
func (c *cluster) stopNode(name string) error {
	if err := c.kill(name); err != nil {
		return err
	}
	return c.removeCgroup(name)
}

// nodeInit returns the node's first process, which alone of its processes has two PIDs: ours and 1.
func nodeInit(ps []process) int {
	for _, p := range ps {
		if p.init {
			return p.pid
		}
	}
	return 0
}

// ctr runs containerd's client on a node. The socket lies in the node's private /run.
func (c *cluster) ctr(node string, args ...string) (string, error) {
	ps, err := c.running(node)
	if err != nil {
		return "", err
	}
	pid := nodeInit(ps)
	if pid == 0 {
		return "", fmt.Errorf("%s does not run (log: %s)", node, c.path("logs", node+".log"))
	}
	socket := fmt.Sprintf("/proc/%d/root/run/containerd/containerd.sock", pid)
	return run("ctr", append([]string{"--address", socket, "--namespace", "k8s.io"}, args...)...)
}

// cniPlugins returns the folder of the CNI plugins, which distributions place differently.
func cniPlugins() (string, error) {
	for _, dir := range cniPluginDirs {
		if _, err := os.Stat(filepath.Join(dir, "ptp")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no CNI plugins in %s", strings.Join(cniPluginDirs, " or "))
}

var cniPluginDirs = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}
