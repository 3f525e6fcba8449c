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

package execute

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryActionHasACase holds that the set of actions is closed: what package
// plan can decide, this package can carry out.
func TestEveryActionHasACase(t *testing.T) {
	want := actionsOfPlan(t)
	if len(want) < 10 {
		t.Fatalf("found only the actions %v", want)
	}
	if diff := cmp.Diff(want, casesOfExecutor(t)); diff != "" {
		t.Errorf("the actions of plan, and the cases for them (-want +got):\n%s", diff)
	}
}

// actionsOfPlan are the types of package plan that have the method isAction.
func actionsOfPlan(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "plan", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, file := range files {
		for _, declaration := range parse(t, file).Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Name.Name != "isAction" {
				continue
			}
			actions = append(actions, method.Recv.List[0].Type.(*ast.Ident).Name)
		}
	}
	slices.Sort(actions)
	return actions
}

// casesOfExecutor are the types plan.X in the cases of this package's switch over actions.
func casesOfExecutor(t *testing.T) []string {
	t.Helper()
	var cases []string
	ast.Inspect(parse(t, "executor.go"), func(node ast.Node) bool {
		clause, ok := node.(*ast.CaseClause)
		if !ok {
			return true
		}
		for _, expression := range clause.List {
			if selector, ok := expression.(*ast.SelectorExpr); ok {
				cases = append(cases, selector.Sel.Name)
			}
		}
		return true
	})
	slices.Sort(cases)
	return cases
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
