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
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestNodeLoss cuts the power of a node with members on it, and gives it back.
// It is not parallel, for other tests have members there too.
func TestNodeLoss(t *testing.T) {
	f := newFixture(t, "nodeloss")
	f.applyDirected(v1alpha1.EventRestart)
	f.apply(newCluster("bare", "testapp", members(2)), newCluster("kept", "testapp", members(2), storage("50Mi"), deletesVolumes))
	f.untilPodsReady("bare", "kept")
	node := f.pod("bare-node-1").Spec.NodeName
	nearBare, bare := f.parted("bare", node)
	nearKept, kept := f.parted("kept", node)
	data, claims := f.writeData(kept.Name), f.claims()

	o := f.cutPower(node)
	f.wantNodeDownInTime(o, "bare", bare)
	f.wantNodeDownInTime(o, "kept", kept)

	begun := f.startNode(node)
	t.Logf("node %s was Ready %s after its start", node, time.Since(begun).Round(time.Millisecond))
	f.untilBack("bare", bare, begun)
	f.untilBack("kept", kept, begun)

	f.wantCalls(bare.Name, "--configure")
	f.wantCalls(kept.Name, "--configure", "--restart")
	f.wantCalls(nearBare.Name, "--configure")
	f.wantCalls(nearKept.Name, "--configure")
	f.wantSameContainer(nearBare)
	f.wantSameContainer(nearKept)
	f.wantData(kept.Name, data)
	f.wantClaims(claims)
}

// wantNodeDownInTime checks that a cluster shows what its member has lost within
// two seconds after Kubernetes gave up the node, and soon after the node fell silent.
func (f *fixture) wantNodeDownInTime(o outage, name string, lost *corev1.Pod) {
	f.Helper()
	cluster := f.until(name, "tells that a node is lost", func(cluster *v1alpha1.KubeDirectorCluster) bool { return isNodeDown(cluster, lost) })
	shown, seen := condition(cluster, v1alpha1.ConditionReady).LastTransitionTime.Time, time.Now()
	f.Logf("cluster %s node-down %s after the power cut; Kubernetes gave the node up at %s, Ready turned false at %s",
		name, seen.Sub(o.stopped).Round(time.Millisecond), o.noticed.Format(time.TimeOnly), shown.Format(time.TimeOnly))
	// Both times are known to the second.
	if late := shown.Sub(o.noticed); late < 0 || late > 2*time.Second {
		f.Errorf("cluster %s: Ready turned false %s after Kubernetes gave up the node", name, late)
	}
	if late := seen.Sub(o.stopped); late > gracePeriod+monitorPeriod+2*time.Second {
		f.Errorf("cluster %s was node-down %s after the power cut", name, late)
	}
	if state := memberOf(cluster, lost.Name).State; state != v1alpha1.MemberLost {
		f.Errorf("member %s is %s", lost.Name, state)
	}
}

// untilBack waits until a cluster is ready with another container in the pod that was lost.
func (f *fixture) untilBack(name string, lost *corev1.Pod, begun time.Time) {
	f.Helper()
	f.until(name, "ready with another container", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		member := memberOf(cluster, lost.Name)
		return isReady(cluster) && cluster.Status.State == v1alpha1.ClusterReady && member.Incarnation != incarnation(containerID(lost))
	})
	f.Logf("cluster %s was ready %s after its node was started", name, time.Since(begun).Round(time.Millisecond))
	if f.pod(lost.Name).UID != lost.UID {
		f.Errorf("pod %s was replaced", lost.Name)
	}
}

// untilPodsReady waits until clusters are ready, and Kubernetes knows it of their pods.
func (f *fixture) untilPodsReady(clusters ...string) {
	f.Helper()
	for _, cluster := range clusters {
		f.untilReady(cluster)
		f.eventually(patience, "the pods of cluster "+cluster+" are Ready", func(context.Context) (bool, string) {
			for _, pod := range f.podsOf(cluster) {
				if !isPodReady(pod) {
					return false, pod.Name + " is not"
				}
			}
			return true, ""
		})
	}
}

// wantSameContainer checks that nothing has happened to a pod's container.
func (f *fixture) wantSameContainer(before *corev1.Pod) {
	f.Helper()
	if now := f.pod(before.Name); now.UID != before.UID || containerID(now) != containerID(before) {
		f.Errorf("pod %s or its container is another one", before.Name)
	}
}

// isNodeDown is true of a cluster that tells that a member is lost with its node.
func isNodeDown(cluster *v1alpha1.KubeDirectorCluster, lost *corev1.Pod) bool {
	ready := condition(cluster, v1alpha1.ConditionReady)
	return cluster.Status.State == v1alpha1.ClusterNodeDown && ready.Status == metav1.ConditionFalse &&
		ready.Reason == v1alpha1.ReasonNodeLost && mentions(ready.Message, []string{lost.Name, lost.Spec.NodeName})
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
