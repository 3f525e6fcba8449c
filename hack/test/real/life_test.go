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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// silence is how long an idle cluster is listened to.
const silence = 10 * time.Second

// TestLife is the life of a cluster of one controller and two workers, and what
// each part of it costs. It is not parallel: an idle controller is listened to.
func TestLife(t *testing.T) {
	f := newFixture(t, "life")
	f.apply(packageMap("setup", startscript(t, recordingScript)), lifeApp())
	f.untilAppValid("testapp")
	begun, start := time.Now(), audit.now(t)
	states := f.follow("life")
	f.apply(newCluster("life", "testapp", func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker", Members: ptr.To[int32](2)}}
	}))
	f.untilReady("life")
	took := time.Since(begun)
	f.logTimeToReady("life", time.Now())

	within := func(name string, part func(*fixture)) {
		t.Run(name, func(t *testing.T) { part(&fixture{T: t, namespace: f.namespace}) })
	}
	within("writes stay within the budget", func(f *fixture) { checkBudget(f, start, took) })
	within("an idle cluster is silent", checkSilence)
	within("members know who they are", checkMembers)
	within("objects are as documented", checkObjects)
	within("kubectl shows it", checkPrinted)
	within("a killed container is configured again", checkKilledContainer)
	within("a deleted cluster is gone", checkDeletion)

	want := []v1alpha1.ClusterState{"creating", "configuring", "ready", "node-down", "configuring", "ready", "deleting"}
	if diff := cmp.Diff(want, states()); diff != "" {
		t.Errorf("the states, one after the other (-want +got):\n%s", diff)
	}
}

func lifeApp() *v1alpha1.KubeDirectorApp {
	return newApp("testapp", func(app *v1alpha1.KubeDirectorAppSpec) {
		app.Roles = []v1alpha1.Role{{ID: "controller", Cardinality: "1"}, {ID: "worker", Cardinality: "1+"}}
		app.Services = []v1alpha1.Service{
			{ID: "web", Endpoint: &v1alpha1.Endpoint{Port: 8080, URLScheme: "http", Path: "/ui", IsDashboard: true}},
			{ID: "work", Endpoint: &v1alpha1.Endpoint{Port: 9090, URLScheme: "tcp"}},
		}
		app.Config = v1alpha1.AppConfig{
			RoleServices: []v1alpha1.RoleServices{
				{RoleID: "controller", ServiceIDs: []v1alpha1.ServiceID{"web"}},
				{RoleID: "worker", ServiceIDs: []v1alpha1.ServiceID{"work"}},
			},
			ConfigMeta: map[string]string{"colour": "green"},
		}
	})
}

// logTimeToReady logs how long after its last container was running the cluster was seen ready.
func (f *fixture) logTimeToReady(cluster string, ready time.Time) {
	pods, err := server.kube.CoreV1().Pods(f.namespace).List(f.Context(), metav1.ListOptions{LabelSelector: names.LabelCluster + "=" + cluster})
	if err != nil {
		f.Fatal(err)
	}
	var last time.Time
	for i := range pods.Items {
		for _, c := range pods.Items[i].Status.ContainerStatuses {
			if c.State.Running != nil && c.State.Running.StartedAt.After(last) {
				last = c.State.Running.StartedAt.Time
			}
		}
	}
	f.Logf("from the last container's start (known to the second) to ready: %s", ready.Sub(last).Round(time.Millisecond))
}

// objectsMade are the objects of the cluster: a headless Service and one for
// each member, a StatefulSet for each role, and the pin.
var objectsMade = map[string]int{"create services": 4, "create statefulsets": 2, "create controllerrevisions": 1}

// checkBudget counts what a new cluster costs the API server in writes.
func checkBudget(f *fixture, start mark, took time.Duration) {
	var counts map[string]int
	f.eventually(patience, "the Event that tells of ready", func(context.Context) (bool, string) {
		counts = count(writes(audit.byController(f.T, start), f.namespace))
		return counts["create events"] >= 2, fmt.Sprint(counts)
	})
	f.Logf("writes until ready, %s after it was created: %v", took.Round(time.Millisecond), counts)
	for what, n := range counts {
		limit := objectsMade[what]
		switch what {
		case "patch kubedirectorclusters": // the finalizer
			limit = 1
		case "update kubedirectorclusters/status": // and progress, at most once a second
			limit = 3 + int(took.Seconds())
		case "create events":
			limit = 2
		}
		if n > limit {
			f.Errorf("%d times %s, the budget has %d", n, what, limit)
		}
	}
	for what, n := range objectsMade {
		if counts[what] != n {
			f.Errorf("%d times %s, want %d", counts[what], what, n)
		}
	}
}

// checkSilence listens for any request of the controller about anything but its Lease.
func checkSilence(f *fixture) {
	start := audit.now(f.T)
	time.Sleep(silence)
	if requests := audit.byController(f.T, start); len(requests) > 0 {
		f.Errorf("an idle cluster cost requests: %v, first %s", count(requests), requests[0])
	}
}

func checkMembers(f *fixture) {
	domain := names.Domain("life", f.namespace, "cluster.local")
	workers := names.FQDN("life-worker-0", domain) + "," + names.FQDN("life-worker-1", domain)
	nodeIDs := map[string]bool{}
	for pod, role := range lifeMembers {
		id := f.configcli(pod, "node.id")
		if nodeIDs[id] {
			f.Errorf("node ID %s was given twice", id)
		}
		nodeIDs[id] = true
		for key, want := range map[string]string{
			"node.role_id":                           role,
			"node.hostname":                          pod + "." + domain,
			"node.fqdn":                              pod + "." + domain,
			"node.domain":                            domain,
			"node.nodegroup_id":                      "1",
			"node.distro_id":                         "testapp",
			"cluster.name":                           "life",
			"nodegroups.1.roles.worker.fqdns":        workers,
			"nodegroups.1.roles.worker.flavor.cores": "0",
			"nodegroups.1.config_metadata.colour":    "green",
			"cluster.config_metadata.1.colour":       "green",
			"services.web.1.controller.endpoints":    "http://" + names.FQDN("life-controller-0", domain) + ":8080",
		} {
			if got := f.configcli(pod, key); got != want {
				f.Errorf("%s: configcli --get %s gives %q, want %q", pod, key, got, want)
			}
		}
		if got := f.exec(pod, "getent", "hosts", "life-worker-1"); !strings.Contains(got, names.FQDN("life-worker-1", domain)) {
			f.Errorf("%s: the short name life-worker-1 leads to %q", pod, got)
		}
		if got, want := lines(f.exec(pod, "cat", eventsFile)), []string{role + " " + id + " --configure"}; !slices.Equal(got, want) {
			f.Errorf("%s: the script was called for %q, want %q", pod, got, want)
		}
		var document map[string]any
		if err := json.Unmarshal([]byte(f.exec(pod, "cat", "/etc/guestconfig/configmeta.json")), &document); err != nil {
			f.Errorf("%s: the metadata document: %v", pod, err)
		}
	}
}

var lifeMembers = map[string]string{"life-controller-0": "controller", "life-worker-0": "worker", "life-worker-1": "worker"}

func (f *fixture) configcli(pod, key string) string {
	f.Helper()
	return strings.TrimSpace(f.exec(pod, "/opt/kubedirector/configcli", "--get", key))
}

func checkObjects(f *fixture) {
	for name, kind := range map[string]struct {
		serviceType corev1.ServiceType
		headless    bool
		port        int32
	}{
		"life":                  {corev1.ServiceTypeClusterIP, true, 0},
		"life-controller-0-svc": {corev1.ServiceTypeClusterIP, false, 8080},
		"life-worker-0-svc":     {corev1.ServiceTypeClusterIP, false, 9090},
		"life-worker-1-svc":     {corev1.ServiceTypeClusterIP, false, 9090},
	} {
		service, err := server.kube.CoreV1().Services(f.namespace).Get(f.Context(), name, metav1.GetOptions{})
		if err != nil {
			f.Error(err)
			continue
		}
		var port int32
		if len(service.Spec.Ports) > 0 {
			port = service.Spec.Ports[0].Port
		}
		if service.Spec.Type != kind.serviceType || (service.Spec.ClusterIP == corev1.ClusterIPNone) != kind.headless || port != kind.port {
			f.Errorf("Service %s is %s %s with ports %v, want %+v", name, service.Spec.Type, service.Spec.ClusterIP, service.Spec.Ports, kind)
		}
		if service.Labels[names.LabelCluster] != "life" || service.Labels[names.LabelApp] != "testapp" {
			f.Errorf("Service %s has labels %v", name, service.Labels)
		}
	}
	for pod, role := range lifeMembers {
		labels := f.pod(pod).Labels
		if labels[names.LabelCluster] != "life" || labels[names.LabelApp] != "testapp" || labels[names.LabelRole] != role {
			f.Errorf("pod %s has labels %v", pod, labels)
		}
	}
	endpoint := v1alpha1.DashboardEndpoint{
		Role: "controller", Member: "life-controller-0", Service: "web",
		URL: "http://life-controller-0-svc." + f.namespace + ".svc.cluster.local:8080/ui",
	}
	if diff := cmp.Diff([]v1alpha1.DashboardEndpoint{endpoint}, f.get("life").Status.Endpoints); diff != "" {
		f.Errorf("status.endpoints (-want +got):\n%s", diff)
	}
}

// checkPrinted reads the row that kubectl get kdc prints.
func checkPrinted(f *fixture) {
	content, err := server.kubeDirector.KubedirectorV1alpha1().RESTClient().Get().Namespace(f.namespace).Resource("kubedirectorclusters").Name("life").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(f.Context()).Raw()
	if err != nil {
		f.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(content, &table); err != nil {
		f.Fatal(err)
	}
	got := map[string]any{}
	for i, column := range table.ColumnDefinitions {
		got[column.Name] = table.Rows[0].Cells[i]
	}
	delete(got, "Age")
	want := map[string]any{
		"Name": "life", "App": "testapp", "State": "ready", "Members": "3/3", "Ready": "True", "Reason": "ClusterReady",
		"Dashboard": "http://life-controller-0-svc." + f.namespace + ".svc.cluster.local:8080/ui",
		"Message":   "all 3 members are configured", "Suspended": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("the columns (-want +got):\n%s", diff)
	}
}

// checkKilledContainer ends a worker's container, whose root file system is not persistent.
func checkKilledContainer(f *fixture) {
	id := f.configcli("life-worker-0", "node.id")
	before := f.pod("life-worker-0").UID
	f.killContainer("life-worker-0")
	f.untilReadyAgain("life", "life-worker-0")
	if got, want := f.exec("life-worker-0", "cat", eventsFile), "worker "+id+" --configure\n"; got != want {
		f.Errorf("the script was called for %q, want %q", got, want)
	}
	if f.pod("life-worker-0").UID != before {
		f.Error("the pod is another one")
	}
	for _, pod := range []string{"life-controller-0", "life-worker-1"} {
		if got := lines(f.exec(pod, "cat", eventsFile)); len(got) != 1 {
			f.Errorf("%s, whose container was not killed, was called for %q", pod, got)
		}
	}
}

func memberOf(cluster *v1alpha1.KubeDirectorCluster, pod string) v1alpha1.MemberStatus {
	for _, role := range cluster.Status.Roles {
		for _, m := range role.Members {
			if m.Pod == pod {
				return m
			}
		}
	}
	return v1alpha1.MemberStatus{}
}

// incarnation is what status keeps of a container ID.
func incarnation(containerID string) string {
	_, id, _ := strings.Cut(containerID, "://")
	return id[:min(len(id), 12)]
}

// checkDeletion deletes the cluster. Nothing of it must be left.
func checkDeletion(f *fixture) {
	f.deleteCluster("life")
	f.untilGone("life")
	f.eventually(patience, "nothing of the cluster is left", func(ctx context.Context) (bool, string) {
		left := f.childrenOf(ctx, "life")
		return len(left) == 0, strings.Join(left, ", ")
	})
}
