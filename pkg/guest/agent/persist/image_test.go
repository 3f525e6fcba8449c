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

package persist

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be a persist that can be killed.
func TestMain(m *testing.M) {
	if root := os.Getenv("PERSIST_TEST_ROOT"); root != "" {
		err := Run(root, os.Getenv("PERSIST_TEST_VOLUME"), []string{"/app"}, func(line string) { fmt.Println(line) })
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// requireRoot skips a test that cannot be run here, unless everything must be.
func requireRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() == 0 {
		return
	}
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatal("persist keeps owners: run as root")
	}
	t.Skip("persist keeps owners: run as root")
}

// image is a root directory to copy from, and a volume to copy to.
type image struct {
	*testing.T
	root, volume string
}

func newImage(t *testing.T) *image {
	requireRoot(t)
	dir := t.TempDir()
	i := &image{t, filepath.Join(dir, "root"), filepath.Join(dir, "volume")}
	for _, dir := range []string{i.root, i.volume} {
		i.must(os.Mkdir(dir, 0o755))
	}
	return i
}

func (i *image) must(err error) {
	i.Helper()
	if err != nil {
		i.Fatal(err)
	}
}

func (i *image) write(name, content string) string {
	i.Helper()
	path := filepath.Join(i.root, name)
	i.must(os.MkdirAll(filepath.Dir(path), 0o755))
	i.must(os.WriteFile(path, []byte(content), 0o644))
	return path
}

func (i *image) persist(dirs ...string) (told string) {
	i.Helper()
	told, err := i.tryPersist(dirs...)
	i.must(err)
	return told
}

func (i *image) tryPersist(dirs ...string) (told string, err error) {
	var lines []string
	err = Run(i.root, i.volume, dirs, func(line string) { lines = append(lines, line) })
	return strings.Join(lines, "\n"), err
}

func (i *image) stat(path string) *unix.Stat_t {
	i.Helper()
	info, err := lstat(path)
	i.must(err)
	return info
}

func (i *image) onVolume(name string) string { return filepath.Join(i.volume, name) }

func (i *image) read(name string) string {
	i.Helper()
	content, err := os.ReadFile(i.onVolume(name))
	i.must(err)
	return string(content)
}
