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
	"context"
	"encoding/json"
	"slices"

	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

func (e *Executor) addFinalizer(ctx context.Context, cluster *v1alpha1.KubeDirectorCluster) error {
	return e.setFinalizers(ctx, cluster, append(slices.Clone(cluster.Finalizers), names.Finalizer))
}

func (e *Executor) removeFinalizer(ctx context.Context, cluster *v1alpha1.KubeDirectorCluster) error {
	others := slices.DeleteFunc(slices.Clone(cluster.Finalizers), func(f string) bool { return f == names.Finalizer })
	return e.setFinalizers(ctx, cluster, others)
}

// setFinalizers replaces the whole list, which is safe only for the cluster as
// it was observed: others have finalizers of their own.
func (e *Executor) setFinalizers(ctx context.Context, cluster *v1alpha1.KubeDirectorCluster, finalizers []string) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid":             cluster.UID,
		"resourceVersion": cluster.ResourceVersion,
		"finalizers":      finalizers,
	}})
	if err != nil {
		return err
	}
	return e.clusters(cluster).merge(ctx, cache.MetaObjectToName(cluster), cluster.Name, body)
}
