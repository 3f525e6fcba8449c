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
	"strings"

	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// badSpecs are clusters that contradict their app, or cannot be named.
func badSpecs() []badInput {
	return []badInput{
		invalid("unknown app", v1alpha1.ReasonAppNotFound, "spec.app", `"testapp"`, "apply it").
			when(func(f *fixture) { f.applyGoodPackage(); f.apply(newCluster("c", "testapp")) }).
			mended(func(f *fixture) { f.apply(newApp("testapp")) }),

		invalid("unknown role", v1alpha1.ReasonInvalidSpec, "spec.roles[1].id", `"nodes"`, "use one of: node").
			when(func(f *fixture) { f.applyGoodApp(); f.apply(newCluster("c", "testapp", role("nodes"))) }).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp")) }),

		invalid("members against cardinality", v1alpha1.ReasonInvalidSpec, "spec.roles[0].members", "3", "set it to 1").
			when(func(f *fixture) {
				f.applyGoodPackage()
				f.apply(newApp("testapp", cardinality("1")), newCluster("c", "testapp", members(3)))
			}).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp", members(1))) }),

		invalid("a role that needs members is left out", v1alpha1.ReasonInvalidSpec, "spec.roles", `"master"`, "add it").
			when(func(f *fixture) {
				f.applyGoodPackage()
				f.apply(newApp("testapp", offers("master", "1")), newCluster("c", "testapp"))
			}).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp", role("master"))) }),

		invalid("names too long", v1alpha1.ReasonInvalidSpec, "metadata.name", `"c"`, "too many", "shorter role id").
			when(func(f *fixture) {
				f.applyGoodPackage()
				f.apply(newApp("testapp", offers(longRole, "0+")), newCluster("c", "testapp", role(longRole)))
			}).
			mended(func(f *fixture) {
				f.apply(newApp("testapp", offers("edge", "0+")), newCluster("c", "testapp", role("edge")))
			}),

		invalid("roles whose names collide", v1alpha1.ReasonInvalidSpec, "spec.roles[2].id", `"Edge"`, `"c-edge"`, "leave one of the two roles out").
			when(func(f *fixture) {
				f.applyGoodPackage()
				f.apply(newApp("testapp", offers("edge", "0+"), offers("Edge", "0+")), newCluster("c", "testapp", role("edge"), role("Edge")))
			}).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp", role("edge"))) }),

		invalid("a storage class that is not there", v1alpha1.ReasonInvalidSpec, "spec.roles[0].storage.storageClassName", `"golden"`, "use one of: ").
			when(func(f *fixture) {
				f.applyGoodApp()
				f.apply(newCluster("c", "testapp", storage("50Mi"), func(cluster *v1alpha1.KubeDirectorClusterSpec) {
					cluster.Roles[0].Storage.StorageClassName = ptr.To("golden")
				}))
			}).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp", storage("50Mi"), deletesVolumes)) }),
	}
}

// longRole makes a StatefulSet's name too long with the shortest cluster name.
var longRole = strings.Repeat("r", 51)

// role adds a role to a cluster.
func role(id string) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.Roles = append(cluster.Roles, v1alpha1.ClusterRole{ID: id, Members: ptr.To[int32](1)})
	}
}

// offers adds a role to an app.
func offers(id, cardinality string) func(*v1alpha1.KubeDirectorAppSpec) {
	return func(app *v1alpha1.KubeDirectorAppSpec) {
		app.Roles = append(app.Roles, v1alpha1.Role{ID: id, Cardinality: cardinality})
	}
}

func cardinality(text string) func(*v1alpha1.KubeDirectorAppSpec) {
	return func(app *v1alpha1.KubeDirectorAppSpec) { app.Roles[0].Cardinality = text }
}

func (f *fixture) applyGoodPackage() {
	f.Helper()
	f.apply(packageMap("setup", startscript(f.T, recordingScript)))
}

// applyGoodApp applies an app with which nothing is wrong.
func (f *fixture) applyGoodApp() {
	f.Helper()
	f.applyGoodPackage()
	f.apply(newApp("testapp"))
}
