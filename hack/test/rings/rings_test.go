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

// Package rings holds the order of imports: the pure core knows no client, and
// effects know no wiring.
package rings

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/bluek8s/kubedirector/"

// The pure core, in pkg/.
var core = []string{"apis/kubedirector/v1alpha1", "names", "catalog", "configmeta", "lifecycle", "resources", "plan", "validate", "guest/protocol"}

// What effects must not import, in pkg/ and cmd/.
var wiring = []string{"pkg/controller", "pkg/config", "cmd"}

var effects = []string{"observe", "execute", "freshness", "guest"}

func deps(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", module+"pkg/"+pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps pkg/%s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

func TestRingsCoreKnowsNoClient(t *testing.T) {
	for _, pkg := range core {
		for _, dep := range deps(t, pkg) {
			if strings.HasPrefix(dep, "k8s.io/client-go") || strings.HasPrefix(dep, module+"pkg/generated") {
				t.Errorf("pkg/%s reaches %s", pkg, dep)
			}
		}
	}
}

func TestRingsEffectsKnowNoWiring(t *testing.T) {
	for _, pkg := range effects {
		for _, dep := range deps(t, pkg) {
			for _, outer := range wiring {
				if dep == module+outer || strings.HasPrefix(dep, module+outer+"/") {
					t.Errorf("pkg/%s reaches %s", pkg, dep)
				}
			}
		}
	}
}
