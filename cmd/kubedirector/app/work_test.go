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

package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/config"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/fake"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/leader"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// willingGuests is an executor in whose containers every script succeeds.
type willingGuests struct{}

func (willingGuests) Apply(_ context.Context, _ plan.Container, raw []byte, answer io.Writer) error {
	request := &protocol.Request{}
	if err := json.Unmarshal(raw, request); err != nil {
		return err
	}
	result := &protocol.Result{
		ProtocolVersion:    protocol.Version,
		PodUID:             request.PodUID,
		Incarnation:        "the only one",
		MetadataGeneration: request.MetadataGeneration,
		Configured:         true,
	}
	if event := request.Event; event != nil {
		now := time.Now()
		result.Event = &protocol.EventResult{
			Name: event.Name, Attempt: event.Attempt, State: protocol.EventSucceeded,
			Incarnation: result.Incarnation, StartedAt: now.Add(-time.Second), FinishedAt: now,
		}
	}
	return json.NewEncoder(answer).Encode(protocol.Record{Type: protocol.RecordResult, Result: result})
}

var testApp = &v1alpha1.KubeDirectorApp{
	ObjectMeta: metav1.ObjectMeta{Name: "tiny", Namespace: "team-a", UID: "app"},
	Spec: v1alpha1.KubeDirectorAppSpec{
		Label:                v1alpha1.Label{Name: "Tiny"},
		DefaultImageRepoTag:  "tiny:1",
		DefaultConfigPackage: &v1alpha1.ConfigPackage{PackageURL: "file:///setup.tgz"},
		Roles:                []v1alpha1.Role{{ID: "main", Cardinality: "1+"}},
	},
}

var testCluster = &v1alpha1.KubeDirectorCluster{
	ObjectMeta: metav1.ObjectMeta{Name: "t", Namespace: "team-a", UID: "cluster"},
	Spec: v1alpha1.KubeDirectorClusterSpec{
		App:   testApp.Name,
		Roles: []v1alpha1.ClusterRole{{ID: "main", Members: ptr.To[int32](1)}},
	},
}

// failures happen to the first updates of clusters, one each: a conflict, an error, a bug.
func failures() clienttesting.ReactionFunc {
	var mu sync.Mutex
	n := 0
	return func(clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		switch n++; n {
		case 1:
			return true, nil, apierrors.NewConflict(v1alpha1.Resource("kubedirectorclusters"), testCluster.Name, errors.New("changed"))
		case 2:
			return true, nil, apierrors.NewInternalError(errors.New("etcd is away"))
		case 3:
			panic("a bug")
		}
		return false, nil, nil
	}
}

// runPods stands in for the StatefulSet controller and the kubelet: a set that is made has a running pod at once.
func runPods(t *testing.T, kube *kubefake.Clientset) {
	kube.PrependReactor("create", "statefulsets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		set := action.(clienttesting.CreateAction).GetObject().(*appsv1.StatefulSet)
		set.UID = types.UID("set-" + set.Name)
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: set.Name + "-0", Namespace: set.Namespace, UID: "pod", Labels: set.Spec.Template.Labels, Annotations: set.Spec.Template.Annotations,
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))},
			},
			Spec: set.Spec.Template.Spec,
			Status: corev1.PodStatus{
				Phase: corev1.PodRunning,
				ContainerStatuses: []corev1.ContainerStatus{{
					Name: names.ContainerName, ContainerID: "containerd://1", Ready: true, Started: ptr.To(true),
					State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
				}},
			},
		}
		// Fakes keep no resourceVersions, so a set may be created again before the cache shows it.
		if err := kube.Tracker().Add(pod); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Error(err)
		}
		return false, nil, nil
	})
}

// TestWork has a cluster made, in a world where the API server fails at first,
// from the event to Ready; and stops.
func TestWork(t *testing.T) {
	logOnly(t)
	synctest.Test(t, func(t *testing.T) {
		kube, kubeDirector := kubefake.NewSimpleClientset(), fake.NewSimpleClientset(testApp.DeepCopy(), testCluster.DeepCopy())
		kubeDirector.PrependReactor("*", "kubedirectorclusters", onlyWrites(failures()))
		runPods(t, kube)

		settings := config.Default()
		c := CompletedConfig{&completedConfig{
			settings:   settings,
			leadership: leader.Always{},
			clients:    &clients{kube: kube, kubeDirector: kubeDirector, exec: willingGuests{}},
		}}
		ctx, stop := context.WithCancel(t.Context())
		caches := newFactories(c.clients, settings.WatchNamespace, settings.SystemNamespace)
		w, err := newWork(ctx, c, caches)
		if err != nil {
			t.Fatal(err)
		}
		caches.start(ctx)
		if err := caches.waitForSync(ctx); err != nil {
			t.Fatal(err)
		}
		working, stopWork := context.WithCancel(ctx)
		result := make(chan error, 1)
		go func() { result <- c.leadership.Run(working, w.do) }()

		time.Sleep(time.Minute)
		got, err := kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters("team-a").Get(ctx, "t", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status.State != v1alpha1.ClusterReady {
			t.Errorf("the cluster is %q after a minute, want %q; conditions: %+v", got.Status.State, v1alpha1.ClusterReady, got.Status.Conditions)
		}

		stopWork()
		if err := <-result; err != nil {
			t.Errorf("stopped with %v", err)
		}
		stop()
		caches.shutdown()
	})
}

// logOnly takes out of apimachinery's error handlers the one that sleeps: the
// time it keeps is not that of a bubble.
func logOnly(t *testing.T) {
	all := utilruntime.ErrorHandlers
	utilruntime.ErrorHandlers = all[:1]
	t.Cleanup(func() { utilruntime.ErrorHandlers = all })
}

// onlyWrites has reads pass.
func onlyWrites(react clienttesting.ReactionFunc) clienttesting.ReactionFunc {
	return func(action clienttesting.Action) (bool, runtime.Object, error) {
		if slices.Contains([]string{"get", "list", "watch"}, action.GetVerb()) {
			return false, nil, nil
		}
		return react(action)
	}
}

// TestMetrics reads each metric that docs/operations.md lists from a live
// handler, after work of every kind was done, and looks for others of ours.
func TestMetrics(t *testing.T) {
	TestWork(t)
	kubeconfig, _ := answering(t, http.StatusNotFound)
	settings := config.Default()
	settings.ClientConnection.Kubeconfig = kubeconfig
	config.SetDerived(settings)
	c, err := Complete(settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.clients.kube.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("got %v from a server that has nothing", err)
	}

	status, page := get(t, metricsHandler(), "/metrics")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	var served, ours []string
	lines := bufio.NewScanner(strings.NewReader(page))
	for lines.Scan() {
		if _, rest, found := strings.Cut(lines.Text(), "# TYPE "); found {
			name, _, _ := strings.Cut(rest, " ")
			served = append(served, name)
			if strings.HasPrefix(name, "kubedirector_") {
				ours = append(ours, name)
			}
		}
	}
	listed := listedMetrics(t)
	for _, name := range listed {
		if !slices.Contains(served, name) {
			t.Errorf("%s is listed and not served", name)
		}
	}
	listed = slices.DeleteFunc(listed, func(name string) bool { return !strings.HasPrefix(name, "kubedirector_") })
	slices.Sort(listed)
	if diff := cmp.Diff(listed, ours); diff != "" {
		t.Errorf("KubeDirector's own metrics, listed (-), served (+):\n%s", diff)
	}
}

// listedMetrics are those in the table of docs/operations.md.
func listedMetrics(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, match[1])
	}
	if len(listed) == 0 {
		t.Fatal("docs/operations.md lists no metric")
	}
	return listed
}
