//go:build real

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

package real

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestRoles adds a role and enlarges another by one edit, and takes both back by
// another. Members are called once for each role that changed, in the app's order.
func TestRoles(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "roles")
	app := crewApp()
	app.Spec.Roles = append(app.Spec.Roles, v1alpha1.Role{ID: "aide", Cardinality: "0+", ConfigureAfter: []string{"worker"}})
	app.Spec.Config.RoleServices = append(app.Spec.Config.RoleServices, v1alpha1.RoleServices{RoleID: "aide", ServiceIDs: []v1alpha1.ServiceID{"work"}})
	f.apply(packageMap("setup", startscript(t, timedScript)), app, newCluster("c", "testapp", crew(1)))
	before := f.untilReady("c")
	if left := f.mentioning("c", "c-aide"); len(left) > 0 {
		t.Errorf("a role that was not asked for has %v", left)
	}

	begun := time.Now()
	f.apply(newCluster("c", "testapp", crew(2), aides(2)))
	after := f.untilReady("c")
	f.logSince(begun, "a worker and two aides more, configured one role after the other: ready after")
	if got, want := after.Status.MetadataGeneration, before.Status.MetadataGeneration+1; got != want {
		t.Errorf("after one edit the metadata has generation %d, want %d", got, want)
	}
	joined := []string{
		f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1"),
		f.speaksOf(v1alpha1.EventAddNodes, "aide", "c-aide-0", "c-aide-1"),
	}
	f.wantCalls("c-head-0", append([]string{"--configure"}, joined...)...)
	f.wantCalls("c-worker-0", append([]string{"--configure"}, joined...)...)
	for _, aide := range []string{"c-aide-0", "c-aide-1"} {
		f.wantCalls(aide, "--configure")
		if configure, worker := f.timedCalls(aide)[0], f.timedCalls("c-worker-1")[0]; configure.began.Before(worker.ended) {
			t.Errorf("%s was configured %s before the worker was", aide, worker.ended.Sub(configure.began))
		}
	}
	if diff := cmp.Diff(map[string]int64{"c-head-0": 1, "c-worker-0": 2, "c-worker-1": 3, "c-aide-0": 4, "c-aide-1": 5}, nodeIDs(after)); diff != "" {
		t.Errorf("node IDs (-want +got):\n%s", diff)
	}

	begun = time.Now()
	f.apply(newCluster("c", "testapp", crew(1)))
	last := f.untilReady("c")
	f.logSince(begun, "a worker and the role of aides less, ready after")
	left := []string{
		f.speaksOf(v1alpha1.EventDelNodes, "worker", "c-worker-1"),
		f.speaksOf(v1alpha1.EventDelNodes, "aide", "c-aide-0", "c-aide-1"),
	}
	f.wantCalls("c-head-0", slices.Concat([]string{"--configure"}, joined, left)...)
	f.wantCalls("c-worker-0", slices.Concat([]string{"--configure"}, joined, left)...)
	if left := f.mentioning("c", "c-aide", "c-worker-1"); len(left) > 0 {
		t.Errorf("of the role that was removed and the worker there is still %v", left)
	}
	if len(last.Status.Roles) != 2 {
		t.Errorf("status tells of roles %+v", last.Status.Roles)
	}
	if got := f.configcli("c-head-0", "nodegroups.1.roles"); slices.Contains(lines(got), "aide") {
		t.Errorf("the metadata names the roles %q", got)
	}
}

// aides adds members of role aide.
func aides(n int32) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.Roles = append(cluster.Roles, v1alpha1.ClusterRole{ID: "aide", Members: ptr.To(n)})
	}
}
