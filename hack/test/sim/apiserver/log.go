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

package apiserver

import (
	"cmp"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Event is a change. One that says Deleted has the last state, with the version of the deletion.
type Event struct {
	Type    watch.EventType
	Object  Object
	Version int64
}

// kept is how many events a log has at least, unless it was compacted.
const kept = 4096

// eventLog is what has happened to the objects of a kind since a version.
type eventLog struct {
	since    int64
	events   []Event
	before   []Object // what each event's object was
	watchers []*watcher
}

// add forgets the older half of a log that has become too long; whoever got it keeps it.
func (l *eventLog) add(e Event, before Object) {
	if len(l.events) == 2*kept {
		l.since = l.events[kept-1].Version
		l.events, l.before = slices.Clone(l.events[kept:]), slices.Clone(l.before[kept:])
	}
	l.events, l.before = append(l.events, e), append(l.before, before)
	for _, w := range l.watchers {
		w.wake()
	}
}

// after is the place of the first event after a version.
func (l *eventLog) after(version int64) (int, error) {
	if version < l.since {
		return 0, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", version, l.since))
	}
	i, _ := slices.BinarySearchFunc(l.events, version+1, func(e Event, v int64) int { return cmp.Compare(e.Version, v) })
	return i, nil
}

// Since is what has happened after a version; 410 when that is forgotten.
func (s *Server) Since(r schema.GroupResource, version int64) ([]Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.stores[r].log
	i, err := l.after(version)
	if err != nil {
		return nil, err
	}
	return slices.Clip(l.events[i:]), nil
}

// Compact forgets what has happened so far.
func (s *Server) Compact(r schema.GroupResource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.stores[r].log
	l.since, l.events, l.before = s.version, nil, nil
	for _, w := range l.watchers {
		w.wake()
	}
}
