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

package cluster

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// owner is the key of the cluster that controls an object, found by the owner
// reference, or by the label for what has none or another: claims, pods.
func owner[O metav1.Object](o O) []cache.ObjectName {
	if ref := metav1.GetControllerOf(o); ref != nil && ref.Kind == "KubeDirectorCluster" {
		return []cache.ObjectName{{Namespace: o.GetNamespace(), Name: ref.Name}}
	}
	if cluster := o.GetLabels()[names.LabelCluster]; cluster != "" {
		return []cache.ObjectName{{Namespace: o.GetNamespace(), Name: cluster}}
	}
	return nil
}

// ByApp is the index of clusters by the name of their app.
const ByApp = "app"

// IndexByApp computes the index ByApp.
func IndexByApp(obj any) ([]string, error) {
	cluster, ok := obj.(*v1alpha1.KubeDirectorCluster)
	if !ok {
		return nil, nil
	}
	return []string{cluster.Spec.App}, nil
}

// usersOf finds the clusters that an app may concern: all that name it, for an
// app of the system catalog concerns every namespace.
func usersOf(clusters cache.Indexer) func(*v1alpha1.KubeDirectorApp) []cache.ObjectName {
	return func(app *v1alpha1.KubeDirectorApp) []cache.ObjectName {
		found, err := clusters.ByIndex(ByApp, app.Name)
		if err != nil {
			return nil // Subscribe adds the index before there are events
		}
		return keysOf(found)
	}
}

// everyone is all clusters: whom a StorageClass concerns can't be told.
func everyone[O metav1.Object](clusters cache.Indexer) func(O) []cache.ObjectName {
	return func(O) []cache.ObjectName { return keysOf(clusters.List()) }
}

func keysOf(found []any) []cache.ObjectName {
	var keys []cache.ObjectName
	for _, obj := range found {
		if cluster, ok := obj.(*v1alpha1.KubeDirectorCluster); ok {
			keys = append(keys, cache.MetaObjectToName(cluster))
		}
	}
	return keys
}
