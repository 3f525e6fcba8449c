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

package validate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

func TestChange(t *testing.T) {
	recorded := []RecordedRole{{ID: "controller", Members: 1, InputsHash: "c"}, {ID: "worker", Members: 2, InputsHash: "w"}}
	hashes := map[string]string{"controller": "c", "worker": "w"}
	for _, c := range []struct {
		name     string
		recorded []RecordedRole
		change   func(*situation)
		hashes   map[string]string
		want     string
	}{
		{"nothing", recorded, func(*situation) {}, hashes, ""},
		{"the same number left out", recorded, func(s *situation) { s.role(0).Members = ptr.To[int32](1) }, hashes, ""},
		{"what is rendered, before the cluster was ready", []RecordedRole{{ID: "controller", Members: 1}, {ID: "worker", Members: 2}},
			func(*situation) {}, map[string]string{"controller": "other"}, ""},
		{"more members", recorded, func(s *situation) { s.role(1).Members = ptr.To[int32](5) }, hashes,
			`spec.roles[1].members: Forbidden: 2 -> 5: changing the number of members of a cluster whose members exist is not supported yet: set it back to 2, or create another cluster`},
		{"the number left out", recorded, func(s *situation) { s.role(1).Members = nil }, hashes,
			`spec.roles[1].members: Forbidden: 2 -> 1: changing the number of members of a cluster whose members exist is not supported yet: set it back to 2, or create another cluster`},
		{"another role", recorded, func(s *situation) {
			s.cluster.Spec.Roles = append(s.cluster.Spec.Roles, v1alpha1.ClusterRole{ID: "jupyter"})
		}, hashes,
			`spec.roles[2]: Forbidden: adding role "jupyter" to a cluster whose members exist is not supported yet: remove it, or create another cluster`},
		{"a role less", recorded, func(s *situation) { s.cluster.Spec.Roles = s.cluster.Spec.Roles[1:] }, hashes,
			`spec.roles: Forbidden: removing role "controller", of which 1 members exist, is not supported yet: put it back, or create another cluster`},
		{"what is rendered", recorded, func(*situation) {}, map[string]string{"controller": "c", "worker": "other"},
			`spec.roles[1]: Forbidden: changing the resources, storage, env or securityContext of role "worker", whose members exist, is not supported yet: set them back, or create another cluster`},
		{"the order of the roles", recorded, func(s *situation) { roles := s.cluster.Spec.Roles; roles[0], roles[1] = roles[1], roles[0] }, hashes, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := validSituation()
			c.change(s)
			faults := Change(c.recorded, s.cluster, catalog.New(s.app.Name, &s.app.Spec), func(id string) string { return c.hashes[id] })
			if diff := cmp.Diff(c.want, lines(faults)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
