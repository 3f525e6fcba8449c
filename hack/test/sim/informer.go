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

package sim

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// item is a pointer to what the simulated server stores.
type item interface {
	comparable
	apiserver.Object
}

// informer is a shared informer whose watch is moved on by the walk, one event
// at a time: the world decides how far a cache lags, what it misses and when it lists anew.
type informer[O item] struct {
	// What nobody here calls is nil.
	cache.TypedSharedIndexInformer[O]

	api      *apiserver.Server
	resource schema.GroupResource
	// selects is false for objects that the server does not send; nil selects all.
	selects  func(O) bool
	indexer  cache.Indexer
	handlers []cache.TypedResourceEventHandler[O]
	// position is the version up to which events were delivered.
	position int64
	filled   chan struct{}
}

func newInformer[O item](api *apiserver.Server, resource schema.GroupResource, selects func(O) bool) *informer[O] {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	return &informer[O]{api: api, resource: resource, selects: selects, indexer: indexer, filled: make(chan struct{})}
}

// feed is what the walk does with an informer of whatever type.
type feed interface {
	name() string
	group() string
	// lag is how many events wait to be delivered; all is how it says that the
	// server no longer has them.
	lag() int
	deliver(n int)
	relist()
	start(from int64)
}

func (i *informer[O]) name() string  { return i.resource.Resource }
func (i *informer[O]) group() string { return i.resource.Group }

func (i *informer[O]) lag() int {
	events, err := i.api.Since(i.resource, i.position)
	if err != nil {
		return 1 // a watch that ends with 410 Gone, upon which is listed anew
	}
	return len(events)
}

// start fills the cache with what the server had at a version in the past: a
// list is served from a watch cache, which may lag.
func (i *informer[O]) start(from int64) {
	objects, version := past[O](i.api, i.resource, from)
	i.replace(objects, version)
	close(i.filled)
}

// past is the list of objects as it was at a version, as far as the log still tells.
func past[O item](api *apiserver.Server, resource schema.GroupResource, version int64) ([]O, int64) {
	now := apiserver.List[O](api, metav1.NamespaceAll)
	events, err := api.Since(resource, version)
	if err != nil || len(events) == 0 {
		return now, api.Version()
	}
	// The log has states, not changes: what an object was before is in the last event before.
	before, err := api.Since(resource, 0)
	if err != nil {
		return now, api.Version()
	}
	then := map[string]O{}
	for _, event := range before {
		if event.Version > version {
			break
		}
		key := cache.MetaObjectToName(event.Object).String()
		if event.Type == watch.Deleted {
			delete(then, key)
			continue
		}
		then[key] = event.Object.(O)
	}
	objects := make([]O, 0, len(then))
	for _, object := range then {
		objects = append(objects, object)
	}
	slices.SortFunc(objects, func(a, b O) int {
		return strings.Compare(cache.MetaObjectToName(a).String(), cache.MetaObjectToName(b).String())
	})
	return objects, version
}

// deliver brings the next n events to the cache and to the handlers.
func (i *informer[O]) deliver(n int) {
	events, err := i.api.Since(i.resource, i.position)
	if err != nil {
		i.relist()
		return
	}
	for _, event := range events[:min(n, len(events))] {
		i.position = event.Version
		object := event.Object.(O)
		if event.Type == watch.Deleted || !i.selected(object) {
			i.drop(object)
			continue
		}
		i.put(object)
	}
}

func (i *informer[O]) selected(object O) bool { return i.selects == nil || i.selects(object) }

func (i *informer[O]) put(object O) {
	old, known := i.stored(object)
	if err := i.indexer.Update(object); err != nil {
		panic(err) // an index function of ours failed
	}
	for _, handler := range i.handlers {
		if known {
			handler.OnUpdate(old, object)
		} else {
			handler.OnAdd(object, false)
		}
	}
}

func (i *informer[O]) drop(object O) {
	if _, known := i.stored(object); !known {
		return
	}
	if err := i.indexer.Delete(object); err != nil {
		panic(err)
	}
	for _, handler := range i.handlers {
		handler.OnDelete(cache.DeletedObject[O]{OptionalObj: object})
	}
}

func (i *informer[O]) stored(object O) (O, bool) {
	item, known, err := i.indexer.GetByKey(cache.MetaObjectToName(object).String())
	if err != nil || !known {
		return *new(O), false
	}
	return item.(O), true
}

// relist lists anew, as after a watch that was lost: what happened meanwhile is seen as one change.
func (i *informer[O]) relist() {
	i.replace(apiserver.List[O](i.api, metav1.NamespaceAll), i.api.Version())
}

func (i *informer[O]) replace(objects []O, version int64) {
	present := map[string]bool{}
	for _, object := range objects {
		if i.selected(object) {
			present[cache.MetaObjectToName(object).String()] = true
			i.put(object)
		}
	}
	keys := i.indexer.ListKeys()
	slices.Sort(keys)
	for _, key := range keys {
		if present[key] {
			continue
		}
		item, _, _ := i.indexer.GetByKey(key) // it was listed a moment ago
		stale := item.(O)
		if err := i.indexer.Delete(stale); err != nil {
			panic(err)
		}
		for _, handler := range i.handlers {
			handler.OnDelete(cache.DeletedObject[O]{OptionalObj: stale, FinalStateUnknown: &cache.DeletedFinalStateUnknown{Key: key, Obj: stale}})
		}
	}
	i.position = version
	i.indexer.Bookmark(strconv.FormatInt(version, 10))
}

// AddTypedEventHandler implements cache.TypedSharedIndexInformer.
func (i *informer[O]) AddTypedEventHandler(handler cache.TypedResourceEventHandler[O], _ ...cache.HandlerOptions) (cache.ResourceEventHandlerRegistration, error) {
	i.handlers = append(i.handlers, handler)
	for _, item := range i.indexer.List() {
		handler.OnAdd(item.(O), true)
	}
	return registration{i.filled}, nil
}

// AddIndexers implements cache.TypedSharedIndexInformer.
func (i *informer[O]) AddIndexers(indexers cache.Indexers) error {
	return i.indexer.AddIndexers(indexers)
}

// GetIndexer implements cache.TypedSharedIndexInformer.
func (i *informer[O]) GetIndexer() cache.Indexer { return i.indexer }

// registration says when a handler has been told of the first list.
type registration struct{ filled chan struct{} }

func (r registration) HasSynced() bool                     { return cache.IsDone(r) }
func (r registration) HasSyncedChecker() cache.DoneChecker { return r }
func (r registration) Done() <-chan struct{}               { return r.filled }
func (r registration) Name() string                        { return "simulated" }
