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


// The API server of the simulated world, as small as it can be.
package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

type Object interface {
	metav1.Object
	runtime.Object
}

type kind struct {
	gvk       schema.GroupVersionKind
	resource  string
	make      func() Object
	hasStatus bool
	counts    bool // generations
}

func (k *kind) gr() schema.GroupResource { return schema.GroupResource{Group: k.gvk.Group, Resource: k.resource} }

var kinds = []*kind{
	{corev1.SchemeGroupVersion.WithKind("Pod"), "pods", func() Object { return &corev1.Pod{} }, true, false},
	{corev1.SchemeGroupVersion.WithKind("Service"), "services", func() Object { return &corev1.Service{} }, true, false},
	{corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), "persistentvolumeclaims", func() Object { return &corev1.PersistentVolumeClaim{} }, true, false},
	{corev1.SchemeGroupVersion.WithKind("ConfigMap"), "configmaps", func() Object { return &corev1.ConfigMap{} }, false, false},
	{corev1.SchemeGroupVersion.WithKind("Event"), "events", func() Object { return &corev1.Event{} }, false, false},
	{corev1.SchemeGroupVersion.WithKind("Node"), "nodes", func() Object { return &corev1.Node{} }, true, false},
	{appsv1.SchemeGroupVersion.WithKind("StatefulSet"), "statefulsets", func() Object { return &appsv1.StatefulSet{} }, true, true},
	{appsv1.SchemeGroupVersion.WithKind("ControllerRevision"), "controllerrevisions", func() Object { return &appsv1.ControllerRevision{} }, false, false},
	{storagev1.SchemeGroupVersion.WithKind("StorageClass"), "storageclasses", func() Object { return &storagev1.StorageClass{} }, false, false},
	{v1alpha1.SchemeGroupVersion.WithKind("KubeDirectorCluster"), "kubedirectorclusters", func() Object { return &v1alpha1.KubeDirectorCluster{} }, true, true},
	{v1alpha1.SchemeGroupVersion.WithKind("KubeDirectorApp"), "kubedirectorapps", func() Object { return &v1alpha1.KubeDirectorApp{} }, true, true},
}

type Event struct {
	Type    watch.EventType
	Object  Object
	Version int64
}

type Write struct {
	Agent, Verb, Subresource string
	Resource                 schema.GroupResource
	Namespace, Name          string
	Before, After            Object
	Options                  metav1.DeleteOptions
	Status                   int
}

type store struct {
	*kind
	objects map[string]Object
	log     []Event
	start   int64
}

type Server struct {
	stores  map[schema.GroupResource]*store
	byType  map[reflect.Type]*store
	version int64
	uids    int
	ips     int
	tell    []func(Write)
}

func New() *Server {
	s := &Server{stores: map[schema.GroupResource]*store{}, byType: map[reflect.Type]*store{}, version: 1}
	for _, k := range kinds {
		st := &store{kind: k, objects: map[string]Object{}}
		s.stores[k.gr()] = st
		s.byType[reflect.TypeOf(k.make())] = st
	}
	return s
}

func of[O Object](s *Server) *store { return s.byType[reflect.TypeFor[O]()] }

func key(ns, name string) string { return ns + "/" + name }

func Get[O Object](s *Server, ns, name string) (O, bool) {
	o, ok := of[O](s).objects[key(ns, name)]
	if !ok {
		return *new(O), false
	}
	return o.(O), true
}

func List[O Object](s *Server, ns string) []O {
	var out []O
	for _, o := range of[O](s).list(ns) {
		out = append(out, o.(O))
	}
	return out
}

func (st *store) list(ns string) []Object {
	var out []Object
	for _, k := range slices.Sorted(maps.Keys(st.objects)) {
		if o := st.objects[k]; ns == "" || o.GetNamespace() == ns {
			out = append(out, o)
		}
	}
	return out
}

func Create[O Object](s *Server, o O) (O, error) { return as[O](s.create(of[O](s), o, "")) }
func Update[O Object](s *Server, o O) (O, error) { return as[O](s.update(of[O](s), o, "", "update", "")) }
func UpdateStatus[O Object](s *Server, o O) (O, error) {
	return as[O](s.update(of[O](s), o, "status", "update", ""))
}
func Delete[O Object](s *Server, ns, name string, opts metav1.DeleteOptions) error {
	_, err := s.delete(of[O](s), ns, name, opts, "")
	return err
}

func as[O Object](o Object, err error) (O, error) {
	if err != nil {
		return *new(O), err
	}
	return o.(O), nil
}

func (s *Server) Version() int64                { return s.version }
func (s *Server) OnRequest(f func(Write))       { s.tell = append(s.tell, f) }
func (s *Server) Compact(r schema.GroupResource) { st := s.stores[r]; st.log, st.start = nil, s.version }
func (s *Server) Since(r schema.GroupResource, v int64) ([]Event, error) {
	st := s.stores[r]
	if v < st.start {
		return nil, apierrors.NewResourceExpired("too old resource version")
	}
	i, _ := slices.BinarySearchFunc(st.log, v+1, func(e Event, v int64) int { return int(e.Version - v) })
	return st.log[i:], nil
}

func (s *Server) next() string { s.version++; return strconv.FormatInt(s.version, 10) }
func (st *store) emit(s *Server, t watch.EventType, o Object) {
	st.log = append(st.log, Event{t, o, s.version})
}

func copyOf(o Object) Object { return o.DeepCopyObject().(Object) }

func (s *Server) told(st *store, agent, verb, sub, ns, name string, before, after Object, opts metav1.DeleteOptions, err error) {
	code := 200
	if err != nil {
		code = 500
		if status, ok := err.(apierrors.APIStatus); ok {
			code = int(status.Status().Code)
		}
	}
	for _, f := range s.tell {
		f(Write{agent, verb, sub, st.gr(), ns, name, before, after, opts, code})
	}
}

func (s *Server) create(st *store, in Object, agent string) (out Object, err error) {
	defer func() { s.told(st, agent, "create", "", in.GetNamespace(), in.GetName(), nil, out, metav1.DeleteOptions{}, err) }()
	k := key(in.GetNamespace(), in.GetName())
	if _, there := st.objects[k]; there {
		return nil, apierrors.NewAlreadyExists(st.gr(), in.GetName())
	}
	o := copyOf(in)
	s.uids++
	o.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", s.uids)))
	o.SetCreationTimestamp(metav1.NewTime(time.Now().Truncate(time.Second)))
	o.SetDeletionTimestamp(nil)
	o.SetGeneration(0)
	if st.counts {
		o.SetGeneration(1)
	}
	switch x := o.(type) {
	case *corev1.Service:
		if x.Spec.ClusterIP == "" {
			s.ips++
			x.Spec.ClusterIP = fmt.Sprintf("10.96.%d.%d", s.ips/250, s.ips%250)
		}
	case *corev1.PersistentVolumeClaim:
		x.Finalizers = append(x.Finalizers, "kubernetes.io/pvc-protection")
	case *v1alpha1.KubeDirectorCluster:
		x.Status = v1alpha1.KubeDirectorClusterStatus{}
	}
	o.SetResourceVersion(s.next())
	st.objects[k] = o
	st.emit(s, watch.Added, o)
	return o, nil
}

func (s *Server) update(st *store, in Object, sub, verb, agent string) (out Object, err error) {
	k := key(in.GetNamespace(), in.GetName())
	before := st.objects[k]
	defer func() { s.told(st, agent, verb, sub, in.GetNamespace(), in.GetName(), before, out, metav1.DeleteOptions{}, err) }()
	if before == nil {
		return nil, apierrors.NewNotFound(st.gr(), in.GetName())
	}
	if uid := in.GetUID(); uid != "" && uid != before.GetUID() {
		return nil, apierrors.NewConflict(st.gr(), in.GetName(), fmt.Errorf("uid differs"))
	}
	if v := in.GetResourceVersion(); v != "" && v != before.GetResourceVersion() {
		return nil, apierrors.NewConflict(st.gr(), in.GetName(), fmt.Errorf("the object has been modified"))
	}
	o := copyOf(in)
	o.SetUID(before.GetUID())
	o.SetCreationTimestamp(before.GetCreationTimestamp())
	o.SetDeletionTimestamp(before.GetDeletionTimestamp())
	o.SetDeletionGracePeriodSeconds(before.GetDeletionGracePeriodSeconds())
	o.SetGeneration(before.GetGeneration())
	o.SetResourceVersion(before.GetResourceVersion())
	merge(st, before, o, sub)
	if equality.Semantic.DeepEqual(before, o) {
		return before, nil
	}
	if st.counts && sub == "" && !sameSpec(before, o) {
		o.SetGeneration(before.GetGeneration() + 1)
	}
	if o.GetDeletionTimestamp() != nil && len(o.GetFinalizers()) == 0 {
		if _, isPod := o.(*corev1.Pod); !isPod {
			return s.gone(st, k, o), nil
		}
	}
	o.SetResourceVersion(s.next())
	st.objects[k] = o
	st.emit(s, watch.Modified, o)
	return o, nil
}

// merge keeps what a request to this resource cannot change.
func merge(st *store, before, o Object, sub string) {
	if !st.hasStatus {
		return
	}
	from, to := reflect.ValueOf(before).Elem(), reflect.ValueOf(o).Elem()
	if sub == "status" {
		status := reflect.New(to.FieldByName("Status").Type()).Elem()
		status.Set(to.FieldByName("Status"))
		meta := copyOf(before)
		to.Set(reflect.ValueOf(meta).Elem())
		to.FieldByName("Status").Set(status)
		return
	}
	to.FieldByName("Status").Set(from.FieldByName("Status"))
}

func sameSpec(a, b Object) bool {
	return equality.Semantic.DeepEqual(reflect.ValueOf(a).Elem().FieldByName("Spec").Interface(), reflect.ValueOf(b).Elem().FieldByName("Spec").Interface())
}

func (s *Server) gone(st *store, k string, o Object) Object {
	o.SetResourceVersion(s.next())
	delete(st.objects, k)
	st.emit(s, watch.Deleted, o)
	return o
}

func (s *Server) delete(st *store, ns, name string, opts metav1.DeleteOptions, agent string) (out Object, err error) {
	k := key(ns, name)
	before := st.objects[k]
	defer func() { s.told(st, agent, "delete", "", ns, name, before, out, opts, err) }()
	if before == nil {
		return nil, apierrors.NewNotFound(st.gr(), name)
	}
	if p := opts.Preconditions; p != nil {
		if p.UID != nil && *p.UID != before.GetUID() || p.ResourceVersion != nil && *p.ResourceVersion != before.GetResourceVersion() {
			return nil, apierrors.NewConflict(st.gr(), name, fmt.Errorf("precondition failed"))
		}
	}
	o := copyOf(before)
	grace := int64(0)
	if pod, isPod := o.(*corev1.Pod); isPod && pod.Spec.NodeName != "" && pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded {
		grace = 30
		if t := pod.Spec.TerminationGracePeriodSeconds; t != nil {
			grace = *t
		}
		if opts.GracePeriodSeconds != nil {
			grace = *opts.GracePeriodSeconds
		}
		if pod.DeletionTimestamp != nil && pod.DeletionGracePeriodSeconds != nil && grace >= *pod.DeletionGracePeriodSeconds && grace > 0 {
			return before, nil
		}
	}
	if grace == 0 && len(o.GetFinalizers()) == 0 {
		return s.gone(st, k, o), nil
	}
	if o.GetDeletionTimestamp() != nil && grace == 0 && (o.GetDeletionGracePeriodSeconds() == nil || *o.GetDeletionGracePeriodSeconds() == 0) {
		return before, nil
	}
	at := metav1.NewTime(time.Now().Add(time.Duration(grace) * time.Second).Truncate(time.Second))
	o.SetDeletionTimestamp(&at)
	o.SetDeletionGracePeriodSeconds(&grace)
	if st.counts {
		o.SetGeneration(o.GetGeneration() + 1)
	}
	o.SetResourceVersion(s.next())
	st.objects[k] = o
	st.emit(s, watch.Modified, o)
	return o, nil
}

// RoundTrip serves REST.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group := ""
	if parts[0] == "api" {
		parts = parts[2:]
	} else {
		group = parts[1]
		parts = parts[3:]
	}
	ns := ""
	if parts[0] == "namespaces" && len(parts) > 2 {
		ns, parts = parts[1], parts[2:]
	}
	st := s.stores[schema.GroupResource{Group: group, Resource: parts[0]}]
	if st == nil {
		return s.fail(r, apierrors.NewNotFound(schema.GroupResource{Resource: parts[0]}, "")), nil
	}
	name, sub := "", ""
	if len(parts) > 1 {
		name = parts[1]
	}
	if len(parts) > 2 {
		sub = parts[2]
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	out, err := s.serve(st, r, ns, name, sub, body)
	if err != nil {
		return s.fail(r, err), nil
	}
	code := 200
	if r.Method == http.MethodPost {
		code = 201
	}
	return answer(r, code, out), nil
}

func (s *Server) serve(st *store, r *http.Request, ns, name, sub string, body []byte) (any, error) {
	agent := r.UserAgent()
	switch r.Method {
	case http.MethodGet:
		if name == "" {
			return s.listed(st, r, ns)
		}
		o := st.objects[key(ns, name)]
		if o == nil {
			return nil, apierrors.NewNotFound(st.gr(), name)
		}
		return typed(st, o), nil
	case http.MethodPost:
		o := st.make()
		if err := json.Unmarshal(body, o); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		o.SetNamespace(ns)
		out, err := s.create(st, o, agent)
		return typed(st, out), err
	case http.MethodPut:
		o := st.make()
		if err := json.Unmarshal(body, o); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		out, err := s.update(st, o, sub, "update", agent)
		return typed(st, out), err
	case http.MethodPatch:
		before := st.objects[key(ns, name)]
		if before == nil {
			return nil, apierrors.NewNotFound(st.gr(), name)
		}
		o, err := patched(st, before, body)
		if err != nil {
			return nil, err
		}
		out, err := s.update(st, o, sub, "patch", agent)
		return typed(st, out), err
	case http.MethodDelete:
		opts := metav1.DeleteOptions{}
		if len(body) > 0 {
			if err := json.Unmarshal(body, &opts); err != nil {
				return nil, apierrors.NewBadRequest(err.Error())
			}
		}
		_, err := s.delete(st, ns, name, opts, agent)
		return &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success"}, err
	}
	return nil, apierrors.NewMethodNotSupported(st.gr(), r.Method)
}

func typed(st *store, o Object) any {
	if o == nil {
		return nil
	}
	c := copyOf(o)
	c.GetObjectKind().SetGroupVersionKind(st.gvk)
	return c
}

func patched(st *store, before Object, body []byte) (Object, error) {
	raw, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	var doc, change map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &change); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	mergeJSON(doc, change)
	raw, err = json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	o := st.make()
	return o, json.Unmarshal(raw, o)
}

func mergeJSON(into, change map[string]any) {
	for k, v := range change {
		inner, isMap := v.(map[string]any)
		old, wasMap := into[k].(map[string]any)
		switch {
		case v == nil:
			delete(into, k)
		case isMap && wasMap:
			mergeJSON(old, inner)
		case isMap:
			fresh := map[string]any{}
			mergeJSON(fresh, inner)
			into[k] = fresh
		default:
			into[k] = v
		}
	}
}

func (s *Server) listed(st *store, r *http.Request, ns string) (any, error) {
	q := r.URL.Query()
	ls, err := labels.Parse(q.Get("labelSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	fs, err := fields.ParseSelector(q.Get("fieldSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	items := []any{}
	for _, o := range st.list(ns) {
		set := fields.Set{"metadata.name": o.GetName(), "metadata.namespace": o.GetNamespace()}
		if e, is := o.(*corev1.Event); is {
			set["involvedObject.uid"], set["type"] = string(e.InvolvedObject.UID), e.Type
		}
		if ls.Matches(labels.Set(o.GetLabels())) && fs.Matches(set) {
			items = append(items, typed(st, o))
		}
	}
	return map[string]any{"kind": st.gvk.Kind + "List", "apiVersion": st.gvk.GroupVersion().String(),
		"metadata": map[string]any{"resourceVersion": strconv.FormatInt(s.version, 10)}, "items": items}, nil
}

func (s *Server) fail(r *http.Request, err error) *http.Response {
	status := apierrors.NewInternalError(err).Status()
	if known, ok := err.(apierrors.APIStatus); ok {
		status = known.Status()
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	return answer(r, int(status.Code), status)
}

func answer(r *http.Request, code int, body any) *http.Response {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(raw)), ContentLength: int64(len(raw)), Request: r}
}
