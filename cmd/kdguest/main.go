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

// Command kdguest is what the controller and the kubelet run inside
// application containers. It is no daemon: it holds no credentials, opens no
// port, and does nothing but what one call asks for.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/configcli"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// command is one of the guest's jobs. It returns the exit code.
type command struct {
	name, summary string
	run           func(args []string, io stdio) int
	// hidden commands are run by the guest itself.
	hidden bool
}

// commands is a function, not a variable, because help lists them.
func commands() []command {
	return []command{
		{name: "install", summary: "copy this binary and its links to a shared volume", run: install},
		{name: "persist", summary: "copy directories of the image onto the member's volume", run: persistDirs},
		{name: "apply", summary: "carry out the request on stdin, answer on stdout", run: apply},
		{name: "configured", summary: "wait until this container is configured (startup probe)", run: configured},
		{name: "configcli", summary: "read the metadata document", run: readMetadata("configcli")},
		{name: "supervise", run: supervise, hidden: true},
	}
}

func main() {
	os.Exit(run(os.Args, stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// run answers to the name it was called by: the links that install makes are
// the tools that applications know.
func run(args []string, io stdio) int {
	name := filepath.Base(args[0])
	if slices.Contains(protocol.ToolNames, name) {
		return readMetadata(name)(args[1:], io)
	}
	if len(args) < 2 {
		help(io.err)
		return 2
	}
	for _, c := range commands() {
		if c.name == args[1] {
			return c.run(args[2:], io)
		}
	}
	if args[1] == "help" || args[1] == "--help" || args[1] == "-h" {
		help(io.out)
		return 0
	}
	fmt.Fprintf(io.err, "kdguest: unknown command %q; see kdguest --help\n", args[1])
	return 2
}

func help(out io.Writer) {
	fmt.Fprint(out, "kdguest works inside an application container of KubeDirector.\n\nUsage: kdguest COMMAND [--help]\n\n")
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(out, "  %-11s %s\n", c.name, c.summary)
		}
	}
}

// readMetadata is configcli under one of its names.
func readMetadata(name string) func([]string, stdio) int {
	return func(args []string, io stdio) int {
		read := func() ([]byte, error) {
			return os.ReadFile(filepath.Join(rootDir(), protocol.MountMeta, protocol.MetadataFile))
		}
		return configcli.Run(name, args, read, io.out, io.err)
	}
}

// rootDir is the container's root, unless a test runs the tools on a
// directory of its own.
func rootDir() string {
	if root := os.Getenv("KDGUEST_ROOT"); root != "" {
		return root
	}
	return "/"
}
