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
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAttributes compares every attribute of every kind of file.
func TestAttributes(t *testing.T) {
	i := newImage(t)
	file := i.write("app/bin/tool", "tool")
	i.must(os.Chown(file, 1234, 5678))
	i.must(os.Chmod(file, 0o4755|fs.ModeSetuid))
	i.must(unix.Setxattr(file, "user.note", []byte("kept"), 0))
	// cap_net_bind_service=ep
	capability := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	i.must(unix.Setxattr(file, "security.capability", capability, 0))
	i.must(os.Symlink("/no/such", filepath.Join(i.root, "app/dangling")))
	i.must(os.Lchown(filepath.Join(i.root, "app/dangling"), 7, 8))
	i.must(unix.Mkfifo(filepath.Join(i.root, "app/fifo"), 0o640))
	i.must(unix.Mknod(filepath.Join(i.root, "app/null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	i.write("app/empty", "")
	i.must(os.Mkdir(filepath.Join(i.root, "app/shared"), 0o755))
	i.must(os.Chmod(filepath.Join(i.root, "app/shared"), 0o770|fs.ModeSetgid|fs.ModeSticky))
	i.must(os.Chown(filepath.Join(i.root, "app"), 42, 43))
	old := []unix.Timespec{{Sec: 1000000000, Nsec: 5}, {Sec: 1100000000, Nsec: 123456789}}
	names := []string{"app/bin/tool", "app/bin", "app/dangling", "app/fifo", "app/null", "app/empty", "app/shared", "app"}
	for _, name := range names {
		i.must(unix.UtimesNanoAt(unix.AT_FDCWD, filepath.Join(i.root, name), old, unix.AT_SYMLINK_NOFOLLOW))
	}

	i.persist("/app")
	for _, name := range names {
		from, to := i.stat(filepath.Join(i.root, name)), i.stat(i.onVolume(name))
		if from.Mode != to.Mode || from.Uid != to.Uid || from.Gid != to.Gid || from.Mtim != to.Mtim || from.Rdev != to.Rdev || from.Size != to.Size && from.Mode&unix.S_IFMT != unix.S_IFDIR {
			t.Errorf("%s: %+v became %+v", name, from, to)
		}
	}
	if got := i.read("app/bin/tool"); got != "tool" {
		t.Errorf("content %q", got)
	}
	if got, err := os.Readlink(i.onVolume("app/dangling")); got != "/no/such" {
		t.Errorf("link to %q, %v", got, err)
	}
	for name, want := range map[string]string{"user.note": "kept", "security.capability": string(capability)} {
		if got, err := getXattr(i.onVolume("app/bin/tool"), name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
}

func TestHardLinksStayLinks(t *testing.T) {
	i := newImage(t)
	first := i.write("app/a/first", "x")
	i.must(os.MkdirAll(filepath.Join(i.root, "app/b"), 0o755))
	i.must(os.Link(first, filepath.Join(i.root, "app/b/second")))
	i.must(os.Link(first, filepath.Join(i.root, "outside")))
	i.persist("/app")
	a, b := i.stat(i.onVolume("app/a/first")), i.stat(i.onVolume("app/b/second"))
	if a.Ino != b.Ino || a.Nlink != 2 {
		t.Errorf("inodes %d and %d, %d links", a.Ino, b.Ino, a.Nlink)
	}
}

func TestHolesStayHoles(t *testing.T) {
	i := newImage(t)
	path := i.write("app/sparse", "begin")
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	i.must(err)
	_, err = file.WriteAt([]byte("middle"), 64<<20)
	i.must(err)
	i.must(file.Truncate(256 << 20))
	i.must(file.Close())
	i.persist("/app")
	info := i.stat(i.onVolume("app/sparse"))
	if info.Size != 256<<20 || info.Blocks*512 > 1<<20 {
		t.Errorf("size %d, %d blocks", info.Size, info.Blocks)
	}
	copied, err := os.Open(i.onVolume("app/sparse"))
	i.must(err)
	defer copied.Close()
	for offset, want := range map[int64]string{0: "begin", 64 << 20: "middle", 32 << 20: "\x00"} {
		got := make([]byte, len(want))
		if _, err := copied.ReadAt(got, offset); err != nil || string(got) != want {
			t.Errorf("at %d: %q, %v", offset, got, err)
		}
	}
}

func TestSocketsAreLeftOut(t *testing.T) {
	i := newImage(t)
	i.write("app/file", "x")
	address := filepath.Join(i.root, "app/s")
	if len(address) > 100 {
		t.Chdir(filepath.Join(i.root, "app"))
		address = "s"
	}
	socket, err := net.Listen("unix", address)
	i.must(err)
	defer socket.Close()
	i.persist("/app")
	if _, err := os.Lstat(i.onVolume("app/s")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket was copied: %v", err)
	}
}

// TestMountPointsAreNotCrossed mounts what the kubelet mounts into containers.
func TestMountPointsAreNotCrossed(t *testing.T) {
	i := newImage(t)
	i.write("etc/passwd", "root")
	hosts := i.write("etc/hosts", "of the image")
	secret := filepath.Join(i.root, "etc/secret")
	i.must(os.Mkdir(secret, 0o755))
	own := i.write("kubelet/hosts", "of this pod")
	i.must(unix.Mount(own, hosts, "", unix.MS_BIND, ""))
	defer unix.Unmount(hosts, 0)
	// A bind mount of the same file system has the same st_dev.
	i.must(unix.Mount(filepath.Join(i.root, "kubelet"), secret, "", unix.MS_BIND, ""))
	defer unix.Unmount(secret, 0)
	i.persist("/etc")
	if got := i.read("etc/passwd"); got != "root" {
		t.Errorf("passwd %q", got)
	}
	if _, err := os.Lstat(i.onVolume("etc/hosts")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the mounted hosts was copied: %v", err)
	}
	entries, err := os.ReadDir(i.onVolume("etc/secret"))
	if err != nil || len(entries) != 0 {
		t.Errorf("in the mounted directory: %v, %v", entries, err)
	}
}
