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

package resources

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

func testCluster() *v1alpha1.KubeDirectorCluster {
	return &v1alpha1.KubeDirectorCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "spark", Namespace: "ml", UID: "6f1c"},
		Status:     v1alpha1.KubeDirectorClusterStatus{LastNodeID: 4, MetadataGeneration: 2},
	}
}

// testApp has a role with ports, and one that wants a terminal and listens nowhere.
func testApp() *v1alpha1.KubeDirectorAppSpec {
	return &v1alpha1.KubeDirectorAppSpec{
		DefaultImageRepoTag: "registry.example/spark:4.1",
		DefaultPersistDirs:  []v1alpha1.Directory{"/var/lib/spark", "/etc"},
		Services: []v1alpha1.Service{
			{ID: "ssh"},
			{ID: "worker", Endpoint: &v1alpha1.Endpoint{Port: 7078}},
			{ID: "8081", Endpoint: &v1alpha1.Endpoint{Port: 8081, URLScheme: "http", IsDashboard: true}},
			{ID: "again", Endpoint: &v1alpha1.Endpoint{Port: 8081}},
		},
		Roles: []v1alpha1.Role{
			{ID: "Worker_1", Cardinality: "1+"},
			{ID: "shell", Cardinality: "1", ContainerSpec: &v1alpha1.ContainerSpec{
				Stdin: true, TTY: true, Command: []string{"/bin/bash"}, Args: []string{"-l"},
			}},
		},
		Config: v1alpha1.AppConfig{RoleServices: []v1alpha1.RoleServices{
			{RoleID: "Worker_1", ServiceIDs: []v1alpha1.ServiceID{"8081", "worker", "ssh", "again"}},
		}},
	}
}

// testInput is the input of a role with two members and all defaults.
func testInput(t *testing.T, roleID string, edits ...func(*RoleInput)) RoleInput {
	t.Helper()
	app := catalog.New("spark41", testApp())
	role, ok := app.Role(roleID)
	if !ok {
		t.Fatalf("the test app has no role %s", roleID)
	}
	in := RoleInput{
		Cluster:            testCluster(),
		App:                app,
		Role:               role,
		Spec:               &v1alpha1.ClusterRole{ID: roleID},
		Members:            []Member{{Pod: "spark-worker-1-0", NodeID: 3}, {Pod: "spark-worker-1-1", NodeID: 4}},
		MetadataGeneration: 2,
		ClusterDomain:      "cluster.local",
		Settings:           Settings{GuestImage: "registry.example/kubedirector:v1"},
	}
	for _, edit := range edits {
		edit(&in)
	}
	return in
}

func withStorage(in *RoleInput) {
	in.Spec.Storage = &v1alpha1.Storage{Size: resource.MustParse("10Gi"), StorageClassName: ptr.To("fast")}
}

func asNonRoot(in *RoleInput) {
	in.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](1000), FSGroup: ptr.To[int64](1000)}
}

func withCapability(in *RoleInput) {
	in.App.Capabilities = []corev1.Capability{"SYS_PTRACE", "NET_ADMIN"}
}

func withGPU(in *RoleInput) {
	in.Spec.Resources.Limits = corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1")}
}

func withEnv(in *RoleInput) {
	in.Spec.Env = []corev1.EnvVar{{Name: "MODE", Value: "fast"}, {Name: "WHERE", Value: "$(KUBEDIRECTOR_POD_UID)"}}
}

func withSystemd(in *RoleInput) { in.App.SystemdRequired = true }

func withReschedule(in *RoleInput) {
	in.Cluster.Spec.Recovery = &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownReschedule}}
}
