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
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestStatusLostInResize empties the status of clusters that are being resized,
// while a member hears of others that join, or that leave. They come to where they were going, no
// pod starts again, and no script runs twice.
func TestStatusLostInResize(t *testing.T) {
	t.Parallel()
	for _, resize := range []struct {
		name     string
		from, to int32
		// during is what the member c-node-0 is called for meanwhile, news who that is about.
		during v1alpha1.LifecycleEvent
		news   []string
	}{
		{"grown", 1, 3, v1alpha1.EventAddNodes, []string{"c-node-1", "c-node-2"}},
		{"shrunk", 3, 1, v1alpha1.EventDelNodes, []string{"c-node-1", "c-node-2"}},
	} {
		t.Run(resize.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "lost"+resize.name)
			f.applyDirected()
			f.apply(newCluster("c", "testapp", members(resize.from)))
			f.untilPodsReady("c")
			news := f.told(resize.during, "c", resize.news...)
			f.direct("c-node-0", resize.during, "sleep", 600)
			f.apply(newCluster("c", "testapp", members(resize.to)))
			f.untilCalled("c-node-0", news)
			before, lives := f.get("c"), f.lives()
			f.setStatus("c", v1alpha1.KubeDirectorClusterStatus{})
			f.until("c", "knows its members again", func(cluster *v1alpha1.KubeDirectorCluster) bool {
				return len(nodeIDs(cluster)) == 3 && len(cluster.Status.PendingEvents) > 0
			})
			f.direct("c-node-0", resize.during, "sleep", 0)

			after := f.untilMembers("c", int(resize.to))
			f.wantLives(lives, int(resize.to))
			f.wantNodeIDsKept(before, after)
			f.wantCalls("c-node-0", "--configure", news)
			for n := 1; n < int(resize.to); n++ {
				f.wantCalls(fmt.Sprintf("c-node-%d", n), "--configure")
			}
		})
	}
}

// TestStatusRestored gives a cluster, while nobody looks, a status that is older
// than its last resize, as the restoration of a backup does. What has become of
// it since is found out again. It is not parallel, for it stops the controller.
func TestStatusRestored(t *testing.T) {
	f := newFixture(t, "restored")
	f.applyDirected()
	f.apply(newCluster("grown", "testapp", members(2)), newCluster("shrunk", "testapp", members(3)), newCluster("both", "testapp", members(2)))
	f.untilPodsReady("grown", "shrunk", "both")
	backups := map[string]v1alpha1.KubeDirectorClusterStatus{}
	for _, name := range []string{"grown", "shrunk", "both"} {
		backups[name] = f.get(name).Status
	}
	f.apply(newCluster("grown", "testapp", members(3)), newCluster("shrunk", "testapp", members(2)), newCluster("both", "testapp", members(3)))
	f.untilMembers("both", 3)
	f.apply(newCluster("both", "testapp", members(2)))
	before := map[string]*v1alpha1.KubeDirectorCluster{"grown": f.untilMembers("grown", 3), "shrunk": f.untilMembers("shrunk", 2), "both": f.untilMembers("both", 2)}
	lives, calls := f.lives(), f.allCalls()

	f.must(subject.stop())
	for name, status := range backups {
		f.setStatus(name, status)
	}
	f.must(subject.start())
	for name, size := range map[string]int{"grown": 3, "shrunk": 2, "both": 2} {
		after := f.untilMembers(name, size)
		f.wantNodeIDsKept(before[name], after)
	}
	f.wantLives(lives, 7)
	if diff := cmp.Diff(calls, f.allCalls()); diff != "" {
		t.Errorf("the calls of the scripts (-before +after):\n%s", diff)
	}

	// Node IDs are not given twice, and neither are the numbers of events: who joins now is announced.
	f.apply(newCluster("both", "testapp", members(3)))
	after := f.untilMembers("both", 3)
	if id := memberOf(after, "both-node-2").NodeID; id != before["both"].Status.LastNodeID+1 {
		t.Errorf("the new member has node ID %d, the last one that was given is %d", id, before["both"].Status.LastNodeID)
	}
	joins, leaves := f.told(v1alpha1.EventAddNodes, "both", "both-node-2"), f.told(v1alpha1.EventDelNodes, "both", "both-node-2")
	f.wantCalls("both-node-0", "--configure", joins, leaves, joins)
}

// setStatus gives a cluster another status, as somebody who restores a backup does.
func (f *fixture) setStatus(name string, status v1alpha1.KubeDirectorClusterStatus) {
	f.Helper()
	patch, err := json.Marshal([]map[string]any{{"op": "add", "path": "/status", "value": status}})
	f.must(err)
	_, err = server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Patch(f.Context(), name, types.JSONPatchType, patch, metav1.PatchOptions{}, "status")
	f.must(err)
}

// untilMembers waits until a cluster is ready, and has so many members and pods.
func (f *fixture) untilMembers(name string, n int) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	cluster := f.until(name, fmt.Sprintf("ready with %d members", n), func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return isReady(cluster) && cluster.Status.Membership == fmt.Sprintf("%d/%d", n, n) && len(nodeIDs(cluster)) == n
	})
	f.eventually(patience, fmt.Sprintf("cluster %s has %d pods, which are Ready", name, n), func(context.Context) (bool, string) {
		pods := f.podsOf(name)
		for _, pod := range pods {
			if !isPodReady(pod) {
				return false, pod.Name + " is not Ready"
			}
		}
		return len(pods) == n, fmt.Sprintf("%d pods", len(pods))
	})
	return cluster
}

// lives tell the containers of the namespace's pods, by pod.
func (f *fixture) lives() map[string]string {
	f.Helper()
	lives := map[string]string{}
	for _, pod := range f.pods() {
		lives[pod.Name] = fmt.Sprintf("pod %s, container %s", pod.UID, containerID(pod))
	}
	return lives
}

// wantLives checks that so many pods are left, in which nothing was started again.
func (f *fixture) wantLives(before map[string]string, n int) {
	f.Helper()
	now := f.lives()
	if len(now) != n {
		f.Errorf("there are %d pods, want %d", len(now), n)
	}
	maps.DeleteFunc(before, func(pod, _ string) bool { return now[pod] == "" })
	if diff := cmp.Diff(before, now); diff != "" {
		f.Errorf("the containers (-before +after):\n%s", diff)
	}
}

// wantNodeIDsKept checks that who is still there has the node ID that it had.
func (f *fixture) wantNodeIDsKept(before, after *v1alpha1.KubeDirectorCluster) {
	f.Helper()
	known := nodeIDs(before)
	for pod, id := range nodeIDs(after) {
		if known[pod] != id {
			f.Errorf("cluster %s: member %s has node ID %d, it had %d", after.Name, pod, id, known[pod])
		}
	}
	if after.Status.LastNodeID < before.Status.LastNodeID {
		f.Errorf("cluster %s: the last node ID is %d, it was %d", after.Name, after.Status.LastNodeID, before.Status.LastNodeID)
	}
	if after.Status.LastEvent < before.Status.LastEvent {
		f.Errorf("cluster %s: the last event has number %d, it had %d", after.Name, after.Status.LastEvent, before.Status.LastEvent)
	}
}

// allCalls are the calls of the scripts of all pods of the namespace.
func (f *fixture) allCalls() map[string][]string {
	f.Helper()
	calls := map[string][]string{}
	for _, pod := range f.pods() {
		calls[pod.Name] = f.calls(pod.Name)
	}
	return calls
}

// pods are those of the namespace.
func (f *fixture) pods() []*corev1.Pod {
	f.Helper()
	list, err := server.kube.CoreV1().Pods(f.namespace).List(f.Context(), metav1.ListOptions{})
	f.must(err)
	var pods []*corev1.Pod
	for i := range list.Items {
		pods = append(pods, &list.Items[i])
	}
	return pods
}

// TestStatusLostWhileSuspended empties the status of a suspended cluster. It goes
// on to be suspended, and starts as the cluster that it was.
func TestStatusLostWhileSuspended(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "lostasleep")
	f.applyDirected(v1alpha1.EventStop, v1alpha1.EventStart)
	f.apply(newCluster("c", "testapp", members(2), storage("50Mi"), deletesVolumes))
	f.untilPodsReady("c")
	enduring := f.enduringOf("c")
	f.patchCluster("c", `{"spec":{"suspend":true}}`)
	before := f.untilSuspended("c")
	f.setStatus("c", v1alpha1.KubeDirectorClusterStatus{})
	f.wantSuspended("c", enduring)

	f.patchCluster("c", `{"spec":{"suspend":false}}`)
	f.wantNodeIDsKept(before, f.untilMembers("c", 2))
	for _, pod := range []string{"c-node-0", "c-node-1"} {
		f.wantCalls(pod, "--configure", "--stop", "--start")
	}
}
