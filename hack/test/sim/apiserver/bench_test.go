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
	"strconv"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func benched(b *testing.B) (*Server, kubernetes.Interface) {
	b.Helper()
	s := New()
	kube, err := kubernetes.NewForConfig(&rest.Config{Host: "http://sim", Transport: s, QPS: -1})
	if err != nil {
		b.Fatal(err)
	}
	o := set("s")
	o.Namespace = "ns"
	if _, err := Create(s, o); err != nil {
		b.Fatal(err)
	}
	return s, kube
}

// BenchmarkMergePatch is a request over HTTP, with all that a client does for it.
func BenchmarkMergePatch(b *testing.B) {
	_, kube := benched(b)
	for i := 0; b.Loop(); i++ {
		body := []byte(`{"spec":{"minReadySeconds":` + strconv.Itoa(i+1) + `}}`)
		if _, err := kube.AppsV1().StatefulSets("ns").Patch(b.Context(), "s", byMerge, body, metav1.PatchOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	_, kube := benched(b)
	for b.Loop() {
		if _, err := kube.AppsV1().StatefulSets("ns").Get(b.Context(), "s", metav1.GetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdateStatus(b *testing.B) {
	s, _ := benched(b)
	for i := int32(0); b.Loop(); i++ {
		o, _ := Get[*appsv1.StatefulSet](s, "ns", "s")
		o = o.DeepCopy()
		o.Status.Replicas = i + 1
		if _, err := UpdateStatus(s, o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreateAndDelete(b *testing.B) {
	s, _ := benched(b)
	o := pod("p", "")
	o.Namespace = "ns"
	for b.Loop() {
		if _, err := Create(s, o); err != nil {
			b.Fatal(err)
		}
		if err := Delete[*corev1.Pod](s, "ns", "p", metav1.DeleteOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
