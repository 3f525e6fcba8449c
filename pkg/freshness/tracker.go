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

package freshness

import (
	"fmt"
	"maps"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/cache"
)

// Store is what a Tracker needs of an informer's store.
type Store interface {
	LastStoreSyncResourceVersion() string
	GetByKey(key string) (item any, exists bool, err error)
}

var _ Store = cache.Store(nil)

// StaleError says that a cache does not show one of our writes yet. It is no
// fault: trying again a moment later cures it.
type StaleError struct {
	Resource schema.GroupResource
	// What is the write that is missing.
	What string
}

// Error names the write and the cache.
func (e *StaleError) Error() string {
	return fmt.Sprintf("the cache of %s does not show %s yet", e.Resource, e.What)
}

// Tracker knows the writes that were made for an owner, the object whose
// reconciliation made them. It is safe for concurrent use.
type Tracker struct {
	stores map[schema.GroupResource]Store

	mu     sync.Mutex
	writes map[cache.ObjectName]*writes
}

// writes are those of one owner that its reconciliation has not yet seen.
type writes struct {
	versions  map[schema.GroupResource]string
	deletions map[types.UID]deletion
}

type deletion struct {
	resource schema.GroupResource
	object   cache.ObjectName
}

// New makes a Tracker for the resources that are read from the given stores.
// Writes to other resources need not be waited for: nothing shows them late.
func New(stores map[schema.GroupResource]Store) *Tracker {
	return &Tracker{stores: maps.Clone(stores), writes: map[cache.ObjectName]*writes{}}
}

// WroteAt notes that an object was created or changed, with the resourceVersion of the answer.
func (t *Tracker) WroteAt(owner cache.ObjectName, resource schema.GroupResource, resourceVersion string) {
	if _, cached := t.stores[resource]; !cached {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	versions := t.of(owner).versions
	if last, noted := versions[resource]; !noted || newer(resourceVersion, last) {
		versions[resource] = resourceVersion
	}
}

// Deleted notes that the deletion of an object was accepted.
func (t *Tracker) Deleted(owner cache.ObjectName, resource schema.GroupResource, object cache.ObjectName, uid types.UID) {
	if _, cached := t.stores[resource]; !cached {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(owner).deletions[uid] = deletion{resource: resource, object: object}
}

// Ensure is nil when the caches show every write for the owner, and a *StaleError otherwise.
// What has been seen once is forgotten.
func (t *Tracker) Ensure(owner cache.ObjectName) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	pending, ok := t.writes[owner]
	if !ok {
		return nil
	}
	for resource, version := range pending.versions {
		if newer(version, t.stores[resource].LastStoreSyncResourceVersion()) {
			return &StaleError{Resource: resource, What: "resourceVersion " + version}
		}
	}
	for uid, gone := range pending.deletions {
		if t.holds(gone, uid) {
			return &StaleError{Resource: gone.resource, What: "the deletion of " + gone.object.String()}
		}
	}
	delete(t.writes, owner)
	return nil
}

// Clear forgets an owner that is gone.
func (t *Tracker) Clear(owner cache.ObjectName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.writes, owner)
}

func (t *Tracker) of(owner cache.ObjectName) *writes {
	w, ok := t.writes[owner]
	if !ok {
		w = &writes{versions: map[schema.GroupResource]string{}, deletions: map[types.UID]deletion{}}
		t.writes[owner] = w
	}
	return w
}

// holds is true while the store has the very object, and not as terminating.
func (t *Tracker) holds(gone deletion, uid types.UID) bool {
	item, exists, err := t.stores[gone.resource].GetByKey(gone.object.String())
	if err != nil || !exists {
		return false
	}
	object, err := meta.Accessor(item)
	return err == nil && object.GetUID() == uid && object.GetDeletionTimestamp() == nil
}

// newer is true if a is known to be newer than b. Versions that do not compare
// come from fakes and from stores that keep none; nothing is waited for then.
func newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}
