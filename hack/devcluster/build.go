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
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// kubernetesVersion is stamped into the binaries, which would call themselves v0.0.0. It must be the one in
// kubernetes/go.mod, and a test compares them.
const kubernetesVersion = "v1.36.3"

// module is a Go module below this folder that pins some binaries.
type module struct {
	dir     string
	ldflags string
	// target is what go build gets: "tool" for the module's tools, or a package.
	target   string
	binaries []string
}

var modules = []module{
	{"kubernetes", kubernetesFlags(), "tool", []string{"kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl", "kubelet"}},
	{"etcd", "-s -w", "tool", []string{"etcd"}},
	{"kwok", "-s -w", "tool", []string{"kwok", "kwokctl"}},
	{"coredns", "-s -w", ".", []string{"coredns"}},
	{"pause", "-s -w", ".", []string{"pause"}},
}

func kubernetesFlags() string {
	parts := strings.Split(strings.TrimPrefix(kubernetesVersion, "v"), ".")
	flags := "-s -w -X k8s.io/component-base/version.gitVersion=" + kubernetesVersion
	for i, name := range []string{"gitMajor", "gitMinor"} {
		flags += " -X k8s.io/component-base/version." + name + "=" + parts[i]
	}
	return flags + " -X k8s.io/client-go/pkg/version.gitVersion=" + kubernetesVersion
}

// build builds what is missing. Finished binaries are kept in the user's cache folder under the checksum of what they
// are made from, and linked into the checkout's: so a second checkout builds nothing.
func (c *cluster) build() error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = filepath.Dir(c.bin) // No home: the checkout's own cache has to do.
	}
	for _, m := range modules {
		source := filepath.Join(c.root, "hack", "devcluster", m.dir)
		key, err := m.key(source)
		if err != nil {
			return err
		}
		built := filepath.Join(cache, "kubedirector", "devcluster", m.dir+"-"+key)
		if _, err := os.Stat(built); errors.Is(err, fs.ErrNotExist) {
			err = c.buildModule(m, source, built)
			if err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		for _, name := range m.binaries {
			if err := link(filepath.Join(built, name), c.binary(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// key is the checksum of everything that decides what the module's binaries are.
func (m module) key(source string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.GOOS, runtime.GOARCH, m.target, m.ldflags, m.binaries)
	files, err := filepath.Glob(filepath.Join(source, "*"))
	if err != nil {
		return "", err
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %x\n", filepath.Base(path), sha256.Sum256(content))
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}

// buildModule builds into a folder beside the final one and renames it, so that a folder is complete or not there.
func (c *cluster) buildModule(m module, source, built string) error {
	if err := os.MkdirAll(filepath.Dir(built), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(built), m.dir+".")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o755); err != nil {
		return err
	}
	output := scratch + string(filepath.Separator)
	if len(m.binaries) == 1 {
		output = filepath.Join(scratch, m.binaries[0]) // The package may have another name: etcd's ends in "v3".
	}
	c.out.say("building %s (in %s)", strings.Join(m.binaries, ", "), m.dir)
	start := time.Now()
	cmd := exec.Command("go", "build", "-C", source, "-v", "-trimpath", "-buildvcs=false", "-ldflags", m.ldflags, "-o", output, m.target)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	lines, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("building %s: %w: install Go from https://go.dev/dl", m.dir, err)
	}
	tail := c.showBuild(bufio.NewScanner(lines), start)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("building %s: %w: %s", m.dir, err, tail)
	}
	c.out.say("built %s in %s", m.dir, time.Since(start).Round(time.Second))
	return os.Rename(scratch, built)
}

// showBuild prints how far a build is every few seconds, and returns its last lines.
func (c *cluster) showBuild(lines *bufio.Scanner, start time.Time) string {
	const kept = 20
	var tail []string
	packages, shown := 0, start
	for lines.Scan() {
		packages++
		tail = append(tail, lines.Text())
		tail = tail[max(0, len(tail)-kept):]
		if time.Since(shown) > 5*time.Second {
			shown = time.Now()
			c.out.say("  %s: %d packages, now %s", time.Since(start).Round(time.Second), packages, lines.Text())
		}
	}
	return strings.Join(tail, "\n")
}

// link makes a symbolic link, replacing what is there.
func link(target, path string) error {
	if current, err := os.Readlink(path); err == nil && current == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, path)
}
