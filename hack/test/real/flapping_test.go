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
	"testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestFlapping cuts the power of a node again and again: for as long as it takes
// to be noticed, for less than that, and while its members are being set up. No
// script runs twice in a container, and all ends well.
func TestFlapping(t *testing.T) {
	f := newFixture(t, "flapping")
	f.applyDirected(v1alpha1.EventRestart)
	f.apply(newCluster("bare", "testapp", members(2)), newCluster("kept", "testapp", members(2), storage("50Mi"), deletesVolumes))
	f.untilPodsReady("bare", "kept")
	node := f.pod("kept-node-1").Spec.NodeName
	nearBare, bare := f.parted("bare", node)
	nearKept, kept := f.parted("kept", node)
	data, claims := f.writeData(kept.Name), f.claims()

	f.cutPower(node)
	begun := f.startNode(node)
	// Its containers are just being started.
	f.devcluster("stop-node", node)
	f.devcluster("start-node", node)
	f.untilBack("bare", bare, begun)
	f.untilBack("kept", kept, begun)
	bare, kept = f.pod(bare.Name), f.pod(kept.Name)

	// Back before Kubernetes can miss it.
	f.devcluster("stop-node", node)
	f.devcluster("start-node", node)
	f.untilNode(node, true)
	f.untilBack("bare", bare, begun)
	f.untilBack("kept", kept, begun)

	f.wantCalls(bare.Name, "--configure")
	if got, most := len(f.calls(kept.Name)), 1+f.restarts(kept.Name); got > most {
		t.Errorf("%s: the script was called %d times in %d lives of the container", kept.Name, got, most)
	}
	for _, near := range []string{nearBare.Name, nearKept.Name} {
		f.wantCalls(near, "--configure")
	}
	f.wantSameContainer(nearBare)
	f.wantSameContainer(nearKept)
	f.wantData(kept.Name, data)
	f.wantClaims(claims)
}
