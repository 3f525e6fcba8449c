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
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestNoDefaultStorageClass takes the default away from the storage classes; it
// is not parallel, for others use it.
func TestNoDefaultStorageClass(t *testing.T) {
	f := newFixture(t, "nodefault")
	giveBack := f.takeDefaultClass()
	b := invalid("no default storage class", v1alpha1.ReasonInvalidSpec, "spec.roles[0].storage.storageClassName", "default", "use one of: ").
		when(func(f *fixture) {
			f.applyGoodApp()
			f.apply(newCluster("c", "testapp", storage("50Mi"), deletesVolumes))
		}).
		mended(func(*fixture) { giveBack() })
	b.check(f)
}

// takeDefaultClass leaves the cluster without a default StorageClass until the
// function that it returns is called, or the test ends.
func (f *fixture) takeDefaultClass() (giveBack func()) {
	f.Helper()
	classes, err := server.kube.StorageV1().StorageClasses().List(f.Context(), metav1.ListOptions{})
	f.must(err)
	const annotation = "storageclass.kubernetes.io/is-default-class"
	var defaults []string
	for _, class := range classes.Items {
		if class.Annotations[annotation] == "true" {
			defaults = append(defaults, class.Name)
		}
	}
	set := func(value string) {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotation, value)
		for _, name := range defaults {
			if _, err := server.kube.StorageV1().StorageClasses().Patch(context.Background(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
				f.Error(err)
			}
		}
	}
	giveBack = func() { set("true") }
	f.Cleanup(giveBack)
	set("false")
	return giveBack
}
