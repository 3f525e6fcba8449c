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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestStorage keeps a member's directory through the loss of its container, of
// its pod, and of its whole cluster.
func TestStorage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "storage")
	f.apply(packageMap("setup", startscript(t, recordingScript)), storageApp(), newCluster("kept", "storage", storage("100Mi")))
	f.untilReady("kept")
	f.exec("kept-node-0", "sh", "-c", "echo precious >/var/lib/testapp/data; chmod 640 /var/lib/testapp/data")
	wantKept(f, "--configure")

	f.killContainer("kept-node-0")
	f.untilReadyAgain("kept", "kept-node-0")
	wantKept(f, "--configure", "--restart")

	pod := f.pod("kept-node-0")
	f.deletePod(pod.Name)
	f.untilAnotherPod(pod)
	f.untilReadyAgain("kept", "kept-node-0")
	wantKept(f, "--configure", "--restart", "--restart")

	f.deleteCluster("kept")
	f.untilGone("kept")
	f.eventually(patience, "the claim alone is left", func(ctx context.Context) (bool, string) {
		left := f.childrenOf(ctx, "kept")
		return slices.Equal(left, []string{"persistentvolumeclaims/persist-kept-node-0"}), strings.Join(left, ", ")
	})

	// To the new cluster the member is a new one, on the old volume.
	f.apply(newCluster("kept", "storage", storage("100Mi"), deletesVolumes))
	f.untilReady("kept")
	wantKept(f, "--configure", "--restart", "--restart", "--configure")

	f.deleteCluster("kept")
	f.untilGone("kept")
	f.eventually(patience, "the claim is gone too", func(ctx context.Context) (bool, string) {
		left := f.childrenOf(ctx, "kept")
		return len(left) == 0, strings.Join(left, ", ")
	})
}

func storageApp() *v1alpha1.KubeDirectorApp {
	return newApp("storage", func(app *v1alpha1.KubeDirectorAppSpec) {
		app.DefaultPersistDirs = []v1alpha1.Directory{"/var/lib/testapp", "/etc"}
		app.DefaultEventList = []v1alpha1.LifecycleEvent{v1alpha1.EventConfigure, v1alpha1.EventRestart}
	})
}

func storage(size string) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.Roles[0].Storage = &v1alpha1.Storage{Size: resource.MustParse(size)}
	}
}

func deletesVolumes(cluster *v1alpha1.KubeDirectorClusterSpec) {
	cluster.DeletionPolicy = &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnDelete: v1alpha1.VolumeDelete}}
}

// wantKept compares what the member's volume holds: the data, the image's own
// files, and the calls of the script in their order.
func wantKept(f *fixture, calls ...string) {
	f.Helper()
	if got := f.exec("kept-node-0", "sh", "-c", "stat -c %a /var/lib/testapp/data; cat /var/lib/testapp/data"); got != "640\nprecious\n" {
		f.Errorf("mode and content of the data: %q", got)
	}
	if got := f.exec("kept-node-0", "head", "-1", "/etc/passwd"); !strings.HasPrefix(got, "root:") {
		f.Errorf("/etc/passwd begins with %q", got)
	}
	var want []string
	for _, call := range calls {
		want = append(want, "node 1 "+call)
	}
	if diff := cmp.Diff(want, lines(f.exec("kept-node-0", "cat", eventsFile))); diff != "" {
		f.Errorf("the calls of the script (-want +got):\n%s", diff)
	}
}

// untilReadyAgain waits until the cluster is ready with the pod's present container.
func (f *fixture) untilReadyAgain(cluster, pod string) {
	f.Helper()
	f.until(cluster, "ready with the other container", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		now, err := f.tryPod(f.Context(), pod)
		if err != nil {
			return false
		}
		id := containerID(now)
		return id != "" && isReady(cluster) && memberOf(cluster, pod).Incarnation == incarnation(id) && isPodReady(now)
	})
}

// isPodReady is what Kubernetes makes of our startup probe.
func isPodReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
