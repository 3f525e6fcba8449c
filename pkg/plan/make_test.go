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

package plan

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

var update = flag.Bool("update", false, "rewrite the golden plans")

func (w *world) golden(name string) {
	w.t.Helper()
	got := strings.Join(w.lines, "--\n")
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		w.t.Errorf("plans differ from %s (-want +got):\n%s", path, diff)
	}
}

func TestCreate(t *testing.T) {
	w := readyWorld(t, testCluster())
	w.golden("create")
	if w.Cluster.Status.LastNodeID != 3 || w.Cluster.Status.FirstReadyTime == nil {
		t.Errorf("lastNodeID %d, firstReadyTime %v", w.Cluster.Status.LastNodeID, w.Cluster.Status.FirstReadyTime)
	}
}

func TestContainerReplacedWithoutStorage(t *testing.T) {
	w := readyWorld(t, testCluster())
	w.lines = nil
	w.start("c-worker-0", 2)
	w.pass()
	w.expect(v1alpha1.ClusterNodeDown, v1alpha1.ReasonContainerRestarted)
	w.settle()
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonConfiguring)
	if key := w.Outcomes[w.Pods["c-worker-0"].UID].Key; key.Event != v1alpha1.EventConfigure || !strings.HasPrefix(key.ContainerID, "containerd://002-c-worker-0") {
		t.Errorf("the new container got %+v, want configure", key)
	}
	w.succeed("c-worker-0")
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	w.golden("container-replaced")
}

func TestContainerReplacedWithStorage(t *testing.T) {
	w := readyWorld(t, withStorage(testCluster()))
	w.start("c-worker-0", 2)
	w.settle()
	// The ledger on the volume knows that configure was done, in another container.
	w.answer("c-worker-0", PhaseDone, &EventResult{State: EventSucceeded, Attempt: 1, Here: false})
	w.settle()
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonConfiguring)
	if key := w.Outcomes[w.Pods["c-worker-0"].UID].Key; key.Event != v1alpha1.EventRestart {
		t.Fatalf("after configure in an earlier container the member got %q, want restart", key.Event)
	}
	w.succeed("c-worker-0")
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
}

func TestPodLost(t *testing.T) {
	w := readyWorld(t, testCluster())
	delete(w.Pods, "c-worker-1")
	w.settle()
	w.expect(v1alpha1.ClusterNodeDown, v1alpha1.ReasonPodLost)
	w.start("c-worker-1", 1)
	w.settle()
	w.succeed("c-worker-1")
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	if id := w.member("c-worker-1").NodeID; id != 3 {
		t.Errorf("the member's node ID became %d, want 3 as before", id)
	}
}

func TestFailingScriptIsRetriedByPolicy(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	w.settle()
	w.succeed("c-controller-0", "c-worker-1")
	for attempt := int32(1); attempt <= 4; attempt++ {
		w.fail("c-worker-0", 7)
		w.settle()
		event := w.member("c-worker-0").Event
		if event == nil || event.Attempt != attempt || event.State != v1alpha1.EventFailed || *event.ExitCode != 7 {
			t.Fatalf("attempt %d: status has %+v", attempt, event)
		}
		if attempt < 4 {
			w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonRetrying)
			w.after(2 * time.Minute)
			w.settle()
		}
	}
	w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonScriptFailed)
	if degraded := w.condition(v1alpha1.ConditionDegraded); degraded.Status != metav1.ConditionTrue || !strings.Contains(degraded.Message, "exit code 7") || !strings.Contains(degraded.Message, "no such disk") {
		t.Errorf("Degraded is %s: %s", degraded.Status, degraded.Message)
	}

	// The user mends the package: one more attempt, recorded before it is made.
	w.after(time.Minute)
	w.Packages[catalog.ConfigMapKey{Namespace: "ns", Name: "setup", Key: "setup.tgz"}] = PackageCheck{Version: "another", At: w.Now}
	w.lines = nil
	w.settle()
	if event := w.member("c-worker-0").Event; event.Attempt != 5 || event.State != v1alpha1.EventPending {
		t.Fatalf("after the package changed, status has %+v", event)
	}
	w.succeed("c-worker-0")
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	w.golden("package-mended")
}

func TestALongScriptIsAskedAboutOnceItsPodTurnsReady(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	w.settle()
	w.answer("c-worker-0", PhaseRunning, &EventResult{State: v1alpha1.EventRunning, StartedAt: w.Now, Deadline: w.Now.Add(time.Hour)})
	w.settle()
	asked := func() bool { return strings.Contains(Make(w.Observed).String(), "visit c-worker-0") }
	if asked() {
		t.Error("asked again at once")
	}
	pod := w.Pods["c-worker-0"].DeepCopy()
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.Now)}}
	w.Pods[pod.Name] = pod
	if !asked() {
		t.Error("its pod turned Ready, and nobody asked")
	}
	w.after(5 * time.Second)
	w.answer("c-worker-0", PhaseRunning, &EventResult{State: v1alpha1.EventRunning, StartedAt: w.Now, Deadline: w.Now.Add(time.Hour)})
	if asked() {
		t.Error("an old hint has it asked again and again")
	}
}

func TestAttemptIsRecordedBeforeItIsMade(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	w.settle()
	w.fail("c-worker-0", 1)
	w.settle()
	w.after(time.Minute)
	p := Make(w.Observed)
	if p.Record == "" || len(p.Actions) > 0 {
		t.Fatalf("the second attempt is not recorded first:\n%s", p)
	}
}

func TestInvalidNewClusterLeavesNothing(t *testing.T) {
	tests := map[string]struct {
		spoil  func(*world)
		reason string
		names  []string // what the message must name
	}{
		"unknown app":  {func(w *world) { w.App = nil }, v1alpha1.ReasonAppNotFound, []string{"spec.app", `"app"`, "kubectl get kdapp"}},
		"unknown role": {func(w *world) { w.Cluster.Spec.Roles[1].ID = "boss" }, v1alpha1.ReasonInvalidSpec, []string{"spec.roles[1].id", `"boss"`, "worker"}},
		"cardinality":  {func(w *world) { w.Cluster.Spec.Roles[0].Members = ptr.To[int32](3) }, v1alpha1.ReasonInvalidSpec, []string{"spec.roles[0].members", "3", "exactly 1"}},
		"storage class": {func(w *world) {
			withStorage(w.Cluster).Spec.Roles[0].Storage.StorageClassName = ptr.To("gold")
		}, v1alpha1.ReasonInvalidSpec, []string{"spec.roles[0].storage.storageClassName", `"gold"`, "standard"}},
		"service taken": {func(w *world) {
			w.Services["c"] = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "ns"}}
		}, v1alpha1.ReasonNameTaken, []string{"Service", `"c"`}},
		"invalid app": {func(w *world) { w.App.Spec.DefaultConfigPackage.PackageURL = "configmap://nokey" }, v1alpha1.ReasonAppInvalid, []string{"nokey"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testCluster(), testApp())
			test.spoil(w)
			w.settle()
			w.expect(v1alpha1.ClusterNew, test.reason)
			valid := w.condition(v1alpha1.ConditionValid)
			for _, word := range test.names {
				if !strings.Contains(valid.Message, word) {
					t.Errorf("the message does not name %s: %s", word, valid.Message)
				}
			}
			if len(w.Sets)+len(w.Revisions)+len(w.Cluster.Finalizers) > 0 {
				t.Error("something was made for an invalid new cluster")
			}
		})
	}
}

func TestImageIsCorrectedBeforeFirstReady(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.settle()
	w.startAll()
	for _, pod := range w.Pods {
		pod.Status.ContainerStatuses[0] = corev1.ContainerStatus{Name: names.ContainerName, Image: "example/app:1",
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: `Back-off pulling image "example/app:1": ErrImagePull: not found`}}}
	}
	w.settle()
	w.expect(v1alpha1.ClusterCreating, v1alpha1.ReasonImagePullFailed)
	app := w.App.DeepCopy()
	app.Spec.DefaultImageRepoTag, app.Generation = "example/app:2", 2
	w.App = app
	w.lines = nil
	w.settle()
	w.golden("image-corrected")
	if len(w.Pods) != 0 {
		t.Fatalf("%d pods of the old template are left", len(w.Pods))
	}
	w.startAll()
	w.settle()
	w.succeed("c-controller-0", "c-worker-0", "c-worker-1")
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	if len(w.Revisions) != 1 || w.Revisions[0].Name != w.Cluster.Status.App.Revision {
		t.Errorf("pins: %d", len(w.Revisions))
	}
}

func TestAppEditsDoNotDisturbAReadyCluster(t *testing.T) {
	w := readyWorld(t, testCluster())
	app := w.App.DeepCopy()
	app.Spec.DefaultImageRepoTag, app.Generation = "example/app:2", 2
	w.App = app
	w.lines = nil
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	if outdated := w.condition(v1alpha1.ConditionAppOutdated); outdated.Status != metav1.ConditionTrue {
		t.Errorf("AppOutdated is %q", outdated.Status)
	}
	w.App = nil
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	for _, line := range w.lines {
		if strings.Contains(line, "statefulset") || strings.Contains(line, "pod") {
			t.Errorf("an app edit led to: %s", line)
		}
	}
}

func TestUnsupportedEditLeavesTheClusterAlone(t *testing.T) {
	for name, edit := range map[string]func(*v1alpha1.KubeDirectorCluster){
		"storage": func(c *v1alpha1.KubeDirectorCluster) {
			c.Spec.Roles[1].Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi")}
		},
		"role": func(c *v1alpha1.KubeDirectorCluster) { c.Spec.Roles = c.Spec.Roles[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			w := readyWorld(t, testCluster())
			edited := w.Cluster.DeepCopy()
			edit(edited)
			edited.Generation++
			w.Cluster = edited
			w.lines = nil
			w.pass()
			valid := w.condition(v1alpha1.ConditionValid)
			if valid.Status != metav1.ConditionFalse {
				t.Errorf("Valid is %s/%s: %s", valid.Status, valid.Reason, valid.Message)
			}
			for _, line := range w.lines {
				for _, verb := range []string{"create ", "patch ", "delete ", "visit "} {
					if strings.HasPrefix(line, verb) || strings.Contains(line, "\n"+verb) {
						t.Errorf("an unsupported edit led to: %s", line)
					}
				}
			}
			if got := w.Cluster.Status.ObservedGeneration; got != edited.Generation {
				t.Errorf("observedGeneration %d, want %d", got, edited.Generation)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	for name, policy := range map[string]v1alpha1.VolumeReclaim{"retain": "", "delete": v1alpha1.VolumeDelete} {
		t.Run(name, func(t *testing.T) {
			cluster := withStorage(testCluster())
			cluster.Spec.DeletionPolicy = &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnDelete: policy}}
			w := readyWorld(t, cluster)
			for pod := range w.Pods {
				w.Claims[names.Claim(pod)] = &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
					Name: names.Claim(pod), Namespace: "ns", UID: w.uid(), Labels: map[string]string{names.LabelCluster: "c"}}}
			}
			w.Cluster.DeletionTimestamp = ptr.To(metav1.NewTime(w.Now))
			w.lines = nil
			w.settle()
			w.golden("delete-" + name)
			if len(w.Sets) != 0 || len(w.Cluster.Finalizers) != 0 {
				t.Errorf("%d StatefulSets, finalizers %v are left", len(w.Sets), w.Cluster.Finalizers)
			}
			if kept := len(w.Claims) == 3; kept != (policy == "") {
				t.Errorf("%d claims are left", len(w.Claims))
			}
		})
	}
}
