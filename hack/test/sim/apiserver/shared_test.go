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
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// TestWhatIsStoredIsNeverChanged demands that a write changes nothing of the
// objects that are stored, and thus in everybody's caches.
func TestWhatIsStoredIsNeverChanged(t *testing.T) {
	s := New()
	var objects, copies []Object
	s.OnRequest(func(w Write) {
		for _, o := range []Object{w.Before, w.After} {
			if o != nil {
				objects, copies = append(objects, o), append(copies, o.DeepCopyObject().(Object))
			}
		}
	})
	life(newCourt(t, &rest.Config{Host: "http://sim", Transport: s}, "conformance"))
	for i, o := range objects {
		if !equality.Semantic.DeepEqual(o, copies[i]) {
			t.Errorf("was %v\nand became %v", copies[i], o)
		}
	}
}

// TestCallersKeepTheirObjects demands that what is given to a write is not what is stored.
func TestCallersKeepTheirObjects(t *testing.T) {
	s := New()
	mine := pod("p", "", held)
	mine.Labels = map[string]string{"a": "b"}
	made := inSpace(t, s, mine)
	mine.Labels["a"], mine.Spec.Containers[0].Image, mine.Finalizers[0] = "c", "mine", "example.com/mine"
	if made.Labels["a"] != "b" || made.Spec.Containers[0].Image == "mine" || made.Finalizers[0] != held || mine.UID != "" {
		t.Errorf("created: %v", made)
	}
	mine = made.DeepCopy()
	mine.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	mine.Labels["more"] = "yes"
	changed, err := UpdateStatus(s, mine)
	if err != nil {
		t.Fatal(err)
	}
	mine.Status.Conditions[0].Status, mine.Labels["more"] = corev1.ConditionFalse, "no"
	if changed.Status.Conditions[0].Status != corev1.ConditionTrue || changed.Labels["more"] != "yes" {
		t.Errorf("status written: %v", changed)
	}
	mine = changed.DeepCopy()
	mine.Spec.Containers[0].Image = "example/app:2"
	if changed, err = Update(s, mine); err != nil {
		t.Fatal(err)
	}
	mine.Spec.Containers[0].Image = "mine"
	if changed.Spec.Containers[0].Image != "example/app:2" || len(changed.Status.Conditions) != 1 {
		t.Errorf("updated: %v", changed)
	}
}

// TestOnlyWithinTheProcessPodsAreBound demands that a scheduler may bind a pod, once.
func TestOnlyWithinTheProcessPodsAreBound(t *testing.T) {
	s := New()
	bound := inSpace(t, s, pod("p", "")).DeepCopy()
	bound.Spec.NodeName = "n"
	bound, err := Update(s, bound)
	if err != nil || bound.Generation != 1 {
		t.Fatalf("generation %d, %v", bound.Generation, err)
	}
	bound = bound.DeepCopy()
	bound.Spec.NodeName = "other"
	if _, err := Update(s, bound); codeOf("update", err) != 422 {
		t.Errorf("bound again: %v", err)
	}
}

func TestTheSameRequestsGiveTheSameWorld(t *testing.T) {
	run := func() (list []Object) {
		s := New()
		life(newCourt(t, &rest.Config{Host: "http://sim", Transport: s}, "conformance"))
		for _, k := range kinds {
			events, err := s.Since(k.groupResource(), 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				o := e.Object.DeepCopyObject().(Object)
				// They ran at different times.
				o.SetCreationTimestamp(metav1.Time{})
				o.SetDeletionTimestamp(nil)
				if service, is := o.(*corev1.Service); is {
					service.Status.Conditions = nil
				}
				list = append(list, o)
			}
		}
		return list
	}
	if first, second := run(), run(); !equality.Semantic.DeepEqual(first, second) {
		t.Errorf("%d events, then %d, and they differ", len(first), len(second))
	}
}
