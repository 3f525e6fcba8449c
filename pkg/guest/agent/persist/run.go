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
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/agent/mountinfo"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// journalDir is on the volume and out of the application's reach: only what
// is named in persistDirs is mounted there.
const journalDir = ".kubedirector-persisted"

// journal entries.
const (
	copied = "copied"
	done   = "done"
)

// volume is where directories are copied to.
type volume struct {
	dir  string
	root string
	tell func(string)
}

// Run copies the directories, absolute paths below root, onto the volume and
// makes the place for the member's ledger. tell is called with progress.
func Run(root, volumeDir string, dirs []string, tell func(string)) error {
	dirs, err := checkDirs(dirs)
	if err != nil {
		return err
	}
	v := &volume{dir: volumeDir, root: root, tell: tell}
	if err := os.MkdirAll(filepath.Join(v.dir, journalDir), 0o755); err != nil {
		return err
	}
	if err := v.makeLedger(); err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := v.persist(dir); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// checkDirs returns the directories in order. One below another follows it
// and is found in its place already.
func checkDirs(dirs []string) ([]string, error) {
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) || filepath.Clean(dir) != dir || dir == "/" {
			return nil, fmt.Errorf("%q: must be a clean absolute path below /", dir)
		}
	}
	sorted := slices.Clone(dirs)
	slices.Sort(sorted)
	return slices.Compact(sorted), nil
}

// makeLedger makes the directory that is mounted as the member's ledger. The
// application's user is not known here, so everyone may write; the sticky bit
// keeps everyone from removing another's files.
func (v *volume) makeLedger() error {
	dir := filepath.Join(v.dir, protocol.VolumeStateDir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return os.Chmod(dir, 0o777|fs.ModeSticky)
}

func (v *volume) target(dir string) string { return filepath.Join(v.dir, dir) }

// name is a directory's name in the journal.
func name(dir string) string { return url.PathEscape(strings.TrimPrefix(dir, "/")) }

func (v *volume) journal(dir string) string { return filepath.Join(v.dir, journalDir, name(dir)) }

// partial is where a copy is made before it is moved to its place.
func (v *volume) partial(dir string) string { return v.journal(dir) + ".partial" }

func (v *volume) readJournal(dir string) (string, error) {
	content, err := os.ReadFile(v.journal(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(content)), err
}

// writeJournal records a step once everything before it is on disk.
func (v *volume) writeJournal(dir, entry string) error {
	if err := v.sync(); err != nil {
		return err
	}
	return atomicfile.WriteDurable(v.journal(dir), []byte(entry+"\n"), 0o644)
}

func (v *volume) sync() error {
	d, err := os.Open(v.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}

// persist takes one directory from where the journal says it is to done.
func (v *volume) persist(dir string) error {
	entry, err := v.readJournal(dir)
	if err != nil {
		return err
	}
	if entry == done {
		v.tell(dir + ": on the volume already")
		return nil
	}
	covered, err := v.coveredByParent(dir)
	if err != nil || covered {
		return err
	}
	if entry != copied {
		if err := v.copy(dir); err != nil {
			return err
		}
		if err := v.writeJournal(dir, copied); err != nil {
			return err
		}
	}
	if err := v.place(dir); err != nil {
		return err
	}
	return v.writeJournal(dir, done)
}

// coveredByParent tells whether a directory above was persisted, with this
// one in it. One that the image does not have is made.
func (v *volume) coveredByParent(dir string) (bool, error) {
	for parent := filepath.Dir(dir); parent != "/"; parent = filepath.Dir(parent) {
		entry, err := v.readJournal(parent)
		if err != nil {
			return false, err
		}
		if entry == done {
			v.tell(fmt.Sprintf("%s: on the volume with %s", dir, parent))
			return true, os.MkdirAll(v.target(dir), 0o755)
		}
	}
	return false, nil
}

// copy makes a whole copy beside its place.
func (v *volume) copy(dir string) error {
	if _, err := os.Lstat(v.target(dir)); err == nil {
		return fmt.Errorf("the volume holds %s already, and not from here: remove it there or use a new volume", strings.TrimPrefix(dir, "/"))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	partial := v.partial(dir)
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	source := filepath.Join(v.root, dir)
	resolved, err := filepath.EvalSymlinks(source)
	if errors.Is(err, fs.ErrNotExist) {
		v.tell(dir + ": not in the image, made empty")
		return errors.Join(os.Mkdir(partial, 0o755), os.Chmod(partial, 0o755))
	}
	if err != nil {
		return err
	}
	mounts, err := mountinfo.Read("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	t := newTree(dir, mounts, v.tell)
	return t.copyDirectory(resolved, partial)
}

// place moves the copy to where it is mounted from.
func (v *volume) place(dir string) error {
	if err := os.MkdirAll(filepath.Dir(v.target(dir)), 0o755); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, v.partial(dir), unix.AT_FDCWD, v.target(dir), unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.ENOENT) {
		// A crash came after the move; the copy must be in its place.
		_, err = os.Lstat(v.target(dir))
		return err
	}
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		// The file system knows no such flag; copy saw that the place is free.
		err = os.Rename(v.partial(dir), v.target(dir))
	}
	if err != nil {
		return fmt.Errorf("moving the copy into place: %w", err)
	}
	return nil
}
