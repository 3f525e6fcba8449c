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
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestChanges edits a running cluster: a Service is changed in place, and what
// cannot be done, which is to change the storage of members that exist, is named
// and touches nothing.
func TestChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "changes")
	f.apply(packageMap("setup", startscript(t, recordingScript)), newApp("testapp", func(app *v1alpha1.KubeDirectorAppSpec) {
		app.Services = []v1alpha1.Service{{ID: "web", Endpoint: &v1alpha1.Endpoint{Port: 8080}}}
		app.Config.RoleServices = []v1alpha1.RoleServices{{RoleID: "node", ServiceIDs: []v1alpha1.ServiceID{"web"}}}
	}), newCluster("c", "testapp"))
	f.untilReady("c")
	service, pod := f.service("c-node-0-svc"), f.pod("c-node-0")

	f.apply(newCluster("c", "testapp", func(cluster *v1alpha1.KubeDirectorClusterSpec) { cluster.ServiceType = corev1.ServiceTypeNodePort }))
	f.eventually(patience, "the Service is a NodePort", func(context.Context) (bool, string) {
		now := f.service("c-node-0-svc")
		return now.Spec.Type == corev1.ServiceTypeNodePort && now.Spec.Ports[0].NodePort != 0, string(now.Spec.Type)
	})
	f.untilReady("c")
	if now := f.service("c-node-0-svc"); now.UID != service.UID || now.Spec.ClusterIP != service.Spec.ClusterIP {
		t.Error("the Service was made anew")
	}

	f.apply(newCluster("c", "testapp", members(3), storage("100Mi")))
	f.until("c", "not valid", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		valid := condition(cluster, v1alpha1.ConditionValid)
		return valid.Status == metav1.ConditionFalse && valid.ObservedGeneration == cluster.Generation
	})
	refused := f.get("c")
	valid := condition(refused, v1alpha1.ConditionValid)
	if valid.Reason != v1alpha1.ReasonNotYetSupported || !mentions(valid.Message, []string{"spec.roles[0].storage", `"node"`}) {
		t.Errorf("Valid is %s: %s", valid.Reason, valid.Message)
	}
	if refused.Status.State != v1alpha1.ClusterReady || refused.Status.Membership != "1/1" {
		t.Errorf("the running cluster is %s with members %s", refused.Status.State, refused.Status.Membership)
	}
	if n := f.replicas("c-node"); n != 1 {
		t.Errorf("the StatefulSet has %d replicas", n)
	}

	f.apply(newCluster("c", "testapp"))
	f.untilReady("c")
	if now := f.pod("c-node-0"); now.UID != pod.UID || containerID(now) != containerID(pod) {
		t.Error("the member's pod or container is another one")
	}
	if got := lines(f.exec("c-node-0", "cat", eventsFile)); len(got) != 1 {
		t.Errorf("the script was called for %q", got)
	}
}

func (f *fixture) service(name string) *corev1.Service {
	f.Helper()
	service, err := server.kube.CoreV1().Services(f.namespace).Get(f.Context(), name, metav1.GetOptions{})
	if err != nil {
		f.Fatal(err)
	}
	return service
}

// TestEditsBeforeReady edits a cluster while it is made, and again while its
// scripts run. The last edit counts; those who have been called by then are
// called for whom it adds, and nobody hears of those who never came.
func TestEditsBeforeReady(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "early")
	f.apply(packageMap("setup", startscript(t, waitingScript)), crewApp(), newCluster("c", "testapp", crew(4)))
	f.until("c", "its members are recorded", func(cluster *v1alpha1.KubeDirectorCluster) bool { return len(nodeIDs(cluster)) == 5 })
	f.apply(newCluster("c", "testapp", crew(2)))
	f.untilCalled("c-worker-1", "--configure")
	f.apply(newCluster("c", "testapp", crew(3)))
	f.untilCalled("c-worker-2", "--configure")
	f.direct("c-worker-1", v1alpha1.EventConfigure, "sleep", 0)
	f.direct("c-worker-2", v1alpha1.EventConfigure, "sleep", 0)
	ready := f.untilReady("c")
	if ids := nodeIDs(ready); len(ids) != 4 || ready.Status.Membership != "4/4" {
		t.Errorf("members %s: %v", ready.Status.Membership, ids)
	}
	if left := f.mentioning("c", "c-worker-3"); len(left) > 0 {
		t.Errorf("of the member that never came there is still %v", left)
	}
	joined := f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-2")
	for _, pod := range []string{"c-head-0", "c-worker-0", "c-worker-1"} {
		f.wantCalls(pod, "--configure", joined)
	}
	f.wantCalls("c-worker-2", "--configure")
	for pod := range nodeIDs(ready) {
		if got := f.fqdnsOf(pod, "worker"); !slices.Equal(got, []string{"c-worker-0", "c-worker-1", "c-worker-2"}) {
			t.Errorf("the metadata of %s names the workers %v", pod, got)
		}
	}
}

// TestScaleWhileNodeDown deletes a worker's pod, which something keeps from
// ending, and scales up and then down meanwhile. The lost member holds up
// neither, and learns of it all by being configured again.
func TestScaleWhileNodeDown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "nodedown")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(), newCluster("c", "testapp", crew(2)))
	before := f.untilReady("c")
	end := f.keepFromEnding("c-worker-0")
	f.deletePod("c-worker-0")
	isDown := func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return cluster.Status.State == v1alpha1.ClusterNodeDown && memberOf(cluster, "c-worker-0").State == v1alpha1.MemberLost
	}
	f.until("c", "tells that the pod is lost", isDown)

	begun := time.Now()
	f.apply(newCluster("c", "testapp", crew(3)))
	joined := f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-2")
	for _, peer := range []string{"c-head-0", "c-worker-1"} {
		f.untilCalled(peer, joined)
	}
	f.until("c", "everybody but the lost member is ready", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return isDown(cluster) && cluster.Status.Membership == "3/4"
	})
	f.logSince(begun, "scaled up while node-down, the new member ready and announced after")

	begun = time.Now()
	f.apply(newCluster("c", "testapp", crew(1)))
	f.until("c", "two members are gone", func(cluster *v1alpha1.KubeDirectorCluster) bool { return isDown(cluster) && len(nodeIDs(cluster)) == 2 })
	f.logSince(begun, "scaled down while node-down, two members gone after")
	left := f.speaksOf(v1alpha1.EventDelNodes, "worker", "c-worker-1", "c-worker-2")
	f.wantCalls("c-head-0", "--configure", joined, left)

	begun = time.Now()
	end()
	after := f.untilReady("c")
	f.logSince(begun, "the lost pod made anew, ready after")
	f.wantCalls("c-head-0", "--configure", joined, left)
	f.wantCalls("c-worker-0", "--configure", left) // of which its metadata said as much: nothing is kept from who was configured before
	if now := memberOf(after, "c-worker-0").NodeID; now != memberOf(before, "c-worker-0").NodeID {
		t.Errorf("the member that came back has node ID %d", now)
	}
	if got := f.fqdnsOf("c-worker-0", "worker"); !slices.Equal(got, []string{"c-worker-0"}) {
		t.Errorf("the metadata of the member that came back names the workers %v", got)
	}
}

// keepFromEnding has a pod stay after its deletion until end is called, at the latest by the end of the test.
func (f *fixture) keepFromEnding(pod string) (end func()) {
	f.Helper()
	pods := server.kube.CoreV1().Pods(f.namespace)
	_, err := pods.Patch(f.Context(), pod, types.MergePatchType, []byte(`{"metadata":{"finalizers":["kubedirector-test/keep"]}}`), metav1.PatchOptions{})
	f.must(err)
	kept := f.pod(pod).UID
	end = func() {
		f.Helper()
		ctx := context.Background()
		if now, err := f.tryPod(ctx, pod); apierrors.IsNotFound(err) || err == nil && now.UID != kept {
			return
		}
		if _, err := pods.Patch(ctx, pod, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
			f.Error(err)
		}
	}
	f.Cleanup(end)
	return end
}
