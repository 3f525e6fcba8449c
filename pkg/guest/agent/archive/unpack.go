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

package archive

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// maxEntries bounds how many files a package may make.
const maxEntries = 100_000

// Unpack unpacks a gzipped tar into dir, an existing empty directory, writing
// at most limit bytes.
func Unpack(from io.Reader, dir string, limit int64) *Error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return WriteError(err)
	}
	defer root.Close()
	zipped, err := gzip.NewReader(from)
	if err != nil {
		return fail(protocol.PackageNotTgz, "not a gzipped tar archive: %v", err)
	}
	u := &unpacker{root: root, left: limit, limit: limit}
	archive := tar.NewReader(zipped)
	for entries := 0; ; entries++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			if failure := checkEnd(zipped, limit); failure != nil {
				return failure
			}
			return u.checkLinks()
		}
		if err != nil {
			return fail(protocol.PackageNotTgz, "not a complete gzipped tar archive: %v", err)
		}
		if entries == maxEntries {
			return fail(protocol.PackageTooLarge, "more than %d entries", maxEntries)
		}
		if failure := u.entry(header, archive); failure != nil {
			return failure
		}
	}
}

// checkEnd reads what follows the archive's last entry: its checksum comes
// last, and an archive that was cut off there is not known to be whole. What
// follows the compressed part itself is passed over, as tar does.
func checkEnd(zipped io.Reader, limit int64) *Error {
	n, err := io.Copy(io.Discard, io.LimitReader(zipped, limit))
	switch {
	case err != nil && !errors.Is(err, gzip.ErrHeader):
		return fail(protocol.PackageNotTgz, "not a complete gzipped tar archive: %v", err)
	case n == limit:
		return fail(protocol.PackageTooLarge, "it unpacks to more than %d bytes", limit)
	}
	return nil
}

// unpacker places entries below root. os.Root refuses to leave it; the
// unpacker's own checks give each refusal its reason, and see to it that no
// link that is left behind leads out of it.
type unpacker struct {
	root        *os.Root
	left, limit int64
	links       []string
}

func (u *unpacker) entry(header *tar.Header, content io.Reader) *Error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name := path.Clean(header.Name)
	if unsafe := u.checkPlace(header.Name); unsafe != nil {
		return unsafe
	}
	if name == "." {
		return nil
	}
	if err := u.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return WriteError(err)
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return u.directory(name, header)
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.file(name, header, content)
	case tar.TypeSymlink:
		return u.symlink(name, header.Linkname)
	case tar.TypeLink:
		return u.hardLink(name, header.Linkname)
	}
	return fail(protocol.PackageUnsafePath, "entry %q is of type %q; only files, directories and links may be packed", header.Name, header.Typeflag)
}

// checkPlace refuses a name outside the package, also by way of a link: below
// a link, ".." would not mean what it says.
func (u *unpacker) checkPlace(name string) *Error {
	if path.IsAbs(name) || escapes(path.Clean(name)) || strings.ContainsRune(name, 0) {
		return fail(protocol.PackageUnsafePath, "entry %q lies outside the package", name)
	}
	parents := strings.Split(path.Dir(path.Clean(name)), "/")
	for i := range parents {
		parent := strings.Join(parents[:i+1], "/")
		info, err := u.root.Lstat(parent)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return WriteError(err)
		}
		if !info.IsDir() {
			return fail(protocol.PackageUnsafePath, "entry %q lies below %q, which is no directory", name, parent)
		}
	}
	return nil
}

// escapes tells whether a clean relative path leads upwards.
func escapes(clean string) bool { return clean == ".." || strings.HasPrefix(clean, "../") }

func (u *unpacker) directory(name string, header *tar.Header) *Error {
	if info, err := u.root.Lstat(name); err == nil && !info.IsDir() {
		return fail(protocol.PackageUnsafePath, "entry %q is both a directory and not", name)
	}
	if err := u.root.MkdirAll(name, 0o755); err != nil {
		return WriteError(err)
	}
	// The guest must be able to go on writing below it, and to remove it.
	if err := u.root.Chmod(name, header.FileInfo().Mode().Perm()|0o700); err != nil {
		return WriteError(err)
	}
	return nil
}

func (u *unpacker) file(name string, header *tar.Header, content io.Reader) *Error {
	if header.Size > u.left {
		return fail(protocol.PackageTooLarge, "it unpacks to more than %d bytes", u.limit)
	}
	if failure := u.clear(name); failure != nil {
		return failure
	}
	file, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return WriteError(err)
	}
	defer file.Close()
	source := &source{from: io.LimitReader(content, u.left+1)}
	n, err := io.Copy(file, source)
	u.left -= n
	switch {
	case source.err != nil:
		return fail(protocol.PackageNotTgz, "entry %q is incomplete: %v", header.Name, source.err)
	case err != nil:
		return WriteError(err)
	case u.left < 0:
		return fail(protocol.PackageTooLarge, "it unpacks to more than %d bytes", u.limit)
	}
	// Neither setuid nor setgid: a package gives no rights.
	if err := file.Chmod(header.FileInfo().Mode().Perm() | 0o400); err != nil {
		return WriteError(err)
	}
	if err := file.Close(); err != nil {
		return WriteError(err)
	}
	return nil
}

// source remembers its own failure, which io.Copy mixes with its sink's.
type source struct {
	from io.Reader
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// clear makes way: of two entries of one name the later one counts.
func (u *unpacker) clear(name string) *Error {
	info, err := u.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return WriteError(err)
	case info.IsDir():
		return fail(protocol.PackageUnsafePath, "entry %q is both a directory and not", name)
	}
	if err := u.root.Remove(name); err != nil {
		return WriteError(err)
	}
	return nil
}

func (u *unpacker) symlink(name, target string) *Error {
	if target == "" || path.IsAbs(target) || escapes(path.Join(path.Dir(name), target)) {
		return fail(protocol.PackageUnsafePath, "link %q points outside the package, to %q", name, target)
	}
	if failure := u.clear(name); failure != nil {
		return failure
	}
	if err := u.root.Symlink(target, name); err != nil {
		return WriteError(err)
	}
	u.links = append(u.links, name)
	return nil
}

func (u *unpacker) hardLink(name, target string) *Error {
	if unsafe := u.checkPlace(target); unsafe != nil {
		return fail(protocol.PackageUnsafePath, "link %q points outside the package, to %q", name, target)
	}
	target = path.Clean(target)
	info, err := u.root.Lstat(target)
	if err != nil || !info.Mode().IsRegular() {
		return fail(protocol.PackageUnsafePath, "hard link %q points to %q, which is no file before it in the package", name, target)
	}
	if target == name {
		return nil
	}
	if failure := u.clear(name); failure != nil {
		return failure
	}
	if err := u.root.Link(target, name); err != nil {
		return WriteError(err)
	}
	return nil
}

// checkLinks follows every symbolic link once all are in place: links through
// links may leave the package where each by itself seems not to.
func (u *unpacker) checkLinks() *Error {
	for _, name := range u.links {
		if _, err := u.root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(protocol.PackageUnsafePath, "link %q points outside the package: %v", name, cause(err))
		}
	}
	return nil
}

func cause(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return fmt.Errorf("%w", err)
}
