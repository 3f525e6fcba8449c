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
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/fake"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// podWith is c-worker-0 as it was at a version, with a container.
func podWith(version, container string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "c-worker-0", Namespace: "ns", ResourceVersion: version,
		Labels: map[string]string{names.LabelCluster: "c"}}}
	if container != "" {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", ContainerID: "containerd://" + container + "0000"}}
	}
	return pod
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
			cluster := &v1alpha1.KubeDirectorCluster{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "ns", ResourceVersion: "5"}}
			cluster.Status.Roles = []v1alpha1.RoleStatus{{Members: []v1alpha1.MemberStatus{{Pod: "c-worker-0", Incarnation: test.incarnation}}}}
			clusters, pods := cache.NewStore(cache.MetaNamespaceKeyFunc), cache.NewStore(cache.MetaNamespaceKeyFunc)
			if err := clusters.Add(cluster); err != nil {
				t.Fatal(err)
			}
			if test.cached != nil {
				if err := pods.Add(test.cached); err != nil {
					t.Fatal(err)
				}
			}
			var present []runtime.Object
			if test.is != nil {
				present = append(present, test.is)
			}
			var asked []string
			c := &Confirmed{
				Clusters: fake.NewClientset(cluster).KubedirectorV1alpha1(), Cache: clusters,
				Pods: kubefake.NewClientset(present...).CoreV1(), PodCache: pods,
				Newest: func(_ cache.ObjectName, resource schema.GroupResource, version string) {
					asked = append(asked, resource.Resource+" "+version)
				},
			}
			key := cache.NewObjectName("ns", "c")
			for range 2 { // the second time is a matter of its own writes
				if err := c.Ensure(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(test.want, asked); diff != "" {
				t.Errorf("what the caches must show (-want +got):\n%s", diff)
			}
		})
	}
}
