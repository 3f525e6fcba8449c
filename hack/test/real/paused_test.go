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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// stillness is how long a cluster that is left alone is listened to.
const stillness = 5 * time.Second

// TestPaused edits a paused cluster and kills a container of it: the controller
// tells what it sees, and touches nothing until the pause ends.
func TestPaused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "paused")
	app := directedApp("testapp")
	app.Spec.Services = []v1alpha1.Service{{ID: "web", Endpoint: &v1alpha1.Endpoint{Port: 8080}}}
	app.Spec.Config.RoleServices = []v1alpha1.RoleServices{{RoleID: "node", ServiceIDs: []v1alpha1.ServiceID{"web"}}}
	f.apply(packageMap("setup", startscript(t, recordingScript)), app, newCluster("c", "testapp", members(2)))
	f.untilPodsReady("c")
	f.apply(newCluster("c", "testapp", members(2), paused))
	f.until("c", "paused", isPaused)

	start := audit.now(t)
	f.apply(newCluster("c", "testapp", members(3), paused, func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.ServiceType = corev1.ServiceTypeNodePort
	}))
	f.until("c", "paused", isPaused)
	f.killContainer("c-node-1")
	f.until("c", "tells what was lost", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		ready := condition(cluster, v1alpha1.ConditionReady)
		return memberOf(cluster, "c-node-1").State != v1alpha1.MemberReady && ready.Status == metav1.ConditionFalse && isPaused(cluster)
	})
	f.wantSilence()
	for _, request := range audit.byController(t, start) {
		shows := slices.Contains([]string{"update kubedirectorclusters/status", "create events", "patch events"}, request.what())
		if request.ObjectRef.Namespace == f.namespace && (request.isWrite() && !shows || request.ObjectRef.Subresource == "exec") {
			t.Errorf("a paused cluster cost %s", request)
		}
	}
	if got, err := f.tryExec(t.Context(), "c-node-1", "cat", eventsFile); err == nil {
		t.Errorf("a container of a paused cluster was set up: %q", got)
	}
	if service := f.service("c-node-0-svc"); service.Spec.Type != corev1.ServiceTypeClusterIP {
		t.Errorf("the Service of a paused cluster is now of type %s", service.Spec.Type)
	}

	f.apply(newCluster("c", "testapp", members(3), func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.ServiceType = corev1.ServiceTypeNodePort
	}))
	cluster := f.untilReady("c")
	if cluster.Status.Membership != "3/3" || condition(cluster, v1alpha1.ConditionPaused).Status == metav1.ConditionTrue {
		t.Errorf("it does not go on:\n%s", describe(cluster))
	}
	if service := f.service("c-node-0-svc"); service.Spec.Type != corev1.ServiceTypeNodePort {
		t.Errorf("the Service is still of type %s", service.Spec.Type)
	}
	news := f.told(v1alpha1.EventAddNodes, "c", "c-node-2")
	f.wantCalls("c-node-0", "--configure", news)
	f.wantCalls("c-node-2", "--configure")
	// The one that was lost may have begun to be set up before it had a new peer.
	if calls := f.calls("c-node-1"); !slices.Equal(calls, []string{"--configure"}) && !slices.Equal(calls, []string{"--configure", news}) {
		t.Errorf("c-node-1, which was lost: the script was called for %q", calls)
	}
}

// TestPausedDeleted deletes a cluster while it is paused, and one that was paused from the start.
func TestPausedDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "pausedend")
	f.applyDirected(v1alpha1.EventDelete)
	f.apply(newCluster("c", "testapp"), newCluster("never", "testapp", paused))
	f.untilPodsReady("c")
	f.apply(newCluster("c", "testapp", paused))
	f.until("c", "paused", isPaused)
	f.until("never", "paused", isPaused)
	if made := f.childrenOf(t.Context(), "never"); len(made) > 0 {
		t.Errorf("made for a paused cluster: %v", made)
	}
	for _, cluster := range []string{"c", "never"} {
		f.deleteCluster(cluster)
		f.untilGone(cluster)
	}
}

func paused(cluster *v1alpha1.KubeDirectorClusterSpec) { cluster.Paused = true }

// isPaused is true of a cluster that tells, of its newest spec, that it is left alone.
func isPaused(cluster *v1alpha1.KubeDirectorCluster) bool {
	paused := condition(cluster, v1alpha1.ConditionPaused)
	return paused.Status == metav1.ConditionTrue && paused.Reason == v1alpha1.ReasonPaused && paused.ObservedGeneration == cluster.Generation
}

// wantSilence listens for any request of the controller in the namespace.
func (f *fixture) wantSilence() {
	f.Helper()
	start := audit.now(f.T)
	time.Sleep(stillness)
	requests := slices.DeleteFunc(audit.byController(f.T, start), func(r *request) bool { return r.ObjectRef.Namespace != f.namespace })
	if len(requests) > 0 {
		f.Errorf("clusters that are left alone cost requests: %v, first %s", count(requests), requests[0])
	}
}
