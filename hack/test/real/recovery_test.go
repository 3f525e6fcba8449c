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
	"encoding/json"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// replacedWithin is how long Kubernetes may take to replace a pod whose node is
// known to be dead. It looks every 20 seconds, and a Node must have been gone for 40: on a busy machine a minute is just too little.
const replacedWithin = 2 * time.Minute

// TestNodeDeleted deletes the Node of a machine without power: its pod is
// replaced on another one, and the machine returns as a new Node.
func TestNodeDeleted(t *testing.T) {
	f := newFixture(t, "nodedeleted")
	lost := f.loseMember()
	f.must(server.kube.CoreV1().Nodes().Delete(t.Context(), lost.node, metav1.DeleteOptions{}))
	lost.wantReplaced(f, "the Node was deleted")
	f.startNode(lost.node)
	lost.wantOnlyOne(f)
}

// TestOutOfService tells Kubernetes that a node without power will not return:
// its pod is replaced on another one.
func TestOutOfService(t *testing.T) {
	f := newFixture(t, "outofservice")
	lost := f.loseMember()
	f.Cleanup(func() { f.setTaints(lost.node) })
	f.setTaints(lost.node, corev1.Taint{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute})
	lost.wantReplaced(f, "the node was declared out of service")
	f.startNode(lost.node)
	f.setTaints(lost.node)
	lost.wantOnlyOne(f)
}

// lostMember is the one of two members whose node has no power.
type lostMember struct {
	outage
	cluster   string
	near, pod *corev1.Pod
	data      string
	claims    map[string]string
}

// loseMember makes a cluster of two members with storage and cuts the power of one.
func (f *fixture) loseMember() lostMember {
	f.Helper()
	f.applyDirected(v1alpha1.EventRestart)
	f.apply(newCluster("c", "testapp", members(2), storage("50Mi"), deletesVolumes))
	f.untilPodsReady("c")
	lost := lostMember{cluster: "c"}
	lost.near, lost.pod = f.parted("c", f.pod("c-node-0").Spec.NodeName)
	lost.data, lost.claims = f.writeData(lost.pod.Name), f.claims()
	lost.outage = f.cutPower(lost.pod.Spec.NodeName)
	f.until("c", "tells that a node is lost", func(cluster *v1alpha1.KubeDirectorCluster) bool { return isNodeDown(cluster, lost.pod) })
	return lost
}

// wantReplaced waits until the member is ready in another pod, on another node,
// and checks that it has kept all that it had.
func (l *lostMember) wantReplaced(f *fixture, since string) {
	f.Helper()
	begun := time.Now()
	f.eventually(replacedWithin, "another pod "+l.pod.Name, func(ctx context.Context) (bool, string) {
		pod, err := f.tryPod(ctx, l.pod.Name)
		if err != nil {
			return false, err.Error()
		}
		return pod.UID != l.pod.UID, fmt.Sprintf("the old one is still there, deletion asked at %s", pod.DeletionTimestamp)
	})
	f.Logf("another pod %s after %s", time.Since(begun).Round(time.Millisecond), since)
	f.untilReadyAgain(l.cluster, l.pod.Name)
	f.Logf("ready %s after %s", time.Since(begun).Round(time.Millisecond), since)

	if node := f.pod(l.pod.Name).Spec.NodeName; node == l.node {
		f.Errorf("the new pod is on node %s, which has no power", node)
	}
	f.wantCalls(l.pod.Name, "--configure", "--restart")
	f.wantData(l.pod.Name, l.data)
	f.wantClaims(l.claims)
}

// wantOnlyOne checks that a node that has returned changes nothing: the member
// stays in the pod that it has now, and its peer has heard of nothing.
func (l *lostMember) wantOnlyOne(f *fixture) {
	f.Helper()
	f.untilReadyAgain(l.cluster, l.pod.Name)
	f.wantCalls(l.pod.Name, "--configure", "--restart")
	f.wantCalls(l.near.Name, "--configure")
	f.wantSameContainer(l.near)
	f.wantData(l.pod.Name, l.data)
}

// setTaints leaves a node these taints of the test, and Kubernetes' own.
func (f *fixture) setTaints(node string, taints ...corev1.Taint) {
	f.Helper()
	ctx := context.Background() // the test's own may have ended
	before, err := server.kube.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	f.must(err)
	for _, taint := range before.Spec.Taints {
		if taint.Key != corev1.TaintNodeOutOfService {
			taints = append(taints, taint)
		}
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"taints": taints}})
	f.must(err)
	_, err = server.kube.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, patch, metav1.PatchOptions{})
	f.must(err)
}
