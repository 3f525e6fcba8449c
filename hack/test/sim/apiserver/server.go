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
	"reflect"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is a pointer to what the server stores.
type Object interface {
	metav1.Object
	runtime.Object
}

// Server is an API server.
type Server struct {
	mu      sync.Mutex
	stores  map[schema.GroupResource]*store
	byType  map[reflect.Type]*store
	version int64
	given   given

	tell []func(Write)
}

// New is a server that has no objects. Its time is time.Now.
func New() *Server {
	s := &Server{stores: map[schema.GroupResource]*store{}, byType: map[reflect.Type]*store{}, version: 1}
	for _, k := range kinds {
		st := newStore(k)
		s.stores[k.groupResource()] = st
		s.byType[reflect.TypeOf(k.make())] = st
	}
	return s
}

// Version is the newest version of anything: all kinds share one count.
func (s *Server) Version() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

func (s *Server) next() string {
	s.version++
	return strconv.FormatInt(s.version, 10)
}

func storeOf[O Object](s *Server) *store { return s.byType[reflect.TypeFor[O]()] }

// Get is an object as it is stored: whoever wants to change it copies it before.
func Get[O Object](s *Server, namespace, name string) (O, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := storeOf[O](s).get(namespace, name)
	if o == nil {
		return *new(O), false
	}
	return o.(O), true
}

// List is all objects of a namespace, or of all for "", by namespace and name.
func List[O Object](s *Server, namespace string) []O {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := storeOf[O](s).in(namespace)
	if len(rows) == 0 {
		return nil
	}
	list := make([]O, len(rows))
	for i, r := range rows {
		list[i] = r.object.(O)
	}
	return list
}

// Create is POST.
func Create[O Object](s *Server, o O) (O, error) {
	st := storeOf[O](s)
	return typed[O](s.write(st, "create", "", "", o.GetNamespace(), o.GetName(), metav1.DeleteOptions{}, func() (Object, Object, error) {
		after, err := s.create(st, o.DeepCopyObject().(Object))
		return nil, after, err
	}))
}

// Update is PUT.
func Update[O Object](s *Server, o O) (O, error) { return put(s, o, "") }

// UpdateStatus is PUT of the subresource status.
func UpdateStatus[O Object](s *Server, o O) (O, error) { return put(s, o, statusResource) }

func put[O Object](s *Server, o O, subresource string) (O, error) {
	st := storeOf[O](s)
	return typed[O](s.write(st, "update", subresource, "", o.GetNamespace(), o.GetName(), metav1.DeleteOptions{}, func() (Object, Object, error) {
		before := st.get(o.GetNamespace(), o.GetName())
		after, err := s.update(st, before, st.copyFor(o, subresource), change{subresource: subresource, binds: true})
		return before, after, err
	}))
}

// Delete is DELETE.
func Delete[O Object](s *Server, namespace, name string, options metav1.DeleteOptions) error {
	st := storeOf[O](s)
	_, err := s.write(st, "delete", "", "", namespace, name, options, func() (Object, Object, error) {
		before := st.get(namespace, name)
		after, _, err := s.delete(st, before, name, options)
		return before, after, err
	})
	return err
}

func typed[O Object](o Object, err error) (O, error) {
	if err != nil {
		return *new(O), err
	}
	return o.(O), nil
}

// Write is a mutating request and its answer's code. Before is the object as it
// was, After as it is now, or as it last was; nil when there is none.
type Write struct {
	Agent             string // User-Agent; "" for one from within the process
	Verb, Subresource string
	Resource          schema.GroupResource
	Namespace, Name   string
	Before, After     Object
	Options           metav1.DeleteOptions
	Status            int
}

// OnRequest has f called after each mutating request, also after those that were refused.
func (s *Server) OnRequest(f func(Write)) { s.tell = append(s.tell, f) }

// write does a mutating request, and tells of it.
func (s *Server) write(st *store, verb, subresource, agent, namespace, name string, options metav1.DeleteOptions, do func() (before, after Object, err error)) (Object, error) {
	before, after, err := s.locked(do)
	if len(s.tell) == 0 {
		return after, err
	}
	w := Write{agent, verb, subresource, st.groupResource(), namespace, name, before, after, options, codeOf(verb, err)}
	for _, f := range s.tell {
		f(w)
	}
	return after, err
}

func (s *Server) locked(do func() (before, after Object, err error)) (before, after Object, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return do()
}

func codeOf(verb string, err error) int {
	switch status, known := err.(apierrors.APIStatus); {
	case known:
		return int(status.Status().Code)
	case err != nil:
		return 500
	case verb == "create":
		return 201
	}
	return 200
}
