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

package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// Roles of sparkApp: controller has 1 member, worker 1 or more, edge 0 or more.
func TestMembers(t *testing.T) {
	app := New("spark", sparkApp())
	asked := func(id string, members int32) v1alpha1.ClusterRole {
		return v1alpha1.ClusterRole{ID: id, Members: ptr.To(members)}
	}
	controller, worker, edge := v1alpha1.ClusterRole{ID: "controller"}, v1alpha1.ClusterRole{ID: "worker"}, v1alpha1.ClusterRole{ID: "edge"}
	type roles = []v1alpha1.ClusterRole
	for _, c := range []struct {
		name    string
		roles   roles
		elastic *v1alpha1.Elastic
		want    map[string]int32
	}{
		{"as the cardinality says", roles{controller, worker, edge}, nil, map[string]int32{"controller": 1, "worker": 1, "edge": 0}},
		{"as the spec says, even what the cardinality refuses", roles{asked("controller", 2), asked("worker", 7)}, nil, map[string]int32{"controller": 2, "worker": 7}},
		{"roles that the app lacks", roles{controller, asked("unused", 3), asked("none", 3)}, nil, map[string]int32{"controller": 1}},
		{"elastic", roles{controller, worker}, &v1alpha1.Elastic{Role: "worker", Members: 5}, map[string]int32{"controller": 1, "worker": 5}},
		{"elastic in place of members", roles{asked("worker", 2)}, &v1alpha1.Elastic{Role: "worker", Members: 5}, map[string]int32{"worker": 5}},
		{"too few", roles{worker}, &v1alpha1.Elastic{Role: "worker"}, map[string]int32{"worker": 1}},
		{"none of a role that needs none", roles{edge}, &v1alpha1.Elastic{Role: "edge"}, map[string]int32{"edge": 0}},
		{"another number than exactly so many", roles{controller}, &v1alpha1.Elastic{Role: "controller", Members: 5}, map[string]int32{"controller": 1}},
		{"as many as there is room for", roles{worker, asked("controller", 1)}, &v1alpha1.Elastic{Role: "worker", Members: 999}, map[string]int32{"controller": 1, "worker": 999}},
		{"more than there is room for", roles{worker, asked("controller", 1)}, &v1alpha1.Elastic{Role: "worker", Members: 1000}, map[string]int32{"controller": 1, "worker": 999}},
		{"no room even for those it needs", roles{worker, asked("edge", 1000)}, &v1alpha1.Elastic{Role: "worker", Members: 3}, map[string]int32{"edge": 1000, "worker": 1}},
		{"less than no room, and none needed", roles{asked("worker", 1000), asked("controller", 1000), edge}, &v1alpha1.Elastic{Role: "edge", Members: 3},
			map[string]int32{"worker": 1000, "controller": 1000, "edge": 0}},
		{"elastic role that the cluster lacks", roles{controller}, &v1alpha1.Elastic{Role: "worker", Members: 3}, map[string]int32{"controller": 1}},
		{"elastic role that the app lacks", roles{controller, asked("unused", 3)}, &v1alpha1.Elastic{Role: "unused", Members: 3}, map[string]int32{"controller": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := app.Members(&v1alpha1.KubeDirectorClusterSpec{Roles: c.roles, Elastic: c.elastic})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
		})
	}
}
