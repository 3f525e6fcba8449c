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
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

type entry struct {
	kind    byte
	name    string
	link    string
	content string
	mode    int64
}

func tgz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buffer bytes.Buffer
	zipped := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		header := tar.Header{Typeflag: e.kind, Name: e.name, Linkname: e.link, Mode: e.mode, Size: int64(len(e.content))}
		if e.kind == tar.TypeXGlobalHeader {
			header = tar.Header{Typeflag: e.kind, Name: e.name, PAXRecords: map[string]string{"comment": "x"}}
		} else if header.Mode == 0 {
			header.Mode = 0o644
		}
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func file(name, content string) entry { return entry{kind: tar.TypeReg, name: name, content: content} }
func link(name, to string) entry      { return entry{kind: tar.TypeSymlink, name: name, link: to} }
func hard(name, to string) entry      { return entry{kind: tar.TypeLink, name: name, link: to} }
func directory(name string) entry     { return entry{kind: tar.TypeDir, name: name, mode: 0o755} }

// unpack unpacks into a directory beside a file that must stay untouched and
// alone.
func unpack(t testing.TB, content []byte, limit int64) (dir string, failure *Error) {
	t.Helper()
	outside := t.TempDir()
	dir = filepath.Join(outside, "in")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "victim"), []byte("whole"), 0o644); err != nil {
		t.Fatal(err)
	}
	failure = Unpack(bytes.NewReader(content), dir, limit)
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 2 {
		t.Errorf("outside the package: %v, %v", entries, err)
	}
	if victim, err := os.ReadFile(filepath.Join(outside, "victim")); err != nil || string(victim) != "whole" {
		t.Errorf("the file outside is now %q, %v", victim, err)
	}
	return dir, failure
}

func TestUnpackRefusesEscapes(t *testing.T) {
	tests := map[string][]entry{
		"upwards":                       {file("../victim", "x")},
		"upwards in the middle":         {file("a/../../victim", "x")},
		"absolute":                      {file("/victim", "x")},
		"link upwards":                  {link("a/l", "../../victim")},
		"absolute link":                 {link("a/l", "/etc/passwd")},
		"link to the parent":            {link("l", "..")},
		"empty link":                    {link("l", "")},
		"through a link":                {directory("a/b"), link("a/l", "b"), file("a/l/f", "x")},
		"through a link to itself":      {link("l", "."), file("l/f", "x")},
		"over a link's parent":          {directory("a/b/c"), link("a/b/c/s", "../../.."), link("a/b/c/s/l", "../../../../victim")},
		"links that add up":             {directory("a/b/c"), link("a/b/c/s", "../../.."), link("a/l", "b/c/s/../victim")},
		"circle of links":               {link("a/x", "y"), link("a/y", "x")},
		"hard link upwards":             {hard("a/l", "../victim")},
		"absolute hard link":            {hard("a/l", "/etc/passwd")},
		"hard link to a link":           {link("a/s", "f"), hard("a/l", "a/s")},
		"hard link to nothing":          {hard("a/l", "a/none")},
		"hard link through a link":      {directory("a/b"), file("a/b/f", "x"), link("a/s", "b"), hard("a/l", "a/s/f")},
		"device":                        {entry{kind: tar.TypeChar, name: "a/null"}},
		"fifo":                          {entry{kind: tar.TypeFifo, name: "a/fifo"}},
		"directory over a file":         {file("a", "x"), directory("a")},
		"file over a directory":         {directory("a"), file("a", "x")},
		"file below a file":             {file("a", "x"), file("a/b", "x")},
		"directory over a link":         {link("a", "."), directory("a")},
		"link over a directory":         {directory("a"), link("a", "b")},
		"file over a link, link inside": {link("a/l", "b"), file("a/l/c", "x")},
	}
	for name, entries := range tests {
		t.Run(name, func(t *testing.T) {
			_, failure := unpack(t, tgz(t, entries...), 1<<20)
			if failure == nil || failure.Reason != protocol.PackageUnsafePath {
				t.Errorf("failure %+v", failure)
			}
		})
	}
}

func TestUnpack(t *testing.T) {
	dir, failure := unpack(t, tgz(t,
		entry{kind: tar.TypeXGlobalHeader, name: "pax_global_header"},
		directory("./"), directory("./app/"),
		entry{kind: tar.TypeReg, name: "./app/startscript", content: "first", mode: 0o4755},
		file("app/deep/er/file", "deep"),
		link("app/l", "deep/er/file"), link("app/dangling", "none"), link("app/deep/up", "../startscript"),
		hard("app/h", "app/deep/er/file"), hard("app/h", "app/h"),
		link("app/again", "none"), file("app/again", "second"),
	), 1<<20)
	if failure != nil {
		t.Fatal(failure)
	}
	for name, want := range map[string]string{
		"app/startscript": "first", "app/deep/er/file": "deep", "app/l": "deep", "app/deep/up": "first", "app/h": "deep", "app/again": "second",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "app/startscript"))
	if err != nil || info.Mode() != 0o755 {
		t.Errorf("mode %v, %v: a package must give no rights", info.Mode(), err)
	}
	info, err = os.Stat(filepath.Join(dir, "app/h"))
	if err != nil || info.Sys().(*syscall.Stat_t).Nlink != 2 {
		t.Errorf("the hard link is a copy: %v", err)
	}
}

func TestUnpackLimits(t *testing.T) {
	zeros := strings.Repeat("\x00", 1<<20)
	tests := []struct {
		name    string
		content []byte
		limit   int64
		want    protocol.FaultReason
	}{
		{"one file", tgz(t, file("a/f", zeros)), 1<<20 - 1, protocol.PackageTooLarge},
		{"two files", tgz(t, file("a/f", zeros), file("a/g", zeros)), 1<<20 + 1, protocol.PackageTooLarge},
		{"within", tgz(t, file("a/f", zeros)), 1 << 20, ""},
		{"zeros after the archive", append(tgz(t, file("a/f", "x")), gzipped(t, zeros)...), 1 << 19, protocol.PackageTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, failure := unpack(t, test.content, test.limit)
			var got protocol.FaultReason
			if failure != nil {
				got = failure.Reason
			}
			if got != test.want {
				t.Errorf("failure %+v, want %q", failure, test.want)
			}
		})
	}
}

func gzipped(t *testing.T, content string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// TestEveryTruncationIsRefused cuts an archive at each byte.
func TestEveryTruncationIsRefused(t *testing.T) {
	whole := tgz(t, directory("app"), file("app/startscript", "#!/bin/sh\necho hello\n"))
	for n := range whole {
		dir := t.TempDir()
		if failure := Unpack(bytes.NewReader(whole[:n]), dir, 1<<20); failure == nil || failure.Reason != protocol.PackageNotTgz {
			t.Fatalf("the first %d of %d bytes: %+v", n, len(whole), failure)
		}
	}
	if failure := Unpack(bytes.NewReader(append(whole, "trailing text"...)), t.TempDir(), 1<<20); failure != nil {
		t.Errorf("with trailing text: %v", failure)
	}
}

func TestTops(t *testing.T) {
	dir, failure := unpack(t, tgz(t, file("readme", "x"), file(".hidden/startscript", "x"), file("lib/x", "x"), file("app/startscript", "x")), 1<<20)
	if failure != nil {
		t.Fatal(failure)
	}
	tops, main, failure := Tops(dir)
	if failure != nil || main != "app" || strings.Join(tops, " ") != "app lib" {
		t.Errorf("Tops() = %q, %q, %v", tops, main, failure)
	}
}

// FuzzUnpack looks for archives that leave something outside, or a link to
// outside, or that panic.
func FuzzUnpack(f *testing.F) {
	f.Add(tgz(f, directory("app"), file("app/startscript", "x"), link("app/l", "startscript"), hard("app/h", "app/startscript")))
	f.Add(tgz(f, file("../victim", "x")))
	f.Add(tgz(f, directory("a/b/c"), link("a/b/c/s", "../../.."), link("a/l", "b/c/s/../victim")))
	f.Add([]byte("no archive"))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir, failure := unpack(t, content, 1<<16)
		if failure != nil {
			return
		}
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Type()&fs.ModeSymlink == 0 {
				return err
			}
			if real, err := filepath.EvalSymlinks(path); err == nil && real != dir && !strings.HasPrefix(real, dir+"/") {
				t.Errorf("%s leads to %s", path, real)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
