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
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestReference(t *testing.T) {
	got, err := referenceOf("testdata/crds")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/reference.md"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// TestLinks holds that every link of the reference of this tree leads to a heading of it.
func TestLinks(t *testing.T) {
	reference, err := referenceOf("../../artifacts/crds")
	if err != nil {
		t.Fatal(err)
	}
	headings := map[string]bool{}
	links := 0
	for line := range strings.Lines(string(reference)) {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			headings[anchor(strings.TrimSpace(heading))] = true
		}
	}
	for _, rest := range strings.Split(string(reference), "](#")[1:] {
		link, _, _ := strings.Cut(rest, ")")
		if links++; !headings[link] {
			t.Errorf("a link leads to #%s, which no heading is", link)
		}
	}
	if links == 0 {
		t.Error("the reference has no link")
	}
}

func TestFolderWithoutDefinitions(t *testing.T) {
	if _, err := referenceOf(t.TempDir()); err == nil {
		t.Error("no error for a folder without a CRD")
	}
}
