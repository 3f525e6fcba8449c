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
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// attributes gives the copy its owner, extended attributes, mode and times,
// in this order: a new owner takes away capabilities and setuid bits, and
// each of the others changes the times.
func (t *tree) attributes(from, to string, info *unix.Stat_t) error {
	if err := unix.Lchown(to, int(info.Uid), int(info.Gid)); err != nil {
		return &fs.PathError{Op: "lchown", Path: to, Err: err}
	}
	if err := t.xattrs(from, to); err != nil {
		return err
	}
	// A symbolic link has no mode of its own.
	if info.Mode&unix.S_IFMT != unix.S_IFLNK {
		if err := unix.Chmod(to, info.Mode&0o7777); err != nil {
			return &fs.PathError{Op: "chmod", Path: to, Err: err}
		}
	}
	times := []unix.Timespec{info.Atim, info.Mtim}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, to, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimensat", Path: to, Err: err}
	}
	return nil
}

// xattrs copies extended attributes, file capabilities among them.
func (t *tree) xattrs(from, to string) error {
	names, err := listXattrs(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if ofPlace(name) {
			continue
		}
		value, err := getXattr(from, name)
		if errors.Is(err, unix.ENODATA) {
			continue
		}
		if err != nil {
			return err
		}
		err = unix.Lsetxattr(to, name, value, 0)
		if errors.Is(err, unix.ENOTSUP) {
			t.tell(fmt.Sprintf("%s: the volume cannot hold attribute %s of %s", t.name, name, from))
			continue
		}
		if err != nil {
			return fmt.Errorf("attribute %s of %s: %w", name, to, err)
		}
	}
	return nil
}

// ofPlace tells of attributes that belong to where a file lies: the label
// that SELinux gives it there and the notes of an overlay.
func ofPlace(name string) bool {
	return name == "security.selinux" || strings.HasPrefix(name, "trusted.overlay.")
}

func listXattrs(path string) ([]string, error) {
	list, err := sized(func(buffer []byte) (int, error) { return unix.Llistxattr(path, buffer) })
	if errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "llistxattr", Path: path, Err: err}
	}
	names := strings.Split(string(list), "\x00")
	return slices.DeleteFunc(names, func(name string) bool { return name == "" }), nil
}

func getXattr(path, name string) ([]byte, error) {
	value, err := sized(func(buffer []byte) (int, error) { return unix.Lgetxattr(path, name, buffer) })
	if err != nil {
		return nil, &fs.PathError{Op: "lgetxattr " + name, Path: path, Err: err}
	}
	return value, nil
}

// sized calls a function that tells the size it needs when given no buffer.
func sized(call func([]byte) (int, error)) ([]byte, error) {
	for {
		size, err := call(nil)
		if err != nil || size == 0 {
			return nil, err
		}
		buffer := make([]byte, size)
		n, err := call(buffer)
		if errors.Is(err, unix.ERANGE) {
			continue // it grew in between
		}
		return buffer[:max(n, 0)], err
	}
}
