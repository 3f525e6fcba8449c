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
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// inSpace is what a test creates in process.
func inSpace[O Object](t *testing.T, s *Server, o O) O {
	t.Helper()
	o.SetNamespace("ns")
	made, err := Create(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// rewrite updates an object so that it differs.
func rewrite(t *testing.T, s *Server, name, value string) *corev1.ConfigMap {
	t.Helper()
	o, found := Get[*corev1.ConfigMap](s, "ns", name)
	if !found {
		t.Fatalf("there is no %s", name)
	}
	o = o.DeepCopy()
	o.Data = map[string]string{"value": value}
	o, err := Update(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

var configMapResource = corev1.Resource("configmaps")

func TestTheLogTellsAllInOrder(t *testing.T) {
	s := New()
	begun := s.Version()
	inSpace(t, s, configMap("a"))
	inSpace(t, s, pod("p", ""))
	rewrite(t, s, "a", "2")
	if err := Delete[*corev1.ConfigMap](s, "ns", "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	events, err := s.Since(configMapResource, begun)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		told = append(told, fmt.Sprint(e.Type, " ", e.Object.GetResourceVersion() == fmt.Sprint(e.Version), " ", e.Object.(*corev1.ConfigMap).Data["value"]))
	}
	if want := []string{"ADDED true ", "MODIFIED true 2", "DELETED true 2"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if rest, err := s.Since(configMapResource, events[1].Version); err != nil || len(rest) != 1 || rest[0].Type != watch.Deleted {
		t.Errorf("after the second: %v, %v", rest, err)
	}
	if events[2].Version != s.Version() {
		t.Errorf("the last event has version %d, the server %d", events[2].Version, s.Version())
	}
}

func TestTheLogKeepsAtLeastWhatItPromises(t *testing.T) {
	s := New()
	inSpace(t, s, configMap("a"))
	begun := s.Version()
	for i := range kept {
		rewrite(t, s, "a", fmt.Sprint(i))
	}
	early, err := s.Since(configMapResource, begun)
	if err != nil || len(early) != kept {
		t.Fatalf("%d events, %v", len(early), err)
	}
	for i := range 2 * kept {
		rewrite(t, s, "a", fmt.Sprint(-i-1))
		if again, err := s.Since(configMapResource, s.Version()-kept); err != nil || len(again) != kept {
			t.Fatalf("of the last: %d events, %v", len(again), err)
		}
	}
	if _, err := s.Since(configMapResource, begun); !apierrors.IsResourceExpired(err) {
		t.Errorf("what is forgotten: %v", err)
	}
	if value := early[0].Object.(*corev1.ConfigMap).Data["value"]; value != "0" || len(early) != kept {
		t.Errorf("what somebody was told has changed: %s", value)
	}
}

func TestACompactedLogStartsAnew(t *testing.T) {
	s := New()
	inSpace(t, s, configMap("a"))
	begun := s.Version()
	rewrite(t, s, "a", "2")
	s.Compact(configMapResource)
	if _, err := s.Since(configMapResource, begun); !apierrors.IsResourceExpired(err) {
		t.Errorf("from before: %v", err)
	}
	if events, err := s.Since(configMapResource, s.Version()); err != nil || len(events) != 0 {
		t.Errorf("from now on: %v, %v", events, err)
	}
}

func TestEveryWriteIsTold(t *testing.T) {
	s := New()
	var told []string
	s.OnRequest(func(w Write) {
		told = append(told, fmt.Sprintf("%s %s %s/%s %d %t %t", w.Agent, w.Verb, w.Resource.Resource, w.Subresource, w.Status, w.Before != nil, w.After != nil))
		// A listener may ask the server.
		Get[*corev1.Pod](s, w.Namespace, w.Name)
	})
	c := newCourt(t, &rest.Config{Host: "http://sim", Transport: s, UserAgent: "me"}, "ns")
	create(pods, pod("p", "n"))(c)
	create(pods, pod("p", "n"))(c)
	putStatus(pods, "p", same[*corev1.Pod])(c)
	patch(pods, "p", byMerge, `{"spec":{"nodeName":"other"}}`)(c)
	remove(pods, "p", within(0))(c)
	if err := Delete[*corev1.Pod](s, "ns", "p", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("it is not gone: %v", err)
	}
	want := []string{"me create pods/ 201 false true", "me create pods/ 409 false false", "me update pods/status 200 true true", "me patch pods/ 422 true false",
		"me delete pods/ 200 true true", " delete pods/ 404 false false"}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}
