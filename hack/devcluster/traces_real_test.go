//go:build linux

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
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mountsTrace = "cat /proc/self/mounts"

// machineTraces lists what a devcluster could leave on the machine, by kind.
func machineTraces(t *testing.T, p *testProgram) map[string][]string {
	t.Helper()
	traces := map[string][]string{}
	for _, line := range []string{
		"ip -oneline -brief address", "ip route", "ip rule", "nft list ruleset", mountsTrace,
	} {
		words := strings.Fields(line)
		out, err := run(words[0], words[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		traces[line] = strings.Split(out, "\n")
	}
	for _, name := range sysctls {
		value, err := os.ReadFile(filepath.Join(machineSysctls, name))
		if err != nil {
			t.Fatal(err)
		}
		traces["sysctls"] = append(traces["sysctls"], name+" = "+strings.TrimSpace(string(value)))
	}
	ps, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range ps {
		traces["processes"] = append(traces["processes"], process.name)
	}
	traces["cgroups"] = cgroups(t, p.cluster().cgroup())
	traces["files"] = files(t)
	return traces
}

// cgroups lists the groups at the top of each hierarchy: that is where a devcluster makes its own.
func cgroups(t *testing.T, own string) []string {
	t.Helper()
	all, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, h := range all {
		entries, err := os.ReadDir(h.mount)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			// Another devcluster may come and go in a network namespace of its own.
			if e.IsDir() && (e.Name() == own || !strings.HasPrefix(e.Name(), "devcluster-")) {
				groups = append(groups, filepath.Join(h.mount, e.Name()))
			}
		}
	}
	return groups
}

// files lists all of the covered folders, and the top of the others where system software keeps files.
func files(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, dir := range covered {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.Name() == ".cache" || strings.HasPrefix(e.Name(), t.Name()) {
				return fs.SkipDir
			}
			found = append(found, path)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"/", "/etc", "/opt", "/usr/lib", "/usr/libexec", "/var", "/var/log"} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, e := range entries {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found
}

func compareTraces(t *testing.T, before, after map[string][]string) {
	t.Helper()
	for kind := range before {
		for _, line := range after[kind] {
			if !slices.Contains(before[kind], line) {
				t.Errorf("%s: down left %q", kind, line)
			}
		}
		for _, line := range before[kind] {
			// The machine's own mounts are still there below the covers, and end when the machine wants.
			if kind == mountsTrace {
				break
			}
			if !slices.Contains(after[kind], line) {
				t.Errorf("%s: %q is missing after down", kind, line)
			}
		}
	}
}
