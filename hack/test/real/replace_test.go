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
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// TestReplace replaces the lower of two workers: first one whose script hangs,
// by a member that finds the data; then that one, together with its volume.
func TestReplace(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "replace")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(v1alpha1.EventRestart))
	f.apply(newCluster("c", "testapp", crew(2), workersWithStorage))
	f.untilReady("c")
	f.exec("c-worker-0", "sh", "-c", "echo precious >/var/lib/testapp/data")
	f.direct("c-worker-0", v1alpha1.EventRestart, "sleep", 250)
	pod, claim := f.pod("c-worker-0"), f.claim("c-worker-0")
	others := []*corev1.Pod{f.pod("c-head-0"), f.pod("c-worker-1")}

	f.killContainer("c-worker-0")
	f.untilCalled("c-worker-0", "--restart")
	begun := time.Now()
	f.annotate("c", names.AnnotationReplace, "2")
	f.untilNodeID("c-worker-0", 4)
	f.logSince(begun, "a member replaced whose script hung, ready after")
	if f.pod("c-worker-0").UID == pod.UID {
		t.Error("the pod is the one whose script hung")
	}
	if f.claim("c-worker-0").UID != claim.UID || f.exec("c-worker-0", "cat", "/var/lib/testapp/data") != "precious\n" {
		t.Error("the volume is another one")
	}
	f.wantCalls("c-worker-0", "--configure", "--restart", "--configure")
	replaced := []string{f.speaksOf(v1alpha1.EventDelNodes, "worker", "c-worker-0"), f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-0")}
	wantTold := func(times int) {
		t.Helper()
		want := []string{"--configure"}
		for range times {
			want = append(want, replaced...)
		}
		for _, peer := range others {
			f.wantCalls(peer.Name, want...)
		}
	}
	wantTold(1)

	begun = time.Now()
	f.annotate("c", names.AnnotationReplace, "4+volume")
	f.untilNodeID("c-worker-0", 5)
	f.logSince(begun, "a member replaced with its volume, ready after")
	if f.claim("c-worker-0").UID == claim.UID {
		t.Error("the volume is the one that was to be replaced")
	}
	f.wantCalls("c-worker-0", "--configure")
	wantTold(2)
	f.wantSamePods(others...)
	if diff := cmp.Diff(map[string]int64{"c-head-0": 1, "c-worker-0": 5, "c-worker-1": 3}, nodeIDs(f.get("c"))); diff != "" {
		t.Errorf("node IDs (-want +got):\n%s", diff)
	}
}

// untilNodeID waits until the cluster is ready with a member of that node ID.
func (f *fixture) untilNodeID(pod string, id int64) {
	f.Helper()
	f.until("c", fmt.Sprintf("ready with node ID %d", id), func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return isReady(cluster) && memberOf(cluster, pod).NodeID == id
	})
}

func (f *fixture) claim(pod string) *corev1.PersistentVolumeClaim {
	f.Helper()
	claim, err := server.kube.CoreV1().PersistentVolumeClaims(f.namespace).Get(f.Context(), names.Claim(pod), metav1.GetOptions{})
	f.must(err)
	return claim
}

// TestReplaceOnDeadNode cuts the power of the lowest worker's node, and has the
// worker replaced. It is not parallel, for other tests have members there too.
func TestReplaceOnDeadNode(t *testing.T) {
	f := newFixture(t, "dead")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(), newCluster("c", "testapp", crew(3)))
	ready := f.untilReady("c")
	f.eventually(patience, "the pods are Ready", func(context.Context) (bool, string) {
		for member := range nodeIDs(ready) {
			if !isPodReady(f.pod(member)) {
				return false, member + " is not"
			}
		}
		return true, ""
	})
	lost := f.pod("c-worker-0")
	f.devcluster("stop-node", lost.Spec.NodeName)
	t.Cleanup(func() { f.devcluster("start-node", lost.Spec.NodeName) })
	f.until("c", "the node is lost", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return memberOf(cluster, "c-worker-0").State == v1alpha1.MemberLost
	})

	begun := time.Now()
	f.annotate("c", names.AnnotationReplace, "2")
	f.until("c", "another member is in the place of the lost one", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		m := memberOf(cluster, "c-worker-0")
		return m.NodeID == 5 && m.State == v1alpha1.MemberReady
	})
	f.logSince(begun, "a member of a dead node replaced, its successor ready after")
	if now := f.pod("c-worker-0"); now.UID == lost.UID || now.Spec.NodeName == lost.Spec.NodeName {
		t.Errorf("the member's pod is on %s", now.Spec.NodeName)
	}

	f.devcluster("start-node", lost.Spec.NodeName)
	f.untilReady("c")
	told := []string{f.speaksOf(v1alpha1.EventDelNodes, "worker", "c-worker-0"), f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-0")}
	for member := range nodeIDs(ready) {
		if member == "c-worker-0" { // by metadata that names it
			f.wantCalls(member, "--configure")
			continue
		}
		// Who was lost, too, is configured from scratch first; nothing is kept from who was configured before.
		f.wantCalls(member, append([]string{"--configure"}, told...)...)
	}
}
