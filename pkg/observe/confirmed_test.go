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

package observe

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/fake"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// at is the metadata of one of the cluster's objects as it was at a version.
func at(name, version string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: key.Namespace, UID: types.UID("u-" + name), ResourceVersion: version,
		Labels: map[string]string{names.LabelCluster: key.Name}}
}

// podWith is spark-worker-0 as it was at a version, with a container.
func podWith(version, container string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: at("spark-worker-0", version)}
	if container != "" {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", ContainerID: "containerd://" + container + "0000"}}
	}
	return pod
}

// clusterWith is a cluster as it is on record, with the container of its one
// member. One without members, and with our finalizer, has lost its record.
func clusterWith(version string, finalizers []string, incarnations ...string) *v1alpha1.KubeDirectorCluster {
	cluster := &v1alpha1.KubeDirectorCluster{ObjectMeta: at(key.Name, version)}
	cluster.Finalizers = finalizers
	for _, incarnation := range incarnations {
		cluster.Status.Roles = []v1alpha1.RoleStatus{{Members: []v1alpha1.MemberStatus{{Pod: "spark-worker-0", Incarnation: incarnation}}}}
	}
	return cluster
}

// confirming is a process that sees the cluster, and what it has found that its caches must show.
type confirming struct {
	*Confirmed
	asked []string
}

func newConfirming(t *testing.T, cached, is []runtime.Object) *confirming {
	t.Helper()
	var clusters, others []runtime.Object
	for _, object := range is {
		if _, ok := object.(*v1alpha1.KubeDirectorCluster); ok {
			clusters = append(clusters, object)
		} else {
			others = append(others, object)
		}
	}
	c := &confirming{}
	c.Confirmed = &Confirmed{
		Clusters: fake.NewClientset(clusters...).KubedirectorV1alpha1(),
		Kube:     kubefake.NewClientset(others...),
		Caches:   newFixture(t, cached...).Caches,
		Newest: func(_ cache.ObjectName, resource schema.GroupResource, version string) {
			c.asked = append(c.asked, resource.Resource+" "+version)
		},
	}
	return c
}

// must is what has been asked for after two passes: the second is a matter of its own writes.
func (c *confirming) must(t *testing.T, want ...string) {
	t.Helper()
	for range 2 {
		if err := c.Ensure(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, c.asked); diff != "" {
		t.Errorf("what the caches must show (-want +got):\n%s", diff)
	}
	c.asked = nil
}

// shows has the cache come to a newer version of the cluster.
func (c *confirming) shows(t *testing.T, cluster *v1alpha1.KubeDirectorCluster) {
	t.Helper()
	if err := c.Caches.Clusters.Update(cluster); err != nil {
		t.Fatal(err)
	}
}

// The caches must come to where the API server is, where they do not show what is on record.
func TestConfirmed(t *testing.T) {
	tests := []struct {
		name        string
		incarnation string
		cached, is  *corev1.Pod
		want        []string
	}{
		{"the container on record is cached", "5d0f0ff3c1d2", podWith("7", "5d0f0ff3c1d2"), podWith("9", "5d0f0ff3c1d2"), []string{"kubedirectorclusters 5"}},
		{"its pod is not cached yet", "5d0f0ff3c1d2", nil, podWith("9", "5d0f0ff3c1d2"), []string{"kubedirectorclusters 5", "pods 9"}},
		{"an earlier container is", "5d0f0ff3c1d2", podWith("7", "aaaaaaaaaaaa"), podWith("9", "5d0f0ff3c1d2"), []string{"kubedirectorclusters 5", "pods 9"}},
		{"a pod without a container is", "5d0f0ff3c1d2", podWith("7", ""), podWith("9", "5d0f0ff3c1d2"), []string{"kubedirectorclusters 5", "pods 9"}},
		{"the pod is gone", "5d0f0ff3c1d2", nil, nil, []string{"kubedirectorclusters 5"}},
		{"no container is on record", "", nil, podWith("9", "5d0f0ff3c1d2"), []string{"kubedirectorclusters 5"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cluster := clusterWith("5", []string{names.Finalizer}, test.incarnation)
			cached, is := []runtime.Object{cluster}, []runtime.Object{cluster}
			if test.cached != nil {
				cached = append(cached, test.cached)
			}
			if test.is != nil {
				is = append(is, test.is)
			}
			newConfirming(t, cached, is).must(t, test.want...)
		})
	}
}

// A record that was lost is rebuilt from objects as they are, not as they were.
func TestConfirmedBeforeARecordIsRebuilt(t *testing.T) {
	objects := []runtime.Object{
		&corev1.Service{ObjectMeta: at("spark", "11")},
		&appsv1.StatefulSet{ObjectMeta: at("spark-worker", "12")},
		&appsv1.ControllerRevision{ObjectMeta: at("spark-1", "13")},
		podWith("14", ""),
	}
	record := "kubedirectorclusters 5"
	all := []string{record, "services 11", "statefulsets 12", "controllerrevisions 13", "pods 14"}
	ours := []string{names.Finalizer}
	lost := clusterWith("5", ours)
	tests := []struct {
		name       string
		cached, is *v1alpha1.KubeDirectorCluster
		want       []string
	}{
		{"it is lost", lost, lost, all},
		{"the cache does not know yet that a controller has ever seen it", clusterWith("3", nil), lost, []string{record}},
		{"nothing was ever made of it", clusterWith("5", nil), clusterWith("5", nil), []string{record}},
		{"it is there", clusterWith("5", ours, ""), clusterWith("5", ours, ""), []string{record}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newConfirming(t, []runtime.Object{test.cached}, append(objects, test.is))
			c.must(t, test.want...)
			c.shows(t, clusterWith("6", ours, ""))
			c.must(t)
			c.shows(t, clusterWith("7", ours))
			c.must(t, all[1:]...)
		})
	}
}

// What the cache shows and the API server does not have is not decided upon.
func TestConfirmedWithoutWhatIsGone(t *testing.T) {
	lost := clusterWith("5", []string{names.Finalizer})
	set := &appsv1.StatefulSet{ObjectMeta: at("spark-worker", "12")}
	c := newConfirming(t, []runtime.Object{lost, set}, []runtime.Object{lost})
	var stale *freshness.StaleError
	if err := c.Ensure(t.Context(), key); !errors.As(err, &stale) || stale.Resource.Resource != "statefulsets" {
		t.Fatalf("got %v, want that the cache of statefulsets is stale", err)
	}
	if err := c.Caches.Sets.Delete(set); err != nil {
		t.Fatal(err)
	}
	c.asked = nil
	c.must(t)
}
