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
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// tool is a command that the devcluster needs, and the Debian package that has it.
type tool struct{ command, pkg string }

var tools = []tool{
	{"containerd", "containerd"},
	{"ctr", "containerd"},
	{"runc", "runc"},
	{"ip", "iproute2"},
	{"nft", "nftables"},
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
	if err := c.installPackages(missingPackages()); err != nil {
		return err
	}
	if still := missingPackages(); len(still) > 0 {
		return fmt.Errorf("the programs of %s are installed but not found: is /usr/sbin in PATH?", strings.Join(unique(still), " "))
	}
	return nil
}

// missingPackages returns the packages of what is not found on the machine.
func missingPackages() []string {
	var missing []string
	for _, t := range tools {
		if _, err := exec.LookPath(t.command); err != nil {
			missing = append(missing, t.pkg)
		}
	}
	if _, err := cniPlugins(); err != nil {
		missing = append(missing, cniPackage)
	}
	return missing
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
	packages = slices.DeleteFunc(unique(packages), packageInstalled)
	if len(packages) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("installing %s needs root: start this as root, or install them first", strings.Join(packages, " "))
	}
	list := strings.Join(packages, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this machine lacks %s and has no apt-get: install the like of these packages, or %s", list, insteadOfDevcluster)
	}
	c.out.say("installing the Debian packages %s (no package is removed, no service is started)", list)
	// An interrupt must not leave the machine with our policy: it stops apt-get, and this function ends as usual.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	restore, err := forbidServices(policyPath)
	if err != nil {
		return err
	}
	return errors.Join(c.aptInstall(ctx, packages), restore())
}

// aptInstall installs packages, with fresh package lists if there are none or the old ones do not do.
func (c *cluster) aptInstall(ctx context.Context, packages []string) error {
	install := append([]string{"install", "--yes", "--no-remove", "--no-install-recommends"}, packages...)
	if lists, _ := filepath.Glob("/var/lib/apt/lists/*_Packages*"); len(lists) > 0 {
		if err := c.apt(ctx, install...); err == nil || ctx.Err() != nil {
			return err
		}
	}
	if err := c.apt(ctx, "update"); err != nil {
		return err
	}
	return c.apt(ctx, install...)
}

func (c *cluster) apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"--quiet"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = c.out.w, c.out.w
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

func unique(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
