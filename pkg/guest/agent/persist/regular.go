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
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// regular copies a file's content and leaves its holes holes.
func (t *tree) regular(from, to string, info *unix.Stat_t) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer target.Close()
	if err := t.content(source, target); err != nil {
		return err
	}
	// A hole at the end was not written.
	if err := target.Truncate(info.Size); err != nil {
		return err
	}
	return target.Close()
}

// content copies the parts that hold data, from the first to the last.
func (t *tree) content(source, target *os.File) error {
	for end := int64(0); ; {
		start, err := source.Seek(end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if errors.Is(err, unix.EINVAL) {
			return t.plain(source, target)
		}
		if err != nil {
			return err
		}
		if end, err = source.Seek(start, unix.SEEK_HOLE); err != nil {
			return err
		}
		if err := t.part(source, target, start, end-start); err != nil {
			return err
		}
	}
}

// plain copies all of a file whose file system does not tell of holes.
func (t *tree) plain(source, target *os.File) error {
	if _, err := source.Seek(0, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(target, source)
	t.bytes += n
	return err
}

func (t *tree) part(source, target *os.File, start, length int64) error {
	for _, file := range []*os.File{source, target} {
		if _, err := file.Seek(start, io.SeekStart); err != nil {
			return err
		}
	}
	n, err := io.CopyN(target, source, length)
	t.bytes += n
	return err
}
