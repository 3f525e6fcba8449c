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

package crash

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/version"
)

const (
	clusterName = "c"

	// eventsFile is where the test app's script writes down what it was called for.
	eventsFile = "/var/lib/testapp/events"
)

// newApp is an app of one controller and workers, whose script is called for all that happens here.
func newApp() *v1alpha1.KubeDirectorApp {
	return &v1alpha1.KubeDirectorApp{
		ObjectMeta: metav1.ObjectMeta{Name: "testapp"},
		Spec: v1alpha1.KubeDirectorAppSpec{
			Label:                v1alpha1.Label{Name: "testapp"},
			DefaultImageRepoTag:  "kubedirector/testapp-debian:" + version.Get(),
			DefaultConfigPackage: &v1alpha1.ConfigPackage{PackageURL: "file:///opt/testapp/testsetup.tgz"},
			DefaultPersistDirs:   []v1alpha1.Directory{"/var/lib/testapp"},
			DefaultEventList: []v1alpha1.LifecycleEvent{
				v1alpha1.EventConfigure, v1alpha1.EventAddNodes, v1alpha1.EventDelNodes, v1alpha1.EventDecommission, v1alpha1.EventDelete,
			},
			Roles:    []v1alpha1.Role{{ID: "controller", Cardinality: "1"}, {ID: "worker", Cardinality: "1+"}},
			Services: []v1alpha1.Service{{ID: "work", Endpoint: &v1alpha1.Endpoint{Port: 9090}}},
			Config: v1alpha1.AppConfig{
				RoleServices: []v1alpha1.RoleServices{{RoleID: "worker", ServiceIDs: []v1alpha1.ServiceID{"work"}}},
			},
		},
	}
}

// untilSeen has the scripts after which a container ends wait until they were witnessed.
var untilSeen = []corev1.EnvVar{{Name: "TESTAPP_DECOMMISSION_SLEEP", Value: "600"}, {Name: "TESTAPP_DELETE_SLEEP", Value: "600"}}

// newCluster is a controller and so many workers, each with a volume that goes with it.
func newCluster(workers int32) *v1alpha1.KubeDirectorCluster {
	return &v1alpha1.KubeDirectorCluster{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName},
		Spec: v1alpha1.KubeDirectorClusterSpec{
			App: newApp().Name,
			Roles: []v1alpha1.ClusterRole{
				{ID: "controller", Env: untilSeen},
				{ID: "worker", Members: ptr.To(workers), Env: untilSeen, Storage: &v1alpha1.Storage{Size: resource.MustParse("50Mi")}},
			},
			DeletionPolicy: &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnScaleDown: v1alpha1.VolumeDelete, OnDelete: v1alpha1.VolumeDelete}},
		},
	}
}
