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
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one patch. The zero mutant changes nothing.
type mutant struct {
	name string
	path string
	// breaks is what the first line of the patch says after its "# ".
	breaks string
	// files are those that the patch changes, below the root of the tree.
	files []string
}

// readMutants reads the patches of a folder, all or those of the given names.
func readMutants(folder string, names []string) ([]mutant, error) {
	var mutants []mutant
	if len(names) == 0 {
		found, err := filepath.Glob(filepath.Join(folder, "*.patch"))
		if err != nil {
			return nil, err
		}
		names = found
	}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".patch")
		m, err := readMutant(name, filepath.Join(folder, name+".patch"))
		if err != nil {
			return nil, err
		}
		mutants = append(mutants, m)
	}
	return mutants, nil
}

func readMutant(name, path string) (mutant, error) {
	m := mutant{name: name, path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	for i, line := range strings.Split(string(text), "\n") {
		if says, ok := strings.CutPrefix(line, "# "); ok && i == 0 {
			m.breaks = says
		}
		if file, ok := strings.CutPrefix(line, "+++ b/"); ok {
			m.files = append(m.files, file)
		}
	}
	if m.breaks == "" || len(m.files) == 0 {
		return m, fmt.Errorf("%s: its first line is to say what it breaks, and a unified diff to follow", path)
	}
	return m, nil
}

// packages are the folders of the files that a mutant changes.
func (m mutant) packages() []string {
	var all []string
	for _, file := range m.files {
		all = append(all, "./"+filepath.Dir(file))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// overlay applies a mutant to copies of the files that it changes, and writes
// the file that has the go command read these instead.
func (m mutant) overlay(root, work string) (string, error) {
	replaced := map[string]string{}
	for _, file := range m.files {
		to := filepath.Join(work, m.name, file)
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return "", err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return "", err
		}
		replaced[filepath.Join(root, file)] = to
	}
	if len(m.files) > 0 {
		apply := exec.Command("git", "apply", m.path)
		apply.Dir = filepath.Join(work, m.name)
		apply.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+work) // a tree of its own, wherever it lies
		if said, err := apply.CombinedOutput(); err != nil {
			return "", fmt.Errorf("it does not apply: %s", strings.TrimSpace(string(said)))
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	path := filepath.Join(work, m.name+".overlay.json")
	return path, os.WriteFile(path, text, 0o644)
}
