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
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestForbidServices(t *testing.T) {
	const machines = "#!/bin/sh\nexit 104\n"
	for _, test := range []struct {
		name   string
		before map[string]string
		after  map[string]string
	}{
		{"no policy", nil, map[string]string{}},
		{"the machine's policy", map[string]string{"policy": machines}, map[string]string{"policy": machines}},
		{"left by a killed run", map[string]string{"policy": forbiddingPolicy}, map[string]string{}},
		{
			"left by a killed run, with the machine's policy",
			map[string]string{"policy": forbiddingPolicy, "policy.kubedirector-devcluster": machines},
			map[string]string{"policy": machines},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range test.before {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			policy := filepath.Join(dir, "policy")
			restore, err := forbidServices(policy)
			if err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := exec.Command(policy, "containerd", "start").Run(); !errors.As(err, &exit) || exit.ExitCode() != 101 {
				t.Errorf("the policy says %v, 101 is the code for no", err)
			}
			if err := restore(); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"policy", "policy.kubedirector-devcluster"} {
				content, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				if string(content) != test.after[name] {
					t.Errorf("%s holds %q afterwards, want %q", name, content, test.after[name])
				}
			}
		})
	}
}

// A Docker client alone, as machines without an engine have it, is in nobody's way.
func TestDockerEngine(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	install := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	install("docker")
	if got := dockerEngine(); got != "" {
		t.Errorf("with a client alone: %q", got)
	}
	if engine := install("dockerd"); dockerEngine() != engine {
		t.Errorf("with an engine: %q, want %q", dockerEngine(), engine)
	}
}

// The version is stamped into the binaries, so it must be the one that they are built from.
func TestKubernetesVersion(t *testing.T) {
	raw, err := os.ReadFile("kubernetes/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`k8s\.io/kubernetes (v\S+)`).FindStringSubmatch(string(raw))
	if match == nil || match[1] != kubernetesVersion {
		t.Errorf("kubernetes/go.mod requires %v, build.go stamps %s", match, kubernetesVersion)
	}
}

func TestModuleKey(t *testing.T) {
	dir := t.TempDir()
	key := func(sum, ldflags string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte(sum), 0o644); err != nil {
			t.Fatal(err)
		}
		k, err := module{dir: "x", ldflags: ldflags, target: "tool"}.key(dir)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key("a", "-s")
	if again := key("a", "-s"); again != first {
		t.Errorf("the same sources have keys %s and %s", first, again)
	}
	if key("b", "-s") == first || key("a", "-w") == first {
		t.Error("other sources or flags have the same key")
	}
}

func TestScratchImage(t *testing.T) {
	content, err := scratchImage("x.local/y:1", "/y", []byte("binary"))
	if err != nil {
		t.Fatal(err)
	}
	archive := untar(t, content)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(archive["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	var config struct {
		Config struct{ Entrypoint []string }
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	if err := json.Unmarshal(archive[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	layer := archive[manifest[0].Layers[0]]
	if manifest[0].RepoTags[0] != "x.local/y:1" || config.Config.Entrypoint[0] != "/y" || config.RootFS.DiffIDs[0] != digest(layer) {
		t.Errorf("manifest %+v, config %+v", manifest, config)
	}
	if got := string(untar(t, layer)["y"]); got != "binary" {
		t.Errorf("the layer's file holds %q", got)
	}
}

func untar(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(content)); ; {
		header, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseProcess(t *testing.T) {
	p, ok := parseProcess(os.Getpid(), "PATH=/bin\x00"+ownerVariable+"=/some/folder\x00"+roleVariable+"=node-1\x00")
	if !ok || p.owner != "/some/folder" || p.role != "node-1" || p.init || !strings.HasSuffix(p.name, ".test") {
		t.Errorf("got %+v, %v", p, ok)
	}
	if p, ok := parseProcess(os.Getpid(), "PATH=/bin\x00"); ok {
		t.Errorf("a process of nobody is %+v", p)
	}
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		name    string
		exists  bool
		has     state
		options upOptions
		want    int
		err     string
	}{
		{name: "new", options: upOptions{nodes: 3}, want: 3},
		{name: "new without nodes", options: upOptions{nodes: 2, controlPlaneOnly: true}, want: 0},
		{name: "none is too few", options: upOptions{nodes: 0}, err: "--nodes=0"},
		{name: "too many", options: upOptions{nodes: maxNodes + 1}, err: "--nodes=100"},
		{name: "grows", exists: true, has: state{Nodes: 2}, options: upOptions{nodes: 3}, want: 3},
		{name: "does not shrink", exists: true, has: state{Nodes: 3}, options: upOptions{nodes: 2}, err: "take it down first"},
		{name: "gets no nodes", exists: true, has: state{ControlPlaneOnly: true}, options: upOptions{nodes: 2}, err: "take it down first"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &cluster{state: test.has}
			err := c.choose(test.exists, test.options)
			if test.err == "" && (err != nil || c.state.Nodes != test.want) {
				t.Errorf("%d nodes, error %v; want %d", c.state.Nodes, err, test.want)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want one with %q", err, test.err)
			}
		})
	}
}
