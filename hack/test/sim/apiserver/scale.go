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
	"errors"
	"net/http"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

const scaleResource = "scale"

var errNotElastic = errors.New("the spec replicas field \".spec.elastic.members\" does not exist")

// scaleOf is what an object says of its size.
func scaleOf(o Object) (*autoscalingv1.Scale, error) {
	scale := &autoscalingv1.Scale{
		TypeMeta: metav1.TypeMeta{Kind: "Scale", APIVersion: "autoscaling/v1"},
		ObjectMeta: metav1.ObjectMeta{Name: o.GetName(), Namespace: o.GetNamespace(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion(),
			CreationTimestamp: o.GetCreationTimestamp()},
	}
	switch o := o.(type) {
	case *appsv1.StatefulSet:
		scale.Spec.Replicas, scale.Status.Replicas = *o.Spec.Replicas, o.Status.Replicas
		scale.Status.Selector = metav1.FormatLabelSelector(o.Spec.Selector)
	case *v1alpha1.KubeDirectorCluster:
		if o.Spec.Elastic == nil {
			return nil, apierrors.NewInternalError(errNotElastic)
		}
		scale.Spec.Replicas = o.Spec.Elastic.Members
		if status := o.Status.Elastic; status != nil {
			scale.Status = autoscalingv1.ScaleStatus{Replicas: status.Members, Selector: status.Selector}
		}
	}
	return scale, nil
}

// resized is another object than before, of another size.
func (st *store) resized(before Object, replicas int32) Object {
	o := st.clone(before)
	switch o := o.(type) {
	case *appsv1.StatefulSet:
		o.Spec.Replicas = &replicas
	case *v1alpha1.KubeDirectorCluster:
		elastic := *o.Spec.Elastic
		elastic.Members = replicas
		o.Spec.Elastic = &elastic
	}
	return o
}

// serveScale answers requests for the subresource scale.
func (s *Server) serveScale(t target, r *http.Request, body []byte) ([]byte, error) {
	if r.Method == http.MethodGet {
		s.mu.Lock()
		defer s.mu.Unlock()
		o := t.store.get(t.namespace, t.name)
		if o == nil {
			return nil, apierrors.NewNotFound(t.groupResource(), t.name)
		}
		return showScale(o)
	}
	verb := map[string]string{http.MethodPut: "update", http.MethodPatch: "patch"}[r.Method]
	if verb == "" {
		return nil, apierrors.NewMethodNotSupported(t.groupResource(), r.Method)
	}
	o, err := s.write(t.store, verb, scaleResource, r.UserAgent(), t.namespace, t.name, metav1.DeleteOptions{}, func() (Object, Object, error) {
		before := t.store.get(t.namespace, t.name)
		after, err := s.resize(t, before, r, body)
		return before, after, err
	})
	if err != nil {
		return nil, err
	}
	return showScale(o)
}

func showScale(o Object) ([]byte, error) {
	scale, err := scaleOf(o)
	if err != nil {
		return nil, err
	}
	return json.Marshal(scale)
}

func (s *Server) resize(t target, before Object, r *http.Request, body []byte) (Object, error) {
	if before == nil {
		return nil, apierrors.NewNotFound(t.groupResource(), t.name)
	}
	scale, err := scaleOf(before)
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodPut {
		scale = &autoscalingv1.Scale{}
		err = json.Unmarshal(body, scale)
	} else {
		if contentType := r.Header.Get("Content-Type"); contentType != string(types.MergePatchType) {
			return nil, apierrors.NewGenericServerResponse(http.StatusUnsupportedMediaType, "patch", t.groupResource(), t.name, "scale takes merge patches", 0, false)
		}
		err = merge(reflect.ValueOf(scale).Elem(), body)
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	o := t.resized(before, scale.Spec.Replicas)
	o.SetUID(scale.UID)
	o.SetResourceVersion(scale.ResourceVersion)
	return s.update(t.store, before, o, change{patch: true})
}
