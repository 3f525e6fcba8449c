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
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A patch that the tree has grown away from would catch nothing. Whether what it
// makes compiles, make mutants finds out.
func TestPatchesApply(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mutants, err := readMutants(".", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(mutants) < 24 {
		t.Errorf("there are %d patches", len(mutants))
	}
	told := map[string]string{}
	for _, m := range mutants {
		m.path = filepath.Join(root, folder, m.path)
		if _, err := m.overlay(root, t.TempDir()); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if other, known := told[m.breaks]; known {
			t.Errorf("%s and %s say that they break the same", m.name, other)
		}
		told[m.breaks] = m.name
	}
}

func TestOverlayLeavesTheTreeAlone(t *testing.T) {
	root, work := t.TempDir(), t.TempDir()
	file := filepath.Join(root, "pkg", "x.go")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("one\ntwo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "m.patch")
	text := "# two is three\n--- a/pkg/x.go\n+++ b/pkg/x.go\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := readMutant("m", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.overlay(root, work); err != nil {
		t.Fatal(err)
	}
	if kept, _ := os.ReadFile(file); string(kept) != "one\ntwo\n" {
		t.Errorf("the tree has %q", kept)
	}
	if changed, _ := os.ReadFile(filepath.Join(work, "m", "pkg", "x.go")); string(changed) != "one\nthree\n" {
		t.Errorf("the copy has %q", changed)
	}
	if err := os.WriteFile(file, []byte("one\nfour\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.overlay(root, work); err == nil || !strings.Contains(err.Error(), "does not apply") {
		t.Errorf("a patch of another text: %v", err)
	}
}

func TestListen(t *testing.T) {
	for said, want := range map[string]verdict{
		"=== CONT  TestWalks/seeds/1\n    walk_test.go:1: violated: once per number: configure ran twice\n": {caught: true, by: "once per number", walks: 1},
		"    sweep_test.go:5: a death at request 3, {true 0}, makes a difference (-want +got):\n":           {caught: true, by: "a death makes a difference"},
		"    budget_test.go:4: writes until ready (-want +got):\n":                                          {caught: true, by: "writes until ready"},
		"panic: deadlock: all is blocked\n\ngoroutine 1":                                                    {caught: true, by: "deadlock: all is blocked"},
		"    --- FAIL: TestSweep/create/7 (0.1s)\n":                                                         {caught: true, by: "TestSweep/create/7"},
		"    sweep_test.go:5: 34 deaths\n--- PASS: TestSweep (0.1s)\n":                                      {},
	} {
		if got, err := listen(strings.NewReader(said)); err != nil || got != want {
			t.Errorf("of %q: %+v, %v instead of %+v", said, got, err, want)
		}
	}
}
