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
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestNodeLoss cuts the power of a node with a member on it. It is not parallel,
// for other tests have members there too.
func TestNodeLoss(t *testing.T) {
	f := newFixture(t, "nodeloss")
	f.applyGoodApp()
	f.apply(newCluster("c", "testapp", members(2)))
	f.untilReady("c")
	f.eventually(patience, "the pods are Ready", func(ctx context.Context) (bool, string) {
		return isPodReady(f.pod("c-node-0")) && isPodReady(f.pod("c-node-1")), "not yet"
	})
	pod := f.pod("c-node-1")
	node := pod.Spec.NodeName

	f.devcluster("stop-node", node)
	t.Cleanup(func() { f.devcluster("start-node", node) })
	f.until("c", "tells that the node is lost", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		ready := condition(cluster, v1alpha1.ConditionReady)
		return cluster.Status.State == v1alpha1.ClusterNodeDown && ready.Status == metav1.ConditionFalse &&
			ready.Reason == v1alpha1.ReasonNodeLost && mentions(ready.Message, []string{"c-node-1", node})
	})

	f.devcluster("start-node", node)
	f.until("c", "ready with another container", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return isReady(cluster) && memberOf(cluster, "c-node-1").Incarnation != incarnation(containerID(pod))
	})
	if f.pod("c-node-1").UID != pod.UID {
		t.Error("the pod was replaced")
	}
	id := f.configcli("c-node-1", "node.id")
	if got, want := lines(f.exec("c-node-1", "cat", eventsFile)), []string{"node " + id + " --configure"}; !slices.Equal(got, want) {
		t.Errorf("the script was called for %q, want %q", got, want)
	}
}

// devcluster runs a command of hack/devcluster, which can take a node's power,
// on the devcluster whose kubeconfig was given.
func (f *fixture) devcluster(command ...string) {
	f.Helper()
	args := append([]string{"--dir", filepath.Dir(server.kubeconfig)}, command...)
	out, err := exec.Command(filepath.Join(root, ".cache", "bin", "devcluster"), args...).CombinedOutput()
	if err != nil {
		f.Errorf("devcluster %s: %v: %s", strings.Join(command, " "), err, out)
	}
}
