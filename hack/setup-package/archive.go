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
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const licence = `# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Made by "make generate" from the setup package beside it. DO NOT EDIT.
`

// pack makes a gzipped tar of a directory, with the directory's own name in
// front of every entry.
func pack(dir string) ([]byte, error) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	root := os.DirFS(dir)
	// WalkDir visits in lexical order, so the order is the same everywhere.
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return add(archive, root, path.Join(filepath.Base(dir), name), name, entry)
	})
	if err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zipped.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// add writes one directory or file; anything else has no place in a package.
func add(archive *tar.Writer, root fs.FS, as, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	switch {
	case entry.IsDir():
		return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: as + "/", Mode: 0o755})
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is neither a file nor a directory", as)
	}
	content, err := fs.ReadFile(root, name)
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: as, Mode: 0o644, Size: int64(len(content))}
	if info.Mode()&0o100 != 0 {
		header.Mode = 0o755
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = archive.Write(content)
	return err
}

// configMap is the manifest of a ConfigMap with the archive under one key.
func configMap(name, key string, archive []byte) ([]byte, error) {
	manifest, err := yaml.Marshal(&corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		BinaryData: map[string][]byte{key: archive},
	})
	if err != nil {
		return nil, err
	}
	return append([]byte(licence), manifest...), nil
}
