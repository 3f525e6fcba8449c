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
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

const usage = `A real Kubernetes on this machine, for development and tests.

Usage: devcluster [--dir FOLDER] COMMAND

  up [--nodes N] [--control-plane-only]
                         build what is missing, start what does not run
  down                   end and remove everything but the built binaries
  status                 say what runs
  kubeconfig             print the path of the kubeconfig
  stop-node NAME         cut a node's power
  start-node NAME        start it again
  load-image ARCHIVE...  import docker-archives or OCI archives into all nodes
  build                  only build the binaries
  install-package NAME...  install Debian packages as carefully as up does

Flags:
`

func main() {
	if err := execute(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "devcluster:", err)
		os.Exit(1)
	}
}

func execute(args []string) error {
	if len(args) > 0 && internalCommands[args[0]] != nil {
		return internalCommands[args[0]](args[1:])
	}
	var o upOptions
	var dir string
	flags := pflag.NewFlagSet("devcluster", pflag.ContinueOnError)
	flags.StringVar(&dir, "dir", "", "the devcluster's folder (default: the one that runs, or .cache/devcluster of this checkout)")
	flags.IntVar(&o.nodes, "nodes", 2, "number of nodes (up)")
	flags.BoolVar(&o.controlPlaneOnly, "control-plane-only", false, "neither nodes nor network: needs no root (up)")
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage+flags.FlagUsages()) }
	if err := flags.Parse(args); errors.Is(err, pflag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	name, rest := flags.Arg(0), flags.Args()
	run, ok := commands[name]
	if !ok {
		flags.Usage()
		return fmt.Errorf("unknown command %q", name)
	}
	c, err := open(dir)
	if err != nil {
		return err
	}
	return run(c, o, rest[1:])
}

// internalCommands are what this program starts of itself, in new namespaces.
var internalCommands = map[string]func(args []string) error{
	"node-init":    func(args []string) error { return runNodeInit(args[0], args[1], args[2], args[3]) },
	"with-volumes": func(args []string) error { return runWithVolumes(args[0], args[1:]) },
}

var commands = map[string]func(c *cluster, o upOptions, args []string) error{
	"up": func(c *cluster, o upOptions, _ []string) error {
		return c.exclusively(func() error { return c.up(o) })
	},
	"down": func(c *cluster, _ upOptions, _ []string) error { return c.exclusively(c.down) },
	"build": func(c *cluster, _ upOptions, _ []string) error {
		return c.build()
	},
	"install-package": func(c *cluster, _ upOptions, args []string) error { return c.installPackages(args) },
	"status":          func(c *cluster, _ upOptions, _ []string) error { return c.onRunning(c.status) },
	"kubeconfig": func(c *cluster, _ upOptions, _ []string) error {
		return c.onRunning(func() error {
			fmt.Println(c.kubeconfig())
			return nil
		})
	},
	"load-image": func(c *cluster, _ upOptions, args []string) error {
		return c.onRunning(func() error { return c.loadImages(args) })
	},
	"stop-node": func(c *cluster, _ upOptions, args []string) error {
		return c.onNode(args, func(i int) error { return c.stopNode(nodeName(i)) })
	},
	"start-node": func(c *cluster, _ upOptions, args []string) error {
		return c.onNode(args, func(i int) error {
			if err := c.startNode(i); err != nil {
				return err
			}
			return c.waitNodeReady(nodeName(i))
		})
	},
}

// open finds the checkout and the devcluster's folder.
func open(dir string) (*cluster, error) {
	working, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	root, err := findRoot(working)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		dir = filepath.Join(root, ".cache", "devcluster")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	return &cluster{root: root, dir: dir, bin: filepath.Join(root, ".cache", "bin"), out: progress{os.Stderr}}, nil
}

// onRunning calls f on the devcluster in the chosen folder, or else on the one that runs on this machine.
func (c *cluster) onRunning(f func() error) error {
	exists, err := c.load()
	if err != nil {
		return err
	}
	if !exists {
		other, err := c.otherOwner()
		if err != nil {
			return err
		}
		if other == "" {
			return fmt.Errorf("there is no devcluster in %s: start one with devcluster up", c.dir)
		}
		c.dir = other
		if _, err := c.load(); err != nil {
			return err
		}
	}
	return f()
}

func (c *cluster) onNode(args []string, f func(i int) error) error {
	return c.onRunning(func() error {
		if len(args) != 1 {
			return errors.New("give the name of one node")
		}
		i, err := strconv.Atoi(strings.TrimPrefix(args[0], "node-"))
		if err != nil || i < 1 || i > c.state.Nodes || nodeName(i) != args[0] {
			return fmt.Errorf("there is no node %q: they are %s to %s", args[0], nodeName(1), nodeName(c.state.Nodes))
		}
		return c.exclusively(func() error { return f(i) })
	})
}

// exclusively keeps two devcluster commands from working at the same time. The lock is a socket in the abstract
// namespace: it leaves no file, ends with this process and reaches as far as the network namespace.
func (c *cluster) exclusively(f func() error) error {
	const name = "@kubedirector-devcluster"
	lock, err := net.Listen("unix", name)
	if err != nil {
		c.out.say("waiting for another devcluster command to end")
		if err := poll(15*time.Minute, "its end", func() error {
			lock, err = net.Listen("unix", name)
			return err
		}); err != nil {
			return err
		}
	}
	defer lock.Close()
	return f()
}
