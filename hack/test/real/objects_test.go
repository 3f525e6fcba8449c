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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/version"
)

var (
	debianImage  = "kubedirector/testapp-debian:" + version.Get()
	scratchImage = "kubedirector/testapp-scratch:" + version.Get()
)

// newApp is an app with one role, "node", whose image is Debian and whose
// package comes from the ConfigMap "setup".
func newApp(name string, edits ...func(*v1alpha1.KubeDirectorAppSpec)) *v1alpha1.KubeDirectorApp {
	app := &v1alpha1.KubeDirectorApp{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.KubeDirectorAppSpec{
			Label:                v1alpha1.Label{Name: name},
			DefaultImageRepoTag:  debianImage,
			DefaultConfigPackage: &v1alpha1.ConfigPackage{PackageURL: "configmap://setup/" + packageKey},
			Roles:                []v1alpha1.Role{{ID: "node", Cardinality: "1+"}},
			Config:               v1alpha1.AppConfig{RoleServices: []v1alpha1.RoleServices{}},
		},
	}
	for _, edit := range edits {
		edit(&app.Spec)
	}
	return app
}

// newCluster is a cluster of the app, with one member in role "node" unless roles are given.
func newCluster(name, app string, edits ...func(*v1alpha1.KubeDirectorClusterSpec)) *v1alpha1.KubeDirectorCluster {
	cluster := &v1alpha1.KubeDirectorCluster{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.KubeDirectorClusterSpec{App: app, Roles: []v1alpha1.ClusterRole{{ID: "node"}}},
	}
	for _, edit := range edits {
		edit(&cluster.Spec)
	}
	return cluster
}

// hooks sets how long scripts may run, and how often and when they are tried again.
func hooks(timeout, retries, backoff int32) func(*v1alpha1.KubeDirectorAppSpec) {
	return func(app *v1alpha1.KubeDirectorAppSpec) {
		app.Hooks = &v1alpha1.Hooks{HookPolicy: v1alpha1.HookPolicy{
			TimeoutSeconds: ptr.To(timeout), Retries: ptr.To(retries), BackoffSeconds: ptr.To(backoff),
		}}
	}
}

// members sets the number of members of role "node".
func members(n int32) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) { cluster.Roles[0].Members = ptr.To(n) }
}
