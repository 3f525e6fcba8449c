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

package resources

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write testdata anew")

func goldenInputs(t *testing.T) map[string]RoleInput {
	return map[string]RoleInput{
		"plain":      testInput(t, "Worker_1", withEnv),
		"storage":    testInput(t, "Worker_1", withStorage),
		"restricted": testInput(t, "Worker_1", asNonRoot),
		"terminal":   testInput(t, "shell", withCapability, withGPU),
		"systemd":    testInput(t, "Worker_1", withSystemd),
		"reschedule": testInput(t, "Worker_1", withReschedule),
	}
}

// TestGoldenStatefulSets holds what this BuilderVersion renders. A difference
// means that BuilderVersion must grow and that testdata gets another directory.
func TestGoldenStatefulSets(t *testing.T) {
	for name, in := range goldenInputs(t) {
		t.Run(name, func(t *testing.T) {
			got, err := yaml.Marshal(StatefulSet(in))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "v"+BuilderVersion, name+".yaml")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// TestOlderBuildersAreLeftAlone holds that no builder patches what another has
// rendered from the same inputs: it would restart the members of every cluster.
func TestOlderBuildersAreLeftAlone(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "v*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	inputs, builders := goldenInputs(t), map[string]bool{}
	for _, file := range files {
		builders[filepath.Base(filepath.Dir(file))] = true
		t.Run(file, func(t *testing.T) {
			in, known := inputs[strings.TrimSuffix(filepath.Base(file), ".yaml")]
			if !known {
				t.Fatal("nothing is rendered under this name any more: who has such a set keeps it")
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var have appsv1.StatefulSet
			if err := yaml.UnmarshalStrict(text, &have); err != nil {
				t.Fatal(err)
			}
			if patch, drifted := SetDrift(&have, StatefulSet(in)); drifted {
				t.Errorf("it would be patched: %s", patch)
			}
		})
	}
	for version := 1; strconv.Itoa(version) != BuilderVersion; version++ {
		if name := "v" + strconv.Itoa(version); !builders[name] {
			t.Errorf("testdata has no %s", name)
		}
	}
}
