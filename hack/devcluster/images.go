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
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// loadImages imports docker-archives or OCI archives into the containerd of each node that runs.
func (c *cluster) loadImages(archives []string) error {
	for _, archive := range archives {
		path, err := filepath.Abs(archive)
		if err != nil {
			return err
		}
		// Looked at here, for ctr's own complaint does not name the file.
		if _, err := os.Stat(path); err != nil {
			return err
		}
		for i := 1; i <= c.state.Nodes; i++ {
			err := c.out.step("importing "+filepath.Base(path)+" into "+nodeName(i), func() error {
				_, err := c.ctr(nodeName(i), "images", "import", path)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// importPause imports the image of the pods' sandboxes where it is missing.
func (c *cluster) importPause(node string) error {
	names, err := c.ctr(node, "images", "list", "--quiet")
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(names) {
		if name == pauseImage {
			return nil
		}
	}
	archive := c.path("pause.tar")
	binary, err := os.ReadFile(c.binary("pause"))
	if err != nil {
		return err
	}
	content, err := scratchImage(pauseImage, "/pause", binary)
	if err != nil {
		return err
	}
	if err := os.WriteFile(archive, content, 0o644); err != nil {
		return err
	}
	_, err = c.ctr(node, "images", "import", archive)
	return err
}

// scratchImage returns a docker-archive of an image with one static binary and nothing else.
func scratchImage(name, path string, binary []byte) ([]byte, error) {
	layer, err := tarball(file{strings.TrimPrefix(path, "/"), 0o755, binary})
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": []string{path}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{digest(layer)}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]map[string]any{
		{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}},
	})
	if err != nil {
		return nil, err
	}
	return tarball(file{"layer.tar", 0o644, layer}, file{"config.json", 0o644, config}, file{"manifest.json", 0o644, manifest})
}

type file struct {
	name    string
	mode    int64
	content []byte
}

func tarball(files ...file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.content))}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func digest(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }
