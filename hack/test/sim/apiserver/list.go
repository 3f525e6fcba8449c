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
	"net/http"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// filter is what a list or a watch asks for.
type filter struct {
	labels labels.Selector
	fields fields.Selector
}

func filterOf(k *kind, r *http.Request) (filter, error) {
	query := r.URL.Query()
	var f filter
	var err error
	if f.labels, err = labels.Parse(query.Get("labelSelector")); err != nil {
		return f, apierrors.NewBadRequest(err.Error())
	}
	if f.fields, err = fields.ParseSelector(query.Get("fieldSelector")); err != nil {
		return f, apierrors.NewBadRequest(err.Error())
	}
	known := fieldsOf(k.make())
	for _, requirement := range f.fields.Requirements() {
		if _, has := known[requirement.Field]; !has {
			return f, apierrors.NewBadRequest("field label not supported: " + requirement.Field)
		}
	}
	return f, nil
}

func (f filter) selects(o Object) bool {
	return (f.labels.Empty() || f.labels.Matches(labels.Set(o.GetLabels()))) && (f.fields.Empty() || f.fields.Matches(fieldsOf(o)))
}

// fieldsOf are the fields by which objects of a kind can be selected.
func fieldsOf(o Object) fields.Set {
	set := fields.Set{"metadata.name": o.GetName()}
	switch o := o.(type) {
	case *corev1.Node:
		set["spec.unschedulable"] = strconv.FormatBool(o.Spec.Unschedulable)
		return set
	case *corev1.Namespace:
		set["status.phase"] = string(o.Status.Phase)
		return set
	case *corev1.Pod:
		set["spec.nodeName"], set["spec.restartPolicy"], set["spec.schedulerName"] = o.Spec.NodeName, string(o.Spec.RestartPolicy), o.Spec.SchedulerName
		set["spec.serviceAccountName"] = o.Spec.ServiceAccountName
		set["status.phase"], set["status.podIP"], set["status.nominatedNodeName"] = string(o.Status.Phase), o.Status.PodIP, o.Status.NominatedNodeName
	case *corev1.Secret:
		set["type"] = string(o.Type)
	case *corev1.Event:
		set["involvedObject.kind"], set["involvedObject.namespace"], set["involvedObject.name"] = o.InvolvedObject.Kind, o.InvolvedObject.Namespace, o.InvolvedObject.Name
		set["involvedObject.uid"], set["involvedObject.apiVersion"] = string(o.InvolvedObject.UID), o.InvolvedObject.APIVersion
		set["involvedObject.resourceVersion"], set["involvedObject.fieldPath"] = o.InvolvedObject.ResourceVersion, o.InvolvedObject.FieldPath
		set["reason"], set["type"], set["source"], set["reportingComponent"] = o.Reason, o.Type, o.Source.Component, o.ReportingController
	}
	set["metadata.namespace"] = o.GetNamespace()
	return set
}

// list is written from the JSON of its objects.
func (s *Server) list(t target, r *http.Request) ([]byte, error) {
	f, err := filterOf(t.kind, r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text := append([]byte(`{"kind":"`), t.Kind...)
	text = append(append(text, `List","apiVersion":"`...), t.GroupVersion().String()...)
	text = strconv.AppendInt(append(text, `","metadata":{"resourceVersion":"`...), s.version, 10)
	text = append(text, `"},"items":[`...)
	separator := ""
	for _, row := range t.in(t.namespace) {
		if !f.selects(row.object) {
			continue
		}
		item, err := t.encoded(row)
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		text = append(append(text, separator...), item...)
		separator = ","
	}
	return append(text, `]}`...), nil
}

func (s *Server) matching(t target, r *http.Request) ([]Object, error) {
	f, err := filterOf(t.kind, r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var matching []Object
	for _, row := range t.in(t.namespace) {
		if f.selects(row.object) {
			matching = append(matching, row.object)
		}
	}
	return matching, nil
}
