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

package observe

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// Caches are those of the informers.
type Caches struct {
	Clusters cache.Indexer
	// Apps are those of the watched namespaces, SystemApps those of the system namespace.
	Apps, SystemApps cache.Indexer

	// These have the index ByCluster. Of Pods and Revisions, those with the label of a cluster are enough.
	Services, Sets, Claims, Pods, Revisions cache.Indexer

	// StorageClasses is nil where they may not be seen.
	StorageClasses cache.Indexer
}

// ByCluster is the index of objects by the cluster that they belong to.
const ByCluster = "cluster"

// Indexers has the index ByCluster, for the informers of what a cluster consists of.
func Indexers() cache.Indexers { return cache.Indexers{ByCluster: clustersOf} }

// clustersOf finds an object's cluster by its label and by its owner: a claim
// has no owner, and a label may have been taken off.
func clustersOf(obj any) ([]string, error) {
	object, ok := obj.(metav1.Object)
	if !ok {
		return nil, fmt.Errorf("index %s: %T has no metadata", ByCluster, obj)
	}
	var keys []string
	add := func(name string) {
		key := cache.NewObjectName(object.GetNamespace(), name).String()
		if name != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	add(object.GetLabels()[names.LabelCluster])
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil && owner.Kind == "KubeDirectorCluster" {
		add(owner.Name)
	}
	return keys, nil
}

// get finds an object by name; nil if there is none.
func get[T any](indexer cache.Indexer, namespace, name string) (*T, error) {
	item, exists, err := indexer.GetByKey(cache.NewObjectName(namespace, name).String())
	if err != nil || !exists {
		return nil, err
	}
	return typed[T](item)
}

// belonging finds the objects that bear a cluster's name as label or owner.
func belonging[T any](indexer cache.Indexer, key cache.ObjectName) ([]*T, error) {
	items, err := indexer.ByIndex(ByCluster, key.String())
	if err != nil {
		return nil, err
	}
	objects := make([]*T, 0, len(items))
	for _, item := range items {
		object, err := typed[T](item)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

func typed[T any](item any) (*T, error) {
	object, ok := item.(*T)
	if !ok {
		return nil, fmt.Errorf("a cache of %T has a %T: this is a bug", object, item)
	}
	return object, nil
}
