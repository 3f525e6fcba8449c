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

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestLosses takes from members, one after the other, their container, their pod
// by deletion and their pod by eviction. A member with storage keeps what it has
// and, as its app does not ask for it, hears nothing; one without is configured
// again. Peers hear of nothing, and claims stay.
func TestLosses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "losses")
	f.applyDirected()
	states := map[string]func() []v1alpha1.ClusterState{"bare": f.follow("bare"), "kept": f.follow("kept")}
	f.apply(newCluster("bare", "testapp", members(2)), newCluster("kept", "testapp", members(2), storage("50Mi"), deletesVolumes))
	f.untilPodsReady("bare", "kept")
	data, claims := f.writeData("kept-node-0"), f.claims()
	peers := []*corev1.Pod{f.pod("bare-node-1"), f.pod("kept-node-1")}

	for _, loss := range []struct {
		reason string
		lose   func(pod string)
	}{
		{v1alpha1.ReasonContainerRestarted, f.killContainer},
		{v1alpha1.ReasonPodLost, func(pod string) { f.losePod(pod, f.deletePod) }},
		{v1alpha1.ReasonPodLost, func(pod string) { f.losePod(pod, f.evictPod) }},
	} {
		for cluster := range states {
			pod := cluster + "-node-0"
			loss.lose(pod)
			f.untilReadyAgain(cluster, pod)
			f.untilEvent(cluster, loss.reason, pod)
			f.wantCalls(pod, "--configure")
		}
	}

	f.wantData("kept-node-0", data)
	for _, peer := range peers {
		f.wantSameContainer(peer)
		f.wantCalls(peer.Name, "--configure")
	}
	f.wantClaims(claims)
	want := []v1alpha1.ClusterState{"creating", "configuring", "ready", "node-down", "configuring", "ready", "node-down", "configuring", "ready", "node-down", "configuring", "ready"}
	for cluster, seen := range states {
		if diff := cmp.Diff(want, seen()); diff != "" {
			t.Errorf("the states of cluster %s, one after the other (-want +got):\n%s", cluster, diff)
		}
	}
}

// losePod has a pod go, and returns once another has taken its place.
func (f *fixture) losePod(name string, lose func(pod string)) {
	f.Helper()
	pod := f.pod(name)
	lose(name)
	f.untilAnotherPod(pod)
}

// evictPod evicts a pod, as kubectl drain does.
func (f *fixture) evictPod(name string) {
	f.Helper()
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.namespace}}
	f.must(server.kube.CoreV1().Pods(f.namespace).EvictV1(f.Context(), eviction))
}
