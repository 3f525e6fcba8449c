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

// Itself is the key of a cluster's own event.
func Itself(cluster *v1alpha1.KubeDirectorCluster) []cache.ObjectName {
	return []cache.ObjectName{cache.MetaObjectToName(cluster)}
}

// Owner is the key of the cluster that controls an object, found by the owner
// reference, or by the label for what has none or another one: pods, claims.
func Owner(o metav1.Object) []cache.ObjectName {
	if owner := metav1.GetControllerOf(o); owner != nil && owner.Kind == "KubeDirectorCluster" {
		return []cache.ObjectName{{Namespace: o.GetNamespace(), Name: owner.Name}}
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

// UsersOf finds the clusters that an app may concern: those that name it,
// whatever namespace it is in, for a system app concerns all of them.
func UsersOf(clusters cache.Indexer) func(*v1alpha1.KubeDirectorApp) []cache.ObjectName {
	return func(app *v1alpha1.KubeDirectorApp) []cache.ObjectName {
		found, err := clusters.ByIndex(ByApp, app.Name)
		if err != nil {
			return nil // the index is added before the informer starts
		}
		return namesOf(found)
	}
}

// Everyone is all clusters: of a StorageClass it can't be told whom it concerns.
func Everyone[O metav1.Object](clusters cache.Indexer) func(O) []cache.ObjectName {
	return func(O) []cache.ObjectName { return namesOf(clusters.List()) }
}

func namesOf(found []any) []cache.ObjectName {
	var all []cache.ObjectName
	for _, obj := range found {
		if cluster, ok := obj.(*v1alpha1.KubeDirectorCluster); ok {
			all = append(all, cache.MetaObjectToName(cluster))
		}
	}
	return all
}
