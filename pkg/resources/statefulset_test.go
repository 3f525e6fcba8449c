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
	"testing"

	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// TestReplicas holds that members without pods keep their node IDs.
func TestReplicas(t *testing.T) {
	for name, test := range map[string]struct {
		replicas *int32
		want     int32
	}{
		"all members": {nil, 2},
		"one leaves":  {ptr.To[int32](1), 1},
		"suspended":   {ptr.To[int32](0), 0},
	} {
		t.Run(name, func(t *testing.T) {
			set := StatefulSet(testInput(t, "Worker_1", func(in *RoleInput) { in.Replicas = test.replicas }))
			if got := *set.Spec.Replicas; got != test.want {
				t.Errorf("%d replicas, want %d", got, test.want)
			}
			if got := set.Annotations[names.AnnotationNodeIDs]; got != "3,4" {
				t.Errorf("node IDs are %q", got)
			}
		})
	}
}
