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
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestVolumesAdopted deletes a cluster, whose members' scripts for event delete
// run while every pod is there, and makes one of the same name: its members are
// new ones, with the volumes and the data of the old.
func TestVolumesAdopted(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "adopted")
	f.applyDirected(v1alpha1.EventRestart, v1alpha1.EventStart, v1alpha1.EventDelete)
	f.apply(newCluster("c", "testapp", members(2), storage("50Mi")))
	f.untilPodsReady("c")
	data, claims := map[string]string{}, f.claims()
	for _, pod := range []string{"c-node-0", "c-node-1"} {
		data[pod] = f.writeData(pod)
	}

	f.direct("c-node-0", v1alpha1.EventDelete, "sleep", 600)
	f.deleteCluster("c")
	f.untilCalled("c-node-0", "--delete")
	f.untilCalled("c-node-1", "--delete")
	f.wantAllRunning("c", 2)
	f.direct("c-node-0", v1alpha1.EventDelete, "sleep", 0)
	f.untilGone("c")
	f.untilEvent("c", "VolumesRetained", "persist-c-node-0", "persist-c-node-1")
	f.eventually(patience, "the claims alone are left", func(ctx context.Context) (bool, string) {
		left := f.childrenOf(ctx, "c")
		return slices.Equal(left, []string{"persistentvolumeclaims/persist-c-node-0", "persistentvolumeclaims/persist-c-node-1"}), strings.Join(left, ", ")
	})

	f.apply(newCluster("c", "testapp", members(2), storage("50Mi"), deletesVolumes))
	f.untilPodsReady("c")
	f.wantClaims(claims)
	for pod, sum := range data {
		f.wantData(pod, sum)
		f.wantCalls(pod, "--configure", "--delete", "--configure")
	}

	f.deleteCluster("c")
	f.untilGone("c")
	f.eventually(patience, "the claims are gone too", func(ctx context.Context) (bool, string) {
		left := f.childrenOf(ctx, "c")
		return len(left) == 0, strings.Join(left, ", ")
	})
}
