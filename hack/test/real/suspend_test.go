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
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// TestSuspend stops clusters and starts them again. Only their pods go and come.
func TestSuspend(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "suspend")
	f.applyDirected(v1alpha1.EventRestart, v1alpha1.EventStop, v1alpha1.EventStart)
	f.apply(directedApp("restarts", v1alpha1.EventRestart), directedApp("silent"))
	// What the first members have been called for in the end.
	calls := map[string][]string{
		"kept":   {"--configure", "--stop", "--start"},
		"old":    {"--configure", "--restart"},
		"silent": {"--configure"},
		"bare":   {"--configure"},
	}
	states := map[string]func() []v1alpha1.ClusterState{}
	for cluster := range calls {
		states[cluster] = f.follow(cluster)
	}
	f.apply(
		newCluster("kept", "testapp", members(2), storage("50Mi"), deletesVolumes),
		newCluster("old", "restarts", storage("50Mi"), deletesVolumes),
		newCluster("silent", "silent", storage("50Mi"), deletesVolumes),
		newCluster("bare", "testapp"),
	)
	f.untilPodsReady(slices.Collect(maps.Keys(calls))...)
	before, data := map[string]enduring{}, map[string]string{}
	for cluster := range calls {
		before[cluster] = f.enduringOf(cluster)
		if cluster != "bare" {
			data[cluster] = f.writeData(cluster + "-node-0")
		}
	}

	f.direct("kept-node-0", v1alpha1.EventStop, "sleep", 600)
	for cluster := range calls {
		f.patchCluster(cluster, `{"spec":{"suspend":true}}`)
	}
	f.untilCalled("kept-node-0", "--stop")
	for _, cluster := range []string{"old", "silent", "bare"} {
		f.wantSuspended(cluster, before[cluster])
	}
	f.wantAllRunning("kept", 2)
	f.direct("kept-node-0", v1alpha1.EventStop, "sleep", 0)
	f.wantSuspended("kept", before["kept"])
	f.wantSilence()

	for cluster := range calls {
		f.patchCluster(cluster, `{"spec":{"suspend":false}}`)
	}
	for cluster, want := range calls {
		f.untilReady(cluster)
		f.wantCalls(cluster+"-node-0", want...)
		if diff := cmp.Diff(before[cluster], f.enduringOf(cluster)); diff != "" {
			t.Errorf("cluster %s (-before +after):\n%s", cluster, diff)
		}
		if sum := data[cluster]; sum != "" {
			f.wantData(cluster+"-node-0", sum)
		}
		if seen := states[cluster](); slices.Contains(seen, v1alpha1.ClusterNodeDown) || !slices.Contains(seen, v1alpha1.ClusterResizing) {
			t.Errorf("the states of cluster %s were %v: what is stopped on purpose is resized, not lost", cluster, seen)
		}
	}
	f.wantCalls("kept-node-1", calls["kept"]...)
}

// TestCreatedSuspended makes a cluster that is not to run yet, and lets it grow before it does.
func TestCreatedSuspended(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "asleep")
	f.applyDirected(v1alpha1.EventStop, v1alpha1.EventStart)
	suspended := func(cluster *v1alpha1.KubeDirectorClusterSpec) { cluster.Suspend = true }
	f.apply(newCluster("c", "testapp", suspended))
	f.untilSuspended("c")
	f.apply(newCluster("c", "testapp", suspended, members(2)))
	cluster := f.untilSuspended("c")
	if pods := f.podsOf("c"); len(pods) > 0 {
		t.Errorf("it has %d pods", len(pods))
	}
	if cluster.Status.FirstReadyTime != nil {
		t.Errorf("it was first ready at %s", cluster.Status.FirstReadyTime)
	}
	ids := nodeIDs(cluster)

	f.apply(newCluster("c", "testapp", members(2)))
	if diff := cmp.Diff(ids, nodeIDs(f.untilReady("c"))); diff != "" {
		t.Errorf("the node IDs (-before +after):\n%s", diff)
	}
	for _, pod := range []string{"c-node-0", "c-node-1"} {
		f.wantCalls(pod, "--configure")
	}
}

// TestSuspendCalledOff calls a suspension off while a script for event stop runs:
// what that one has stopped starts again in another pod.
func TestSuspendCalledOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "calledoff")
	f.applyDirected(v1alpha1.EventStop, v1alpha1.EventStart)
	f.apply(newCluster("c", "testapp", members(2), storage("50Mi"), deletesVolumes))
	f.untilPodsReady("c")
	before, pod := f.enduringOf("c"), f.pod("c-node-0")

	f.direct("c-node-0", v1alpha1.EventStop, "sleep", 600)
	f.patchCluster("c", `{"spec":{"suspend":true}}`)
	f.untilCalled("c-node-0", "--stop")
	f.patchCluster("c", `{"spec":{"suspend":false}}`)
	f.direct("c-node-0", v1alpha1.EventStop, "sleep", 0)
	f.untilAnotherPod(pod)
	f.untilReady("c")
	for _, pod := range []string{"c-node-0", "c-node-1"} {
		f.wantCalls(pod, "--configure", "--stop", "--start")
	}
	if diff := cmp.Diff(before, f.enduringOf("c")); diff != "" {
		t.Errorf("the cluster (-before +after):\n%s", diff)
	}
}

// TestSuspendDespiteScripts suspends clusters whose scripts for event stop fail, or hang.
func TestSuspendDespiteScripts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "despite")
	f.applyDirected(v1alpha1.EventStop, v1alpha1.EventStart)
	f.apply(newCluster("failing", "testapp", storage("50Mi"), deletesVolumes))
	hasty := directedApp("hasty", v1alpha1.EventStop, v1alpha1.EventStart)
	hooks(2, 0, 1)(&hasty.Spec)
	f.apply(hasty, newCluster("hanging", "hasty", storage("50Mi"), deletesVolumes))
	f.untilPodsReady("failing", "hanging")
	f.direct("failing-node-0", v1alpha1.EventStop, "exit", 5)
	f.direct("hanging-node-0", v1alpha1.EventStop, "sleep", 600)
	for _, cluster := range []string{"failing", "hanging"} {
		f.patchCluster(cluster, `{"spec":{"suspend":true}}`)
	}
	for _, cluster := range []string{"failing", "hanging"} {
		f.untilSuspended(cluster)
		f.untilEvent(cluster, v1alpha1.ReasonScriptFailed, cluster+"-node-0", "--stop")
		f.patchCluster(cluster, `{"spec":{"suspend":false}}`)
		f.untilReady(cluster)
	}
	f.wantCalls("failing-node-0", "--configure", "--stop", "--stop", "--start")
	f.wantCalls("hanging-node-0", "--configure", "--stop", "--start")
}

// enduring is what a cluster keeps while it is suspended.
type enduring struct {
	NodeIDs    map[string]int64
	LastNodeID int64
	// Services and StatefulSets are UIDs, Claims too, by name.
	Services, StatefulSets, Claims map[string]string
	ClusterIPs                     map[string]string
}

func (f *fixture) enduringOf(name string) enduring {
	f.Helper()
	cluster := f.get(name)
	e := enduring{
		NodeIDs: nodeIDs(cluster), LastNodeID: cluster.Status.LastNodeID,
		Services: map[string]string{}, StatefulSets: map[string]string{}, Claims: f.claims(), ClusterIPs: map[string]string{},
	}
	ours := metav1.ListOptions{LabelSelector: names.LabelCluster + "=" + name}
	services, err := server.kube.CoreV1().Services(f.namespace).List(f.Context(), ours)
	f.must(err)
	for _, service := range services.Items {
		e.Services[service.Name], e.ClusterIPs[service.Name] = string(service.UID), service.Spec.ClusterIP
	}
	sets, err := server.kube.AppsV1().StatefulSets(f.namespace).List(f.Context(), ours)
	f.must(err)
	for _, set := range sets.Items {
		e.StatefulSets[set.Name] = string(set.UID)
	}
	return e
}

// wantSuspended waits until a cluster has stopped, and checks that it has no pod
// and keeps the rest.
func (f *fixture) wantSuspended(name string, before enduring) {
	f.Helper()
	cluster := f.untilSuspended(name)
	if pods := f.podsOf(name); len(pods) > 0 {
		f.Errorf("cluster %s is suspended and has %d pods", name, len(pods))
	}
	if diff := cmp.Diff(before, f.enduringOf(name)); diff != "" {
		f.Errorf("cluster %s (-before +suspended):\n%s", name, diff)
	}
	for _, role := range cluster.Status.Roles {
		for _, m := range role.Members {
			if m.State != v1alpha1.MemberPending {
				f.Errorf("cluster %s is suspended, member %s is %s", name, m.Pod, m.State)
			}
		}
	}
}
