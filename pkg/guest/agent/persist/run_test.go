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
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLayout(t *testing.T) {
	i := newImage(t)
	i.write("var/lib/app/file", "x")
	i.write("srv/real/file", "y")
	i.must(os.Symlink("real", filepath.Join(i.root, "srv/link")))
	told := i.persist("/var/lib", "/missing/dir", "/srv/link", "/var/lib/app", "/var/lib/none")
	if !strings.Contains(told, "/var/lib: copied, 1 files") {
		t.Errorf("told %s", told)
	}
	if i.read("var/lib/app/file") != "x" || i.read("srv/link/file") != "y" {
		t.Error("content differs")
	}
	for _, dir := range []string{"missing/dir", "var/lib/none"} {
		if info := i.stat(i.onVolume(dir)); info.Mode != unix.S_IFDIR|0o755 {
			t.Errorf("%s has mode %o", dir, info.Mode)
		}
	}
	if info := i.stat(i.onVolume(".kubedirector")); info.Mode != unix.S_IFDIR|0o1777 {
		t.Errorf("the ledger's directory has mode %o", info.Mode)
	}
}

func TestSecondRunLeavesTheApplicationsFilesAlone(t *testing.T) {
	i := newImage(t)
	i.write("app/file", "of the image")
	i.write("app/removed", "x")
	i.persist("/app")
	i.must(os.WriteFile(i.onVolume("app/file"), []byte("of the application"), 0o644))
	i.must(os.Remove(i.onVolume("app/removed")))
	i.write("app/newer", "of a newer image")
	if told := i.persist("/app"); !strings.Contains(told, "already") {
		t.Errorf("told %s", told)
	}
	entries, err := os.ReadDir(i.onVolume("app"))
	if err != nil || len(entries) != 1 || i.read("app/file") != "of the application" {
		t.Errorf("on the volume: %v, %v", entries, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, dir := range []string{"/", "", "relative", "/up/../down", "/slash/"} {
		i := newImage(t)
		if _, err := i.tryPersist(dir); err == nil {
			t.Errorf("%q was accepted", dir)
		}
	}
	i := newImage(t)
	i.write("app/file", "of the image")
	i.must(os.MkdirAll(i.onVolume("app"), 0o755))
	if _, err := i.tryPersist("/app"); err == nil || !strings.Contains(err.Error(), "holds app already") {
		t.Errorf("files of unknown origin: %v", err)
	}
	i.write("plain", "a file")
	if _, err := i.tryPersist("/plain"); err == nil || !strings.Contains(err.Error(), "no directory") {
		t.Errorf("a file: %v", err)
	}
}

// TestRecovery begins from every state that a crash can leave behind.
func TestRecovery(t *testing.T) {
	tests := []struct {
		name  string
		crash func(*image, *volume)
	}{
		{"before anything", func(i *image, v *volume) {}},
		{"in the copy", func(i *image, v *volume) {
			i.must(os.MkdirAll(filepath.Join(v.partial("/a/app"), "half"), 0o755))
		}},
		{"after the copy", func(i *image, v *volume) { i.must(v.copy("/a/app")) }},
		{"before the move", func(i *image, v *volume) {
			i.must(v.copy("/a/app"))
			i.must(v.writeJournal("/a/app", copied))
		}},
		{"after the move", func(i *image, v *volume) {
			i.must(v.copy("/a/app"))
			i.must(v.writeJournal("/a/app", copied))
			i.must(v.place("/a/app"))
		}},
		{"after all", func(i *image, v *volume) { i.must(v.persist("/a/app")) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := newImage(t)
			i.write("a/app/file", "x")
			v := &volume{dir: i.volume, root: i.root, tell: func(string) {}}
			i.must(os.Mkdir(i.onVolume(journalDir), 0o755))
			test.crash(i, v)
			i.persist("/a/app")
			entries, err := os.ReadDir(i.onVolume("a/app"))
			if err != nil || len(entries) != 1 || i.read("a/app/file") != "x" {
				t.Errorf("on the volume: %v, %v", entries, err)
			}
			if left, err := os.ReadDir(i.onVolume(journalDir)); err != nil || len(left) != 1 {
				t.Errorf("in the journal: %v, %v", left, err)
			}
		})
	}
}

// TestKilledAtAnyTime kills a persist again and again, each time somewhat
// later, until one gets through. The volume is in memory, because waiting for
// a disk is most of a persist's time and the least interesting.
func TestKilledAtAnyTime(t *testing.T) {
	i := newImage(t)
	i.must(unix.Mount("tmpfs", i.volume, "tmpfs", 0, ""))
	defer unix.Unmount(i.volume, 0)
	for n := range 300 {
		i.write(fmt.Sprintf("app/%d/%d", n%10, n), strings.Repeat("x", n))
	}
	for delay := time.Millisecond; ; delay += delay/8 + time.Millisecond {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "PERSIST_TEST_ROOT="+i.root, "PERSIST_TEST_VOLUME="+i.volume)
		i.must(cmd.Start())
		kill := time.AfterFunc(delay, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		kill.Stop()
		if err == nil {
			break
		}
		if state := cmd.ProcessState; state.Exited() {
			t.Fatalf("after %s it failed: %v", delay, err)
		}
	}
	for n := range 300 {
		if got := i.read(fmt.Sprintf("app/%d/%d", n%10, n)); len(got) != n {
			t.Fatalf("file %d holds %d bytes", n, len(got))
		}
	}
}
