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
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
)

// court is a server that is asked, and a namespace of it.
type court struct {
	*testing.T
	kube         kubernetes.Interface
	kubeDirector versioned.Interface
	space        string
	code         int    // of the last answer
	text         []byte // of the last answer to a deletion
	real         bool
}

func newCourt(t *testing.T, config *rest.Config, space string) *court {
	t.Helper()
	c := &court{T: t, space: space}
	config = rest.CopyConfig(config)
	config.QPS, config.ContentType = -1, "application/json"
	config.Wrap(func(inner http.RoundTripper) http.RoundTripper { return ear{inner, c} })
	var err error
	if c.kube, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if c.kubeDirector, err = versioned.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	return c
}

// ear notes the code of each answer, and what typed clients don't tell of deletions.
type ear struct {
	http.RoundTripper
	*court
}

func (e ear) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := e.RoundTripper.RoundTrip(r)
	if err != nil || r.URL.Query().Get("watch") != "" {
		return response, err
	}
	e.code = response.StatusCode
	if r.Method == http.MethodDelete {
		e.text, err = io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(e.text))
	}
	return response, err
}

// outcome is what a server answered, and what it then has.
type outcome struct {
	Code   int
	Reason metav1.StatusReason
	Causes []string
	// Answer is nil for an answer without an object, Stored for one that is gone.
	Answer, Stored *facts
	Listed         []string
}

// facts are what is compared of an object.
type facts struct {
	Generation          int64
	SameUID, Changed    bool
	Deleting            bool
	Grace               int64         // -1: none is set
	Sooner              time.Duration // than was said before
	Finalizers          []string
	Labels, Annotations map[string]string
	Owners              int
	Content, Status     string
}

func (o outcome) String() string {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// factsOf are the facts of an object as it was answered, or stored, after it was before.
func factsOf(o, before Object) *facts {
	if isNil(o) {
		return nil
	}
	f := &facts{Generation: o.GetGeneration(), Deleting: o.GetDeletionTimestamp() != nil, Grace: -1, Finalizers: o.GetFinalizers(),
		Labels: o.GetLabels(), Annotations: o.GetAnnotations(), Owners: len(o.GetOwnerReferences()), Content: contentOf(o), Status: stateOf(o)}
	if f.Deleting {
		// Kubernetes removes it as soon as it can.
		f.Finalizers = slices.DeleteFunc(slices.Clone(f.Finalizers), func(name string) bool { return name == claimProtection })
	}
	if grace := o.GetDeletionGracePeriodSeconds(); grace != nil {
		f.Grace = *grace
	}
	if isNil(before) {
		return f
	}
	f.SameUID, f.Changed = o.GetUID() == before.GetUID(), o.GetResourceVersion() != before.GetResourceVersion()
	if at, was := o.GetDeletionTimestamp(), before.GetDeletionTimestamp(); at != nil && was != nil {
		f.Sooner = was.Sub(at.Time)
	}
	return f
}

func isNil(o Object) bool { return o == nil || reflect.ValueOf(o).IsNil() }

// contentOf is what people wrote, without what each server gives as it likes.
func contentOf(o Object) string {
	o = o.DeepCopyObject().(Object)
	var content any
	switch o := o.(type) {
	case *corev1.ConfigMap:
		content = o.Data
	case *corev1.Pod:
		// Admission adds volumes, tolerations and more.
		content = []any{o.Spec.NodeName, o.Spec.Containers[0].Image, o.Spec.RestartPolicy, o.Spec.TerminationGracePeriodSeconds, o.Spec.Containers[0].ImagePullPolicy}
	case *corev1.Service:
		content = anonymous(&o.Spec)
	case *corev1.PersistentVolumeClaim:
		content = o.Spec
	case *appsv1.StatefulSet:
		content = o.Spec
	case *appsv1.ControllerRevision:
		content = []any{o.Revision, o.Data}
	case *v1alpha1.KubeDirectorCluster:
		content = o.Spec
	case *v1alpha1.KubeDirectorApp:
		content = o.Spec
	case *corev1.Namespace:
		content = o.Spec
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func anonymous(service *corev1.ServiceSpec) *corev1.ServiceSpec {
	hide := func(address string) string {
		if address != "" && address != corev1.ClusterIPNone {
			return "some"
		}
		return address
	}
	service.ClusterIP = hide(service.ClusterIP)
	for i := range service.ClusterIPs {
		service.ClusterIPs[i] = hide(service.ClusterIPs[i])
	}
	for i := range service.Ports {
		service.Ports[i].NodePort = min(service.Ports[i].NodePort, 1)
	}
	return service
}

// stateOf is of status what only the table writes.
func stateOf(o Object) string {
	switch o := o.(type) {
	case *corev1.Pod:
		return string(o.Status.Phase) + " " + o.Status.Message
	case *corev1.PersistentVolumeClaim:
		return string(o.Status.Phase)
	case *v1alpha1.KubeDirectorCluster:
		return string(o.Status.State)
	case *corev1.Namespace:
		return string(o.Status.Phase)
	case *corev1.Service:
		return fmt.Sprint(len(o.Status.Conditions))
	}
	return ""
}

// refused is an outcome's account of an error.
func (o *outcome) refused(err error) {
	status, known := err.(apierrors.APIStatus)
	if !known {
		if err != nil {
			o.Reason = metav1.StatusReason(err.Error())
		}
		return
	}
	o.Reason = status.Status().Reason
	if details := status.Status().Details; details != nil {
		for _, cause := range details.Causes {
			o.Causes = append(o.Causes, fmt.Sprintf("%s of %s", cause.Type, cause.Field))
		}
	}
	// Servers that validate several versions of an object say some things twice.
	slices.Sort(o.Causes)
	o.Causes = slices.Compact(o.Causes)
}

// client is a typed client of a namespace.
type client[O Object] interface {
	Get(context.Context, string, metav1.GetOptions) (O, error)
	Create(context.Context, O, metav1.CreateOptions) (O, error)
	Update(context.Context, O, metav1.UpdateOptions) (O, error)
	Patch(ctx context.Context, name string, kind patchType, body []byte, options metav1.PatchOptions, subresources ...string) (O, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

// statusClient is one of a kind that has a status.
type statusClient[O Object] interface {
	client[O]
	UpdateStatus(context.Context, O, metav1.UpdateOptions) (O, error)
}

// collected begins the names of objects whose finalizers the real garbage collector removes at any time.
const collected = "gc-"

// attempt does something to an object, and looks at the object before and after.
func attempt[O Object](c *court, objects client[O], name string, do func(before O) (O, error)) outcome {
	c.Helper()
	before := present(c, objects, name)
	answered, err := do(before)
	result := outcome{Code: c.code}
	result.refused(err)
	if err == nil {
		result.Answer = factsOf(answered, before)
	}
	result.Stored = factsOf(present(c, objects, name), before)
	if result.Stored != nil && strings.HasPrefix(name, collected) {
		result.Stored.Finalizers = nil
	}
	return result
}

// present is an object when Kubernetes' own controllers have done with it.
func present[O Object](c *court, objects client[O], name string) O {
	c.Helper()
	if name == "" {
		return *new(O)
	}
	for range 200 {
		o, err := objects.Get(c.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return *new(O)
		}
		if err != nil {
			c.Fatal(err)
		}
		set, isSet := Object(o).(*appsv1.StatefulSet)
		if !c.real || !isSet || set.Status.ObservedGeneration == set.Generation || set.DeletionTimestamp != nil {
			return o
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.Fatalf("%s is never observed", name)
	return *new(O)
}

// differences are the fields in which outcomes differ.
func differences(simulated, real outcome) string {
	var b strings.Builder
	compare(&b, "", reflect.ValueOf(normal(simulated)), reflect.ValueOf(normal(real)))
	return b.String()
}

func compare(b *strings.Builder, path string, simulated, real reflect.Value) {
	switch {
	case reflect.DeepEqual(simulated.Interface(), real.Interface()):
	case simulated.Kind() == reflect.Struct:
		for i := range simulated.NumField() {
			compare(b, path+"."+simulated.Type().Field(i).Name, simulated.Field(i), real.Field(i))
		}
	case simulated.Kind() == reflect.Pointer && !simulated.IsNil() && !real.IsNil():
		compare(b, path, simulated.Elem(), real.Elem())
	default:
		fmt.Fprintf(b, "\n  %s\n    simulated %+v\n    real      %+v", path, reflect.Indirect(simulated), reflect.Indirect(real))
	}
}

// normal has nothing where there is nothing.
func normal(o outcome) outcome {
	for _, f := range []**facts{&o.Answer, &o.Stored} {
		if *f == nil {
			continue
		}
		other := **f
		other.Finalizers = slices.Clone(other.Finalizers)
		if len(other.Finalizers) == 0 {
			other.Finalizers = nil
		}
		other.Labels, other.Annotations = orNil(other.Labels), orNil(other.Annotations)
		*f = &other
	}
	return o
}

func orNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return maps.Clone(m)
}

// inhabited waits until Kubernetes has equipped a new namespace.
func (c *court) inhabited() {
	c.Helper()
	for range 300 {
		_, err := c.kube.CoreV1().ServiceAccounts(c.space).Get(c.Context(), "default", metav1.GetOptions{})
		if err == nil || !c.real {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.Fatalf("namespace %s gets no service account", c.space)
}
