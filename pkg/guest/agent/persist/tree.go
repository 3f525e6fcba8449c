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
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/mountinfo"
)

// progressPause is how often a long copy says how far it is.
const progressPause = 2 * time.Second

// inode identifies a file, so that hard links are told from copies.
type inode struct{ dev, ino uint64 }

// tree copies one directory with all below it.
type tree struct {
	name   string
	tell   func(string)
	mounts map[string]bool
	linked map[inode]string

	files, bytes int64
	said         time.Time
}

func newTree(name string, mounts []mountinfo.Mount, tell func(string)) *tree {
	t := &tree{name: name, tell: tell, mounts: map[string]bool{}, linked: map[inode]string{}, said: time.Now()}
	for _, m := range mounts {
		t.mounts[m.Point] = true
	}
	return t
}

// copyDirectory copies the tree's top directory.
func (t *tree) copyDirectory(from, to string) error {
	info, err := lstat(from)
	if err != nil {
		return err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		return fmt.Errorf("is no directory in the image")
	}
	if err := t.directory(from, to, info); err != nil {
		return err
	}
	t.tell(fmt.Sprintf("%s: copied, %d files, %d MiB", t.name, t.files, t.bytes>>20))
	return nil
}

func lstat(path string) (*unix.Stat_t, error) {
	var info unix.Stat_t
	if err := unix.Lstat(path, &info); err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return &info, nil
}

// directory copies a directory. One that is a mount point stays as an empty
// one for others to be mounted on.
func (t *tree) directory(from, to string, info *unix.Stat_t) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	if !t.mounts[from] {
		entries, err := os.ReadDir(from)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if err := t.entry(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
				return err
			}
		}
	}
	// Attributes come last: writing into a directory changes its times.
	return t.attributes(from, to, info)
}

func (t *tree) entry(from, to string) error {
	info, err := lstat(from)
	if err != nil {
		return err
	}
	kind := info.Mode & unix.S_IFMT
	if kind == unix.S_IFDIR {
		return t.directory(from, to, info)
	}
	if t.mounts[from] || kind == unix.S_IFSOCK {
		return nil
	}
	id := inode{uint64(info.Dev), info.Ino}
	if first, ok := t.linked[id]; ok {
		return os.Link(first, to)
	}
	if err := t.leaf(from, to, kind, info); err != nil {
		return err
	}
	if info.Nlink > 1 {
		t.linked[id] = to
	}
	t.progress()
	return t.attributes(from, to, info)
}

// leaf makes what is no directory, without its attributes.
func (t *tree) leaf(from, to string, kind uint32, info *unix.Stat_t) error {
	switch kind {
	case unix.S_IFREG:
		return t.regular(from, to, info)
	case unix.S_IFLNK:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	// A FIFO or a device.
	if err := unix.Mknod(to, kind|0o600, int(info.Rdev)); err != nil {
		return &fs.PathError{Op: "mknod", Path: to, Err: err}
	}
	return nil
}

func (t *tree) progress() {
	t.files++
	if time.Since(t.said) >= progressPause {
		t.said = time.Now()
		t.tell(fmt.Sprintf("%s: %d files, %d MiB so far", t.name, t.files, t.bytes>>20))
	}
}
