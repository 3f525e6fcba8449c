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

package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// loseStatus is what a restored backup, or a user with the status subresource, can do.
func (w *world) loseStatus() {
	w.Cluster = w.Cluster.DeepCopy()
	w.Cluster.Status = v1alpha1.KubeDirectorClusterStatus{}
	w.lines = nil
}

// turnReady is what the startup probe does to the pod of a configured member.
func (w *world) turnReady(pod string) {
	w.Pods[pod].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.Now)}}
}

func TestLostStatusIsRebuilt(t *testing.T) {
	w := readyWorld(t, testCluster())
	before := w.Cluster.Status.DeepCopy()
	w.Cluster = w.Cluster.DeepCopy()
	w.Cluster.Status = v1alpha1.KubeDirectorClusterStatus{}
	w.lines = nil
	w.settle()
	w.succeed("c-controller-0", "c-worker-0", "c-worker-1") // the ledgers' stored results
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	if rosterOf(before) != rosterOf(&w.Cluster.Status) || w.Cluster.Status.LastNodeID != before.LastNodeID {
		t.Errorf("roster %s, was %s", rosterOf(&w.Cluster.Status), rosterOf(before))
	}
	for _, line := range w.lines {
		if strings.Contains(line, "delete") || strings.Contains(line, "create") {
			t.Errorf("rebuilding status led to: %s", line)
		}
	}
}

func TestALostStatusDoesNotLetGoOfThePin(t *testing.T) {
	for name, lost := range map[string]string{"all members run": "", "a member is lost too": "c-worker-1"} {
		t.Run(name, func(t *testing.T) {
			w := readyWorld(t, testCluster())
			for pod := range w.Pods {
				w.turnReady(pod)
			}
			revision, generation := w.Cluster.Status.App.Revision, w.Cluster.Status.MetadataGeneration
			app := w.App.DeepCopy()
			app.Spec.DefaultImageRepoTag = "example/app:2"
			w.App = app
			w.after(time.Hour)
			w.settle()
			delete(w.Pods, lost)

			w.loseStatus()
			w.settle()
			if w.Cluster.Status.App.Revision != revision || w.Cluster.Status.FirstReadyTime == nil || w.Cluster.Status.MetadataGeneration <= generation {
				t.Errorf("app %+v, was %s; first ready %v; metadata generation %d, was %d", w.Cluster.Status.App, revision,
					w.Cluster.Status.FirstReadyTime, w.Cluster.Status.MetadataGeneration, generation)
			}
			if lost != "" {
				w.expect(v1alpha1.ClusterNodeDown, v1alpha1.ReasonPodLost)
				w.start(lost, 1)
				w.settle()
			}
			w.succeed("c-controller-0", "c-worker-0", "c-worker-1")
			w.settle()
			w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
			for _, line := range w.lines {
				if strings.Contains(line, "delete") || strings.Contains(line, "create") || strings.Contains(line, "template") {
					t.Errorf("rebuilding status led to: %s", line)
				}
			}
		})
	}
}

// A role gives up its highest ordinals: one that was to go from below another
// that stays was to be replaced, and would wait for ever otherwise.
func TestWhoGoesFromBelowOneThatStaysWasReplaced(t *testing.T) {
	removed := func() *v1alpha1.RetiredPod { return &v1alpha1.RetiredPod{Why: v1alpha1.RetiredRemoved} }
	role := &v1alpha1.RoleStatus{Members: []v1alpha1.MemberStatus{
		{Pod: "c-worker-0", State: v1alpha1.MemberDeleting, Retired: removed()},
		{Pod: "c-worker-1", Retired: &v1alpha1.RetiredPod{Why: v1alpha1.RetiredSuspended}},
		{Pod: "c-worker-2", State: v1alpha1.MemberDeleting, Retired: removed()},
	}}
	givePlaces(role)
	var got []v1alpha1.RetirementReason
	for _, m := range role.Members {
		got = append(got, m.Retired.Why)
	}
	want := []v1alpha1.RetirementReason{v1alpha1.RetiredReplaced, v1alpha1.RetiredSuspended, v1alpha1.RetiredRemoved}
	if !slices.Equal(got, want) {
		t.Errorf("why they leave: got %v, want %v", got, want)
	}
}
