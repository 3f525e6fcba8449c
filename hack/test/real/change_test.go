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
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestChanges edits a running cluster: what can be done is done in place, what
// cannot is named and touches nothing.
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

	f.apply(newCluster("c", "testapp", members(3)))
	f.until("c", "not valid", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		valid := condition(cluster, v1alpha1.ConditionValid)
		return valid.Status == metav1.ConditionFalse && valid.ObservedGeneration == cluster.Generation
	})
	refused := f.get("c")
	valid := condition(refused, v1alpha1.ConditionValid)
	if valid.Reason != v1alpha1.ReasonNotYetSupported || !strings.Contains(valid.Message, "spec.roles[0].members") || !strings.Contains(valid.Message, "1 -> 3") {
		t.Errorf("Valid is %s: %s", valid.Reason, valid.Message)
	}
	if refused.Status.State != v1alpha1.ClusterReady || refused.Status.Membership != "1/1" {
		t.Errorf("the running cluster is %s with members %s", refused.Status.State, refused.Status.Membership)
	}
	set, err := server.kube.AppsV1().StatefulSets(f.namespace).Get(t.Context(), "c-node", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if ptr.Deref(set.Spec.Replicas, 0) != 1 {
		t.Errorf("the StatefulSet has %d replicas", ptr.Deref(set.Spec.Replicas, 0))
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
