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
	"slices"
	"strings"
)

// upOptions are what a user may choose for a new devcluster.
type upOptions struct {
	nodes            int
	controlPlaneOnly bool
}

// up brings the devcluster to the state in which everything runs, whatever of it there is already.
func (c *cluster) up(o upOptions) error {
	exists, err := c.load()
	if err != nil {
		return err
	}
	if err := c.choose(exists, o); err != nil {
		return err
	}
	if !exists {
		if err := c.refuseForeignFolder(); err != nil {
			return err
		}
	}
	if !c.state.ControlPlaneOnly {
		if err := c.refuseSecond(); err != nil {
			return err
		}
		if err := c.prepareMachine(); err != nil {
			return err
		}
	}
	if err := c.build(); err != nil {
		return err
	}
	if err := c.save(); err != nil {
		return err
	}
	for _, folder := range []string{"logs", "audit", "volumes", "nodes"} {
		if err := os.MkdirAll(c.path(folder), 0o755); err != nil {
			return err
		}
	}
	if err := c.startAll(); err != nil {
		return err
	}
	c.out.say("ready; kubeconfig: %s", c.kubeconfig())
	c.out.say("try: %s --kubeconfig %s get nodes", c.binary("kubectl"), c.kubeconfig())
	return nil
}

// refuseForeignFolder stops at a folder with files of somebody else, which down would remove.
func (c *cluster) refuseForeignFolder() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), stateFile) {
			return fmt.Errorf("%s holds files that are not a devcluster's: choose another --dir", c.dir)
		}
	}
	return nil
}

// choose settles what the devcluster consists of. One that exists keeps what it has.
func (c *cluster) choose(exists bool, o upOptions) error {
	if o.nodes < 1 || o.nodes > maxNodes {
		return fmt.Errorf("--nodes=%d: between 1 and %d nodes are possible", o.nodes, maxNodes)
	}
	wanted := o.nodes
	if o.controlPlaneOnly {
		wanted = 0
	}
	if !exists {
		c.state.Nodes, c.state.ControlPlaneOnly = wanted, o.controlPlaneOnly
		return nil
	}
	if c.state.ControlPlaneOnly != o.controlPlaneOnly || c.state.Nodes > wanted {
		return fmt.Errorf("there is a devcluster with %d nodes in %s, %d are wanted: take it down first (devcluster down)", c.state.Nodes, c.dir, wanted)
	}
	c.state.Nodes = wanted
	return nil
}

// part is a part of the devcluster whose start does nothing if it runs.
type part struct {
	what  string
	start func() error
}

// startAll starts the parts in the order in which they need each other.
func (c *cluster) startAll() error {
	parts := []part{
		{"setting up the network", c.setUpNetwork},
		{"making the folder of volumes", func() error { return c.makeMountPoint(hostPathVolumes) }},
		{"starting the control plane", c.startControlPlane},
		{"starting the nodes", c.startNodes},
		{"starting service proxy and DNS", c.startServices},
		{"making the StorageClass", c.applyStorageClass},
		{"waiting for nodes, DNS and Services", c.waitReady},
	}
	if c.state.ControlPlaneOnly {
		parts = []part{{"starting the control plane", c.startControlPlane}}
	}
	for _, p := range parts {
		if err := c.out.step(p.what, p.start); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) startNodes() error {
	// Pods that leave their DNS to the node get the machine's, whatever /run/systemd says inside the node.
	resolvers, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := writeFile(c.path("resolv.conf"), string(resolvers)); err != nil {
		return err
	}
	for i := 1; i <= c.state.Nodes; i++ {
		if err := c.startNode(i); err != nil {
			return err
		}
		if err := c.importPause(nodeName(i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) startServices() error {
	if err := c.startProxy(); err != nil {
		return err
	}
	return c.startDNS()
}

// refuseSecond stops where another devcluster runs: two would share kube-proxy's nft table, whose name is a constant.
func (c *cluster) refuseSecond() error {
	other, err := c.otherOwner()
	if err != nil {
		return err
	}
	if other != "" {
		return fmt.Errorf("a devcluster runs on this machine already, in %s: use that one or take it down there", other)
	}
	return nil
}

// otherOwner returns the folder of another devcluster with nodes that runs in this network namespace. A machine
// usually has one such namespace.
func (c *cluster) otherOwner() (string, error) {
	network, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return "", err
	}
	others, err := c.otherNodes()
	if err != nil {
		return "", err
	}
	for _, p := range others {
		if p.network == network {
			return p.owner, nil
		}
	}
	return "", nil
}

// otherNodes returns the first processes of the nodes of all other devclusters on the machine.
func (c *cluster) otherNodes() ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p process) bool { return p.owner == c.dir || !p.init }), nil
}
