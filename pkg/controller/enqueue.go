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

package controller

import (
	"fmt"

	"k8s.io/client-go/tools/cache"
)

// Object is what an informer holds.
type Object interface {
	cache.Object
	GetResourceVersion() string
}

// Enqueue makes an informer a source of keys: every object that is added,
// changed or deleted has the keys it belongs to reconciled; a changed one has
// those of its former self as well. A resync, which changes nothing, is no event.
func Enqueue[T Object](c *Controller, informer cache.TypedSharedIndexInformer[T], keysOf func(T) []cache.ObjectName) error {
	add := func(objects ...T) {
		for _, object := range objects {
			for _, key := range keysOf(object) {
				c.Add(key)
			}
		}
	}
	source, err := informer.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[T]{
		AddFunc: func(object T) { add(object) },
		UpdateFunc: func(old, current T) {
			if old.GetResourceVersion() != current.GetResourceVersion() {
				add(old, current)
			}
		},
		DeleteFunc: func(deleted cache.DeletedObject[T]) {
			if object, none := deleted.OptionalObj, *new(T); object != none {
				add(object)
				return
			}
			// Only the name is known. For an object that is its own key that is
			// enough; for others it is the key of nothing.
			c.Add(deleted.GetObjectName())
		},
	})
	if err != nil {
		return fmt.Errorf("controller %s: adding an event handler: %w", c.name, err)
	}
	c.synced = append(c.synced, source.HasSyncedChecker())
	return nil
}

// Itself is the keysOf of objects that are what a controller reconciles.
func Itself[T Object](object T) []cache.ObjectName {
	return []cache.ObjectName{cache.NewObjectName(object.GetNamespace(), object.GetName())}
}
