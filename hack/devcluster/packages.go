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
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tool is a command that the devcluster needs, and the Debian package that has it.
type tool struct{ command, pkg string }

var tools = []tool{
	{"containerd", "containerd"},
	{"ctr", "containerd"},
	{"runc", "runc"},
	{"ip", "iproute2"},
	{"nft", "nftables"},
	{"mount", "mount"},
}

// cniPackage has the CNI plugins, which are not in PATH.
const cniPackage = "containernetworking-plugins"

// dockerPackages exclude Debian's containerd, and an engine's firewall rules drop what the nodes forward.
var dockerPackages = []string{"containerd.io", "docker-ce", "docker.io", "moby-engine"}

// prepareMachine refuses machines that cannot run nodes, and installs what is missing.
func (c *cluster) prepareMachine() error {
	if os.Geteuid() != 0 {
		return errors.New("the devcluster's nodes need root: start it as root, or " + insteadOfDevcluster)
	}
	if engine := dockerEngine(); engine != "" {
		return fmt.Errorf("%s is installed, and its containerd and firewall rules would be in the way: %s", engine, insteadOfDevcluster)
	}
	var missing []string
	for _, t := range tools {
		if _, err := exec.LookPath(t.command); err != nil {
			missing = append(missing, t.pkg)
		}
	}
	if _, err := cniPlugins(); err != nil {
		missing = append(missing, cniPackage)
	}
	return c.installPackages(missing)
}

// dockerEngine returns the name of an installed container engine. A client without an engine does not count.
func dockerEngine() string {
	if path, err := exec.LookPath("dockerd"); err == nil {
		return path
	}
	for _, name := range dockerPackages {
		if packageInstalled(name) {
			return "package " + name
		}
	}
	return ""
}

func packageInstalled(name string) bool {
	status, err := run("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
	return err == nil && status == "installed"
}

// installPackages installs Debian packages without removing any and without starting a service.
func (c *cluster) installPackages(packages []string) error {
	if len(packages) == 0 {
		return nil
	}
	list := strings.Join(unique(packages), " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this machine lacks %s and has no apt-get: install the like of these packages, or %s", list, insteadOfDevcluster)
	}
	c.out.say("installing the Debian packages %s (no package is removed, no service is started)", list)
	restore, err := forbidServices(policyPath)
	if err != nil {
		return err
	}
	defer restore()
	if lists, _ := filepath.Glob("/var/lib/apt/lists/*_Packages*"); len(lists) == 0 {
		if err := c.apt("update"); err != nil {
			return err
		}
	}
	install := append([]string{"install", "--yes", "--no-remove", "--no-install-recommends"}, unique(packages)...)
	if err := c.apt(install...); err == nil {
		return nil
	}
	// The lists may be too old to fetch anything by.
	if err := c.apt("update"); err != nil {
		return err
	}
	return c.apt(install...)
}

func (c *cluster) apt(args ...string) error {
	cmd := exec.Command("apt-get", append([]string{"--quiet"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = c.out.w, c.out.w
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// policyPath is what Debian's packages ask whether they may start services.
const policyPath = "/usr/sbin/policy-rc.d"

// forbidServices makes packages start no service until the returned function is called, which puts the machine's own
// policy back if it had one.
func forbidServices(path string) (restore func(), err error) {
	saved := path + ".kubedirector-devcluster"
	switch err := os.Rename(path, saved); {
	case errors.Is(err, fs.ErrNotExist):
		saved = ""
	case err != nil:
		return nil, err
	}
	restore = func() {
		if saved != "" {
			_ = os.Rename(saved, path)
		} else {
			_ = os.Remove(path)
		}
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		restore()
		return nil, err
	}
	return restore, nil
}

func unique(names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			out = append(out, n)
		}
		seen[n] = true
	}
	return out
}
