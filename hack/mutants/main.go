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
// Mutants tells whether the simulation would notice a mistake. Each patch beside
// this file is one that a person could make in the controller. It is laid over
// the tree, which stays as it is, and the simulation is to fail with it.
//
//	mutants                    all patches, as a table in Markdown
//	mutants plan-veto-ignored  only these
//	mutants -check             whether each still applies and compiles
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// folder is where the patches are, below the root of the tree.
const folder = "hack/mutants"

func main() {
	check := flag.Bool("check", false, "only apply the patches and compile what they change")
	flag.Parse()
	if err := run(*check, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(check bool, names []string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	mutants, err := readMutants(filepath.Join(root, folder), names)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	bench := &bench{root: root, work: work}
	if check {
		return checkAll(bench, mutants)
	}
	return tryAll(bench, mutants)
}

// checkAll finds the patches that the tree has grown away from.
func checkAll(b *bench, mutants []mutant) error {
	failed := 0
	for _, m := range mutants {
		if err := b.compile(m); err != nil {
			failed++
			fmt.Printf("%s: %v\n", m.name, err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d patches do not apply or do not compile", failed, len(mutants))
	}
	fmt.Printf("%d patches apply and compile\n", len(mutants))
	return nil
}

// tryAll prints a row for each mutant, and fails if one survives. What fails
// without any patch would catch everything, so that comes first.
func tryAll(b *bench, mutants []mutant) error {
	v, err := b.try(mutant{})
	switch {
	case err != nil:
		return err
	case v.caught:
		return fmt.Errorf("the simulation fails without a patch: %s", v.by)
	}
	fmt.Fprintf(os.Stderr, "without a patch the simulation passes in %s\n", v.after)
	var survivors, broken []string
	fmt.Println("| mutation | breaks | caught by | after |\n|---|---|---|---|")
	for _, m := range mutants {
		v, err := b.try(m)
		switch {
		case err != nil:
			broken = append(broken, m.name)
			fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
			continue
		case !v.caught:
			survivors = append(survivors, m.name)
		}
		fmt.Printf("| `%s` | %s | %s |\n", m.name, m.breaks, v)
	}
	fmt.Fprintf(os.Stderr, "%d caught, %d survived, %d broken\n", len(mutants)-len(survivors)-len(broken), len(survivors), len(broken))
	if lost := append(survivors, broken...); len(lost) > 0 {
		return fmt.Errorf("not caught: %s", strings.Join(lost, ", "))
	}
	return nil
}
