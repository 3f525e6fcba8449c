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
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const machineSysctls = "/proc/sys"

// sysctls are what kubelet, kube-proxy and the network change on the machine. Down restores them.
var sysctls = []string{
	"kernel/keys/root_maxbytes",
	"kernel/keys/root_maxkeys",
	"kernel/panic",
	"kernel/panic_on_oops",
	"net/ipv4/ip_forward",
	"vm/overcommit_memory",
	"vm/panic_on_oom",
}

// setUpNetwork makes the bridge with the machine's and the nodes' addresses, the route to Services and the
// masquerading of pods that leave the machine. Every step may have been done before.
func (c *cluster) setUpNetwork() error {
	if err := c.rememberSysctls(); err != nil {
		return err
	}
	if err := checkAddresses(); err != nil {
		return err
	}
	if _, err := net.InterfaceByName(bridge); err != nil {
		if _, err := run("ip", "link", "add", bridge, "type", "bridge"); err != nil {
			return err
		}
	}
	commands := []string{
		"ip link set dev " + bridge + " up",
		"ip link set dev lo up",
		"ip address replace " + machineAddress + "/16 dev " + bridge,
		// Without a route the machine itself would not even send to a Service, and kube-proxy sees nothing to redirect.
		"ip route replace " + serviceRange + " dev " + bridge + " src " + machineAddress,
	}
	for i := 1; i <= c.state.Nodes; i++ {
		commands = append(commands, "ip address replace "+nodeAddress(i)+"/32 dev "+bridge)
	}
	for _, line := range commands {
		words := strings.Fields(line)
		if _, err := run(words[0], words[1:]...); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(machineSysctls, "net/ipv4/ip_forward"), []byte("1"), 0o644); err != nil {
		return err
	}
	_, err := runInput(natRules(), "nft", "-f", "-")
	return err
}

// natRules replaces the table in one transaction.
func natRules() string {
	return fmt.Sprintf(`table ip %[1]s
delete table ip %[1]s
table ip %[1]s {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr %[2]s ip daddr != { %[2]s, %[3]s } oifname != "lo" masquerade
	}
}
`, natTable, bridgeRange, serviceRange)
}

// checkAddresses refuses to start where another interface uses the devcluster's addresses.
func checkAddresses() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			return err
		}
		for _, a := range addresses {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				return err
			}
			for _, r := range ranges() {
				// Interfaces of pods that have not been collected yet carry our addresses as well.
				if r.Overlaps(p.Masked()) && i.Name != bridge && !isPodInterface(i.Name) {
					return fmt.Errorf("interface %s has address %s, which the devcluster's network %s needs: use a cluster of your own, kind or minikube instead", i.Name, p, r)
				}
			}
		}
	}
	return nil
}

// isPodInterface tells the machine's end of a pod's interface by the name that the ptp plugin gives it.
func isPodInterface(name string) bool { return strings.HasPrefix(name, "veth") }

func (c *cluster) rememberSysctls() error {
	if c.state.Sysctls != nil {
		return nil
	}
	values := map[string]string{}
	for _, name := range sysctls {
		raw, err := os.ReadFile(filepath.Join(machineSysctls, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		values[name] = strings.TrimSpace(string(raw))
	}
	c.state.Sysctls = values
	return c.save()
}

func (c *cluster) restoreSysctls() error {
	for name, value := range c.state.Sysctls {
		if err := os.WriteFile(filepath.Join(machineSysctls, name), []byte(value), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tearDownNetwork removes interfaces and rules, whether or not they are there.
func tearDownNetwork() error {
	if err := removePodInterfaces(); err != nil {
		return err
	}
	if _, err := net.InterfaceByName(bridge); err == nil {
		if _, err := run("ip", "link", "delete", "dev", bridge); err != nil {
			return err
		}
	}
	if _, err := exec.LookPath("nft"); err != nil {
		return nil // No rule was ever made.
	}
	var script strings.Builder
	for _, table := range []string{"ip " + natTable, "ip " + proxyTable, "ip6 " + proxyTable} {
		// Declared first, because nothing can delete a table only if it exists.
		fmt.Fprintf(&script, "table %s\ndelete table %s\n", table, table)
	}
	_, err := runInput(script.String(), "nft", "-f", "-")
	return err
}

// removePodInterfaces removes the machine's end of the pods' interfaces. The kernel does it too, some time after the
// last process of a pod is gone.
func removePodInterfaces() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil || !isPodInterface(i.Name) {
			continue // Gone in the meantime, or another's.
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && netip.MustParsePrefix(bridgeRange).Contains(p.Addr()) {
				if _, err := run("ip", "link", "delete", "dev", i.Name); err != nil && interfaceExists(i.Name) {
					return err
				}
				break
			}
		}
	}
	return nil
}

func interfaceExists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}
