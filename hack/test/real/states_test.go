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
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// follow watches a cluster that does not exist yet. The function it returns
// gives the states that the cluster went through so far.
func (f *fixture) follow(name string) (states func() []v1alpha1.ClusterState) {
	f.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	watcher, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String(),
	})
	if err != nil {
		cancel()
		f.Fatal(err)
	}
	var mu sync.Mutex
	var seen []v1alpha1.ClusterState
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watcher.ResultChan() {
			cluster, ok := event.Object.(*v1alpha1.KubeDirectorCluster)
			if !ok || cluster.Status.State == v1alpha1.ClusterNew {
				continue
			}
			mu.Lock()
			if len(seen) == 0 || seen[len(seen)-1] != cluster.Status.State {
				seen = append(seen, cluster.Status.State)
			}
			mu.Unlock()
		}
	}()
	f.Cleanup(func() {
		cancel()
		watcher.Stop()
		<-done
	})
	return func() []v1alpha1.ClusterState {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}
