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
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// claim puts a claim with a cluster's label into the world.
func (w *world) claim(name, cluster string) {
	w.Claims[name] = &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "ns", UID: w.uid(), Labels: map[string]string{names.LabelCluster: cluster}}}
}

func deletingVolumes(c *v1alpha1.KubeDirectorCluster) *v1alpha1.KubeDirectorCluster {
	c.Spec.DeletionPolicy = &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnDelete: v1alpha1.VolumeDelete}}
	return c
}

func TestOnlyTheVolumesOfTheClustersOwnMembersAreDeleted(t *testing.T) {
	w := readyWorld(t, deletingVolumes(withStorage(testCluster())))
	for pod := range w.Pods {
		w.claim(names.Claim(pod), "c")
	}
	w.claim("persist-c-worker-7", "c")          // kept by an earlier cluster of this name, which had more members
	w.claim("persist-c-worker-b-0", "c-worker") // of another cluster
	w.Cluster.DeletionTimestamp = ptr.To(metav1.NewTime(w.Now))
	w.settle()
	if diff := cmp.Diff([]string{"persist-c-worker-7", "persist-c-worker-b-0"}, slices.Sorted(maps.Keys(w.Claims))); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

// Who was replaced has gone, and its successor is not enlisted: what Kubernetes
// has made in its place goes, what a scale-down has kept does not.
func TestTheVolumeOfAPlaceWithoutAMemberIsDeleted(t *testing.T) {
	w := readyWorld(t, deletingVolumes(withStorage(testCluster())))
	for pod := range w.Pods {
		w.claim(names.Claim(pod), "c")
	}
	workers := &w.Cluster.Status.Roles[1]
	workers.Members = slices.DeleteFunc(workers.Members, func(m v1alpha1.MemberStatus) bool { return m.Pod == "c-worker-0" })
	workers.Desired = 4                // a scale-up waits until those have gone who leave
	w.claim("persist-c-worker-3", "c") // kept
	w.Cluster.DeletionTimestamp = ptr.To(metav1.NewTime(w.Now))
	w.settle()
	if diff := cmp.Diff([]string{"persist-c-worker-3"}, slices.Sorted(maps.Keys(w.Claims))); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

func TestDeletingAClusterThatWasNeverValidDeletesNoVolume(t *testing.T) {
	cluster := deletingVolumes(withStorage(testCluster()))
	cluster.Spec.Roles[1].ID = "boss"
	w := newWorld(t, cluster, testApp())
	w.claim("persist-c-worker-0", "c")
	w.settle()
	w.Cluster.Finalizers = []string{names.Finalizer}
	w.Cluster.DeletionTimestamp = ptr.To(metav1.NewTime(w.Now))
	w.settle()
	if len(w.Claims) != 1 {
		t.Error("a volume that an earlier cluster of this name kept is deleted")
	}
}
