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
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// target is what a request is about.
type target struct {
	*store
	namespace, name, subresource string
}

// RoundTrip implements http.RoundTripper: it answers as a server does, with JSON.
// It never waits; what does is the body of a watch.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, errors.Join(err, r.Body.Close())
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	t, err := s.route(r.URL.Path)
	if err == nil && r.URL.Query().Has("dryRun") {
		err = apierrors.NewBadRequest("dry runs are not simulated")
	}
	if err != nil {
		return refusal(r, err), nil
	}
	if r.Method == http.MethodGet && t.name == "" && isWatch(r) {
		return s.watch(t, r)
	}
	code, text, err := s.serve(t, r, body)
	if err != nil {
		return refusal(r, err), nil
	}
	return answer(r, code, text), nil
}

// route reads /api/v1/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE and the like.
func (s *Server) route(path string) (target, error) {
	unknown := apierrors.NewGenericServerResponse(http.StatusNotFound, "", schema.GroupResource{}, "", "404 page not found", 0, true)
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var version schema.GroupVersion
	switch {
	case len(parts) > 2 && parts[0] == "api":
		version.Version, parts = parts[1], parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		version.Group, version.Version, parts = parts[1], parts[2], parts[3:]
	default:
		return target{}, unknown
	}
	var t target
	if len(parts) > 2 && parts[0] == "namespaces" && parts[2] != statusResource && parts[2] != finalizeResource {
		t.namespace, parts = parts[1], parts[2:]
	}
	t.store = s.stores[version.WithResource(parts[0]).GroupResource()]
	if t.store == nil || t.GroupVersion() != version || len(parts) > 3 {
		return target{}, unknown
	}
	parts = append(parts, "", "")
	t.name, t.subresource = parts[1], parts[2]
	if !t.has(t.subresource) {
		return target{}, unknown
	}
	return t, nil
}

func (k *kind) has(subresource string) bool {
	switch subresource {
	case "":
		return true
	case statusResource:
		return k.status != nil
	case scaleResource:
		return k.resource == "statefulsets" || k.resource == "kubedirectorclusters"
	case finalizeResource:
		return k.resource == "namespaces"
	}
	return false
}

// serve answers all requests but watches.
func (s *Server) serve(t target, r *http.Request, body []byte) (int, []byte, error) {
	switch {
	case t.subresource == scaleResource:
		text, err := s.serveScale(t, r, body)
		return http.StatusOK, text, err
	case r.Method == http.MethodGet && t.name == "":
		text, err := s.list(t, r)
		return http.StatusOK, text, err
	case r.Method == http.MethodGet:
		text, err := s.get(t)
		return http.StatusOK, text, err
	case r.Method == http.MethodDelete:
		text, err := s.serveDelete(t, r, body)
		return http.StatusOK, text, err
	}
	o, made, err := s.serveWrite(t, r, body)
	if err != nil {
		return 0, nil, err
	}
	text, err := s.show(t.store, o)
	if made {
		return http.StatusCreated, text, err
	}
	return http.StatusOK, text, err
}

func (s *Server) get(t target) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := t.rows[key{t.namespace, t.name}]; r != nil {
		return t.encoded(r)
	}
	return nil, apierrors.NewNotFound(t.groupResource(), t.name)
}

// show is the JSON of an object, which is kept if the object still is what is stored.
func (s *Server) show(st *store, o Object) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := st.rows[key{o.GetNamespace(), o.GetName()}]; r != nil && r.object == o {
		return st.encoded(r)
	}
	return st.encode(o)
}

// serveWrite says whether the object is new, which it can also be by an update.
func (s *Server) serveWrite(t target, r *http.Request, body []byte) (o Object, made bool, err error) {
	switch {
	case r.Method == http.MethodPatch:
		o, err = s.patch(t, r, body)
		return o, false, err
	case r.Method == http.MethodPost && t.name != "", r.Method != http.MethodPost && r.Method != http.MethodPut:
		return nil, false, apierrors.NewMethodNotSupported(t.groupResource(), r.Method)
	}
	written, err := t.decode(body)
	if err != nil {
		return nil, false, err
	}
	switch {
	case r.Method == http.MethodPost:
		o, err = s.write(t.store, "create", "", r.UserAgent(), t.namespace, written.GetName(), metav1.DeleteOptions{}, func() (Object, Object, error) {
			after, err := s.create(t.store, written)
			return nil, after, err
		})
		return o, true, err
	case t.subresource == finalizeResource:
		o, err = s.writeFinalize(t.store, r, t.name, written)
		return o, false, err
	}
	o, err = s.write(t.store, "update", t.subresource, r.UserAgent(), t.namespace, t.name, metav1.DeleteOptions{}, func() (Object, Object, error) {
		before := t.store.get(t.namespace, t.name)
		made = before == nil
		after, err := s.update(t.store, before, written, change{subresource: t.subresource})
		return before, after, err
	})
	return o, made, err
}

// decode reads an object. Fields that its kind doesn't have are left out.
func (t target) decode(body []byte) (Object, error) {
	o := t.make()
	if err := json.Unmarshal(body, o); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if kind := o.GetObjectKind().GroupVersionKind(); kind != noKind && kind != t.GroupVersionKind {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s", kind.Kind, kind.Version, t.Kind))
	}
	return o, t.matches(o)
}

// matches demands that an object is the one that the path names.
func (t target) matches(o Object) error {
	switch {
	case t.name != "" && o.GetName() != t.name:
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", o.GetName(), t.name))
	case o.GetNamespace() == "":
		o.SetNamespace(t.namespace)
	case o.GetNamespace() != t.namespace:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

// serveDelete answers with the object while it stays, and then with what its kind is answered with.
func (s *Server) serveDelete(t target, r *http.Request, body []byte) ([]byte, error) {
	options := metav1.DeleteOptions{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &options); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	if t.subresource != "" {
		return nil, apierrors.NewMethodNotSupported(t.groupResource(), r.Method)
	}
	if t.name == "" {
		return s.deleteCollection(t, r, options)
	}
	last, gone, err := s.deleteOne(t, r, options)
	if err != nil {
		return nil, err
	}
	if !gone || t.shown {
		return s.show(t.store, last)
	}
	return json.Marshal(metav1.Status{
		TypeMeta: statusKind, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: t.name, Group: t.Group, Kind: t.resource, UID: last.GetUID()},
	})
}

func (s *Server) deleteOne(t target, r *http.Request, options metav1.DeleteOptions) (last Object, gone bool, err error) {
	last, err = s.write(t.store, "delete", "", r.UserAgent(), t.namespace, t.name, options, func() (Object, Object, error) {
		before := t.store.get(t.namespace, t.name)
		var after Object
		var err error
		after, gone, err = s.delete(t.store, before, t.name, options)
		return before, after, err
	})
	return last, gone, err
}

// deleteCollection deletes what a list of the same query lists.
func (s *Server) deleteCollection(t target, r *http.Request, options metav1.DeleteOptions) ([]byte, error) {
	matching, err := s.matching(t, r)
	if err != nil {
		return nil, err
	}
	for _, o := range matching {
		one := t
		one.namespace, one.name = o.GetNamespace(), o.GetName()
		if _, _, err := s.deleteOne(one, r, options); err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
	}
	return json.Marshal(metav1.Status{TypeMeta: statusKind, Status: metav1.StatusSuccess})
}

var statusKind = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}

func refusal(r *http.Request, err error) *http.Response {
	status := apierrors.NewInternalError(err).Status()
	if known, is := err.(apierrors.APIStatus); is {
		status = known.Status()
	}
	status.TypeMeta = statusKind
	text, err := json.Marshal(status)
	if err != nil {
		panic(err) // a Status is JSON
	}
	return answer(r, int(status.Code), text)
}

func answer(r *http.Request, code int, text []byte) *http.Response {
	response := respond(r, code, io.NopCloser(bytes.NewReader(text)))
	response.ContentLength = int64(len(text))
	return response
}

func respond(r *http.Request, code int, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {runtime.ContentTypeJSON}},
		Body:   body, ContentLength: -1, Request: r,
	}
}
