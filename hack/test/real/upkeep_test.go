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
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestStatusLost empties the status of a running cluster. It is found out again,
// and no script runs twice.
func TestStatusLost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "status")
	f.applyGoodApp()
	f.apply(newCluster("c", "testapp", members(2)))
	before := f.untilReady("c")
	emptied := before.DeepCopy()
	emptied.Status = v1alpha1.KubeDirectorClusterStatus{}
	_, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).UpdateStatus(t.Context(), emptied, metav1.UpdateOptions{})
	f.must(err)

	after := f.untilReady("c")
	generation := cmp.FilterPath(func(path cmp.Path) bool { return path.Last().String() == ".MetadataGeneration" }, cmp.Ignore())
	if diff := cmp.Diff(before.Status.Roles, after.Status.Roles, generation); diff != "" {
		t.Errorf("the members, before and after (-before +after):\n%s", diff)
	}
	if after.Status.LastNodeID != before.Status.LastNodeID || after.Status.MetadataGeneration < before.Status.MetadataGeneration {
		t.Errorf("last node ID %d, metadata generation %d, before: %d, %d", after.Status.LastNodeID, after.Status.MetadataGeneration, before.Status.LastNodeID, before.Status.MetadataGeneration)
	}
	for _, pod := range []string{"c-node-0", "c-node-1"} {
		if got := lines(f.exec(pod, "cat", eventsFile)); len(got) != 1 {
			t.Errorf("%s: the script was called for %q", pod, got)
		}
	}
}

// TestDrift changes and removes what a cluster is made of: what the spec asks
// for is put back, what is somebody else's stays.
func TestDrift(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "drift")
	f.applyGoodPackage()
	f.apply(lifeApp(), newCluster("c", "testapp", func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker"}}
	}))
	f.untilReady("c")
	services, sets := server.kube.CoreV1().Services(f.namespace), server.kube.AppsV1().StatefulSets(f.namespace)

	removed := f.service("c-controller-0-svc").UID
	f.must(services.Delete(t.Context(), "c-controller-0-svc", metav1.DeleteOptions{}))
	f.eventually(patience, "the Service is there again", func(ctx context.Context) (bool, string) {
		service, err := services.Get(ctx, "c-controller-0-svc", metav1.GetOptions{})
		return err == nil && service.UID != removed, "it is not"
	})

	edited := f.service("c-worker-0-svc")
	edited.Spec.Selector["colour"], edited.Labels["colour"] = "red", "red"
	_, err := services.Update(t.Context(), edited, metav1.UpdateOptions{})
	f.must(err)
	f.eventually(patience, "the Service's selector is as it was, the label stays", func(context.Context) (bool, string) {
		service := f.service("c-worker-0-svc")
		return service.Spec.Selector["colour"] == "" && service.Labels["colour"] == "red", service.String()
	})

	pod := f.pod("c-worker-0")
	set, err := sets.Get(t.Context(), "c-worker", metav1.GetOptions{})
	f.must(err)
	f.must(sets.Delete(t.Context(), "c-worker", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationOrphan)}))
	f.eventually(patience, "another StatefulSet has taken over the pod", func(ctx context.Context) (bool, string) {
		again, err := sets.Get(ctx, "c-worker", metav1.GetOptions{})
		return err == nil && again.UID != set.UID && metav1.IsControlledBy(f.pod(pod.Name), again), "it has not"
	})
	f.untilReadyAgain("c", pod.Name)
	if now := f.pod(pod.Name); now.UID != pod.UID || containerID(now) != containerID(pod) {
		t.Error("the pod or its container is another one")
	}
	if got := lines(f.exec(pod.Name, "cat", eventsFile)); len(got) != 1 {
		t.Errorf("the script was called for %q", got)
	}
}

// TestAppEdited edits and removes the app of a running cluster, which goes on
// with the app that it knows, through the loss of a container and of a pod.
func TestAppEdited(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "edited")
	f.applyGoodApp()
	f.apply(newCluster("c", "testapp"))
	f.untilReady("c")
	pod := f.pod("c-node-0")

	f.apply(newApp("testapp", image(noImage)))
	f.until("c", "Ready, and AppOutdated", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return isReady(cluster) && condition(cluster, v1alpha1.ConditionAppOutdated).Status == metav1.ConditionTrue
	})
	f.killContainer("c-node-0")
	f.untilReadyAgain("c", "c-node-0")

	f.must(server.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps(f.namespace).Delete(t.Context(), "testapp", metav1.DeleteOptions{}))
	f.deletePod("c-node-0")
	f.untilAnotherPod(pod)
	f.untilReadyAgain("c", "c-node-0")
}

// TestSameNameAgain makes clusters of one name right after one another.
func TestSameNameAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "again")
	f.applyGoodApp()
	for range 2 {
		f.apply(newCluster("c", "testapp", members(2)))
		f.untilReady("c")
		f.deleteCluster("c")
		f.untilGone("c")
	}
	// One that is deleted at once is gone as well.
	f.apply(newCluster("c", "testapp", members(2)))
	f.deleteCluster("c")
	f.untilGone("c")
}
