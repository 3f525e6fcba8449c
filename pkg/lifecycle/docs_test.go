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

package lifecycle

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the documents that are printed from the tables")

const docs = "../../docs/"

func TestDocumentIsPrintedFromTheTables(t *testing.T) {
	const name = docs + "lifecycle.md"
	have := read(t, name)
	want := have
	for section, printed := range map[string]string{
		"cluster diagram":   clusterMachine.mermaid(),
		"cluster steps":     clusterMachine.steps(),
		"cluster decisions": clusterMachine.decisions(),
		"member diagram":    memberMachine.mermaid(),
		"member steps":      memberMachine.steps(),
		"member decisions":  memberMachine.decisions(),
	} {
		var err error
		if want, err = replaceSection(want, section, printed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	compareOrUpdate(t, name, have, want)
}

func TestDiagramsArePrintedFromTheTables(t *testing.T) {
	for name, want := range map[string]string{
		docs + "lifecycle-cluster.dot": clusterMachine.graphviz(),
		docs + "lifecycle-member.dot":  memberMachine.graphviz(),
	} {
		have := ""
		if !*update {
			have = read(t, name)
		}
		compareOrUpdate(t, name, have, want)
	}
}

// replaceSection puts the text between the two comments that mark the section.
func replaceSection(document, section, text string) (string, error) {
	begin, end := fmt.Sprintf("<!-- printed: %s -->\n", section), "<!-- end -->\n"
	before, rest, ok := strings.Cut(document, begin)
	if !ok {
		return "", fmt.Errorf("has no line %q", begin)
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("has no line %q after %q", end, begin)
	}
	return before + begin + text + end + after, nil
}

func compareOrUpdate(t *testing.T, name, have, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("%s is not what the tables print (-tables +file); run go test ./pkg/lifecycle -update:\n%s", name, diff)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
