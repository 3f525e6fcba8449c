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
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/watch"
)

// store is all objects of a kind.
type store struct {
	*kind
	rows   map[key]*row
	sorted []*row // by namespace and name
	log    eventLog
}

type key struct{ namespace, name string }

func (k key) compare(other key) int {
	if c := strings.Compare(k.namespace, other.namespace); c != 0 {
		return c
	}
	return strings.Compare(k.name, other.name)
}

// row is an object, and its JSON once somebody has asked for it.
type row struct {
	key
	object Object
	json   []byte
}

func newStore(k *kind) *store { return &store{kind: k, rows: map[key]*row{}} }

// get is an object; nil: there is none.
func (st *store) get(namespace, name string) Object {
	if r := st.rows[key{namespace, name}]; r != nil {
		return r.object
	}
	return nil
}

// in is what a namespace has, or what all have for "".
func (st *store) in(namespace string) []*row {
	if namespace == "" {
		return st.sorted
	}
	from, _ := st.find(key{namespace: namespace})
	to := from
	for to < len(st.sorted) && st.sorted[to].namespace == namespace {
		to++
	}
	return st.sorted[from:to]
}

func (st *store) find(k key) (int, bool) {
	return slices.BinarySearchFunc(st.sorted, k, func(r *row, k key) int { return r.compare(k) })
}

// put stores an object, new or changed, as a version of its own.
func (s *Server) put(st *store, o Object) {
	o.SetResourceVersion(s.next())
	k := key{o.GetNamespace(), o.GetName()}
	if r := st.rows[k]; r != nil {
		before := r.object
		r.object, r.json = o, nil
		st.log.add(Event{watch.Modified, o, s.version}, before)
		return
	}
	r := &row{key: k, object: o}
	st.rows[k] = r
	i, _ := st.find(k)
	st.sorted = slices.Insert(st.sorted, i, r)
	st.log.add(Event{watch.Added, o, s.version}, nil)
}

// remove forgets an object. Watches are told of it as it was, with the version of its end.
func (s *Server) remove(st *store, before Object) Object {
	last := st.clone(before)
	last.SetResourceVersion(s.next())
	k := key{before.GetNamespace(), before.GetName()}
	delete(st.rows, k)
	if i, found := st.find(k); found {
		st.sorted = slices.Delete(st.sorted, i, i+1)
	}
	st.log.add(Event{watch.Deleted, last, s.version}, before)
	return last
}

// encoded is the JSON of what is stored.
func (st *store) encoded(r *row) ([]byte, error) {
	if r.json == nil {
		text, err := st.encode(r.object)
		if err != nil {
			return nil, err
		}
		r.json = text
	}
	return r.json, nil
}

// encode says of what kind an object is, which objects in memory don't.
func (k *kind) encode(o Object) ([]byte, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return slices.Concat(k.heading, text[1:]), nil
}
