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

package execute

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2/ktesting"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func (f *fixture) clusterResource() schema.GroupVersionResource {
	return v1alpha1.SchemeGroupVersion.WithResource("kubedirectorclusters")
}

func TestStatusIsWrittenAtTheObservedVersion(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	w := StatusWriter{KubeDirector: f.kd, Writes: f.noted}
	seen := f.cluster.DeepCopy()

	if err := w.Write(ctx, f.cluster, &v1alpha1.KubeDirectorClusterStatus{State: v1alpha1.ClusterReady, LastNodeID: 3}); err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff([]string{"update kubedirectorclusters/status spark at 40"}, f.requests(t)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ml/spark wrote kubedirectorclusters.kubedirector.bluedata.io at 40"}, f.noted.lines); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(seen, f.cluster); diff != "" {
		t.Errorf("the observed cluster was edited (-before +after):\n%s", diff)
	}
	item, err := f.kd.Tracker().Get(f.clusterResource(), "ml", "spark")
	if err != nil {
		t.Fatal(err)
	}
	if got := item.(*v1alpha1.KubeDirectorCluster).Status; got.State != v1alpha1.ClusterReady || got.LastNodeID != 3 {
		t.Errorf("status is %+v", got)
	}
}

func TestStatusConflictIsNotTriedAgain(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	f.kd.PrependReactor("update", "kubedirectorclusters", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(v1alpha1.Resource("kubedirectorclusters"), "spark", errors.New("changed"))
	})
	w := StatusWriter{KubeDirector: f.kd, Writes: f.noted}
	err := w.Write(ctx, f.cluster, &v1alpha1.KubeDirectorClusterStatus{})
	if !apierrors.IsConflict(err) || len(f.requests(t)) != 1 || len(f.noted.lines) != 0 {
		t.Errorf("error %v after %v, noted %v", err, f.requests(t), f.noted.lines)
	}
}

func TestStatusOfAClusterThatIsGone(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	if err := f.kd.Tracker().Delete(f.clusterResource(), "ml", "spark"); err != nil {
		t.Fatal(err)
	}
	w := StatusWriter{KubeDirector: f.kd, Writes: f.noted}
	if err := w.Write(ctx, f.cluster, &v1alpha1.KubeDirectorClusterStatus{}); err != nil || len(f.noted.lines) != 0 {
		t.Errorf("error %v, noted %v", err, f.noted.lines)
	}
}
