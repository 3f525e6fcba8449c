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
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stateFile makes a folder one of a devcluster.
const stateFile = "state.json"

// cluster is a devcluster on this machine: the checkout that it is built from and its folder.
type cluster struct {
	root string // of the checkout
	dir  string // everything that the running devcluster writes
	bin  string // of the checkout's binaries
	out  progress

	state state
}

// state is what a devcluster must remember between two commands. What runs is not in it: see processes.
type state struct {
	// ControlPlaneOnly has neither nodes nor network, and needs no root.
	ControlPlaneOnly bool `json:"controlPlaneOnly,omitempty"`
	Nodes            int  `json:"nodes"`
	// APIServerPort is chosen once, for kubeconfigs name it.
	APIServerPort int `json:"apiServerPort"`
	// ControlPlaneCreated tells a complete control plane from one whose creation was interrupted.
	ControlPlaneCreated bool `json:"controlPlaneCreated,omitempty"`
	// Sysctls are the machine's values from before, for down to restore.
	Sysctls map[string]string `json:"sysctls,omitempty"`
	// MountPoints are the folders made for the nodes' private mounts, for down to remove.
	MountPoints []string `json:"mountPoints,omitempty"`
}

// path joins elements to the devcluster's folder.
func (c *cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.dir}, elements...)...)
}

func (c *cluster) kubeconfig() string { return c.path("kubeconfig") }

func (c *cluster) binary(name string) string { return filepath.Join(c.bin, name) }

func (c *cluster) auditLog() string { return c.path("audit", "audit.log") }

// load reads the state; there is none before the first up.
func (c *cluster) load() (exists bool, err error) {
	raw, err := os.ReadFile(c.path(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal(raw, &c.state)
}

// save writes the state in one step: a reader or a crash sees the old one or the new one.
func (c *cluster) save() error {
	raw, err := json.MarshalIndent(&c.state, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(c.path(stateFile), string(raw))
}

func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// findRoot returns the checkout that holds the folder.
func findRoot(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		raw, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && strings.HasPrefix(string(raw), "module github.com/bluek8s/kubedirector\n") {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("%s is not in a checkout of KubeDirector: start this in one", dir)
		}
	}
}
