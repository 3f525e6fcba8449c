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

package v1alpha1

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const troubleshooting = "../../../../docs/troubleshooting.md"

// Who meets a reason finds a section of its name, and no section outlives its reason.
func TestEveryReasonIsExplained(t *testing.T) {
	declared, explained := declaredReasons(t), sectionsOf(t, troubleshooting)
	if len(declared) == 0 {
		t.Fatal("conditions.go declares no reasons")
	}
	if diff := cmp.Diff(declared, explained); diff != "" {
		t.Errorf("reasons in conditions.go (-), sections of %s (+):\n%s", troubleshooting, diff)
	}
}

// declaredReasons are the values of the constants Reason… in conditions.go, sorted.
func declaredReasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatalf("%s: %v", spec.Names[0].Name, err)
		}
		reasons = append(reasons, value)
		return false
	})
	slices.Sort(reasons)
	return reasons
}

// sectionsOf are the headings of the third level in a Markdown file, sorted.
func sectionsOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for line := range strings.Lines(string(text)) {
		if name, found := strings.CutPrefix(line, "### "); found {
			sections = append(sections, strings.TrimSpace(name))
		}
	}
	slices.Sort(sections)
	return sections
}
