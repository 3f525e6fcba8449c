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
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newEntry makes a catalog entry with a setup package of one program and one file.
func newEntry(t *testing.T) string {
	t.Helper()
	entry := filepath.Join(t.TempDir(), "demo")
	files := map[string]os.FileMode{"startscript": 0o700, "templates/site.xml": 0o600}
	for name, mode := range files {
		file := filepath.Join(entry, "package", "demosetup", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	return entry
}

func TestPackKeepsNamesAndTheExecutableBit(t *testing.T) {
	archive, err := pack(filepath.Join(newEntry(t), "package", "demosetup"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"drwxr-xr-x demosetup/",
		"-rwxr-xr-x demosetup/startscript",
		"drwxr-xr-x demosetup/templates/",
		"-rw-r--r-- demosetup/templates/site.xml",
	}
	if diff := cmp.Diff(want, list(t, archive)); diff != "" {
		t.Errorf("archive (-want +got):\n%s", diff)
	}
}

func TestVerifyTellsWhatIsStale(t *testing.T) {
	entry := newEntry(t)
	if err := update(entry, false); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(entry, "package", "demosetup", "startscript")
	if err := os.Chtimes(script, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := update(entry, true); err != nil {
		t.Errorf("another time of change makes package.yaml stale: %v", err)
	}
	if err := os.WriteFile(script, []byte("changed"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := update(entry, true); err == nil || !strings.Contains(err.Error(), "make generate") {
		t.Errorf("after a change of startscript: error %v, want one that says make generate", err)
	}
}

func TestPackRefusesLinks(t *testing.T) {
	entry := newEntry(t)
	dir := filepath.Join(entry, "package", "demosetup")
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := pack(dir); err == nil || !strings.Contains(err.Error(), "demosetup/link") {
		t.Errorf("error %v, want one that names demosetup/link", err)
	}
}

// list is the mode and name of each entry of a gzipped tar.
func list(t *testing.T, archive []byte) []string {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, header.FileInfo().Mode().String()+" "+header.Name)
	}
}
