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

package kube

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// ledger keeps what it is told as Disks, with pods by their names.
type ledger struct {
	lines      []string
	pods       map[types.UID]string
	claims     map[types.UID]string
	configured map[types.UID]bool
	slow       bool // probes fail until somebody sets configured
}

func (l *ledger) note(words ...string) { l.lines = append(l.lines, strings.Join(words, " ")) }

func (l *ledger) ContainerStarts(pod *corev1.Pod, containerID string, claims map[string]types.UID) {
	l.pods[pod.UID] = pod.Name
	for _, volume := range pod.Spec.Volumes {
		if uid, claimed := claims[volume.Name]; claimed {
			l.claims[uid] = volume.PersistentVolumeClaim.ClaimName
		}
	}
	if !strings.HasPrefix(containerID, "containerd://") || len(containerID) != len("containerd://")+64 {
		panic("not a container ID: " + containerID)
	}
	l.note("starts", pod.Name)
}

func (l *ledger) ContainerEnds(pod types.UID) { l.note("ends", l.pods[pod]) }
func (l *ledger) PodGone(pod types.UID)       { l.note("gone", l.pods[pod]) }
func (l *ledger) ClaimGone(claim types.UID)   { l.note("removed", l.claims[claim]) }

func (l *ledger) Configured(pod types.UID) bool { return !l.slow || l.configured[pod] }

// told is what the disks were told since the last time, sorted: which of two comes first is seldom the question.
func (l *ledger) told() string {
	lines := slices.Sorted(slices.Values(l.lines))
	l.lines = nil
	return strings.Join(lines, ", ")
}

// world is Kubernetes on three nodes.
type world struct {
	*testing.T
	api   *apiserver.Server
	kube  *Kubernetes
	disks *ledger
}

// inWorld runs a test where time is simulated.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, api: apiserver.New(), disks: &ledger{pods: map[types.UID]string{}, claims: map[types.UID]string{}, configured: map[types.UID]bool{}}}
		w.kube = New(w.api, w.disks, "node-1", "node-2", "node-3")
		test(w)
	})
}

// settle makes all moves that are due, until there are none.
func (w *world) settle() {
	w.Helper()
	for range 1000 {
		due := w.kube.Due()
		if len(due) == 0 {
			return
		}
		w.do(due[0])
	}
	w.Fatalf("it never settles: %v", w.kube.Due())
}

func (w *world) do(move string) {
	w.Helper()
	if !w.kube.Do(move) {
		w.Fatalf("%q is not due, but %q are", move, w.kube.Due())
	}
}

func (w *world) due(want ...string) {
	w.Helper()
	if got := w.kube.Due(); !slices.Equal(got, want) {
		w.Errorf("due: %q, want %q", got, want)
	}
}

func (w *world) told(want string) {
	w.Helper()
	if got := w.disks.told(); got != want {
		w.Errorf("the disks were told %q, want %q", got, want)
	}
}

// pass lets time pass, as far as the next move waits for it at least.
func (w *world) pass(d time.Duration) {
	w.Helper()
	if next, waits := w.kube.Next(); !waits || next > d {
		w.Errorf("the next move is due in %v (%v), want at most %v", next, waits, d)
	}
	time.Sleep(d)
}

func (w *world) pod(name string) *corev1.Pod {
	w.Helper()
	pod, found := apiserver.Get[*corev1.Pod](w.api, "ns", name)
	if !found {
		w.Fatalf("there is no pod %s", name)
	}
	return pod
}

func (w *world) container(pod string) corev1.ContainerStatus {
	w.Helper()
	statuses := w.pod(pod).Status.ContainerStatuses
	if len(statuses) != 1 {
		w.Fatalf("pod %s has the container statuses %v", pod, statuses)
	}
	return statuses[0]
}

func (w *world) isReady(pod string, want bool) {
	w.Helper()
	if got := readyStatus(w.pod(pod)) == corev1.ConditionTrue; got != want {
		w.Errorf("pod %s is ready: %v, want %v", pod, got, want)
	}
}

func (w *world) exists(what string, got, want bool) {
	w.Helper()
	if got != want {
		w.Errorf("%s exists: %v, want %v", what, got, want)
	}
}

func (w *world) podExists(name string, want bool) {
	w.Helper()
	_, found := apiserver.Get[*corev1.Pod](w.api, "ns", name)
	w.exists("pod "+name, found, want)
}

func (w *world) claimExists(name string, want bool) {
	w.Helper()
	_, found := apiserver.Get[*corev1.PersistentVolumeClaim](w.api, "ns", name)
	w.exists("claim "+name, found, want)
}

// up makes a StatefulSet of two with claims, and all its pods ready.
func (w *world) up(tolerations ...corev1.Toleration) {
	w.Helper()
	set := newSet()
	set.Spec.Template.Spec.Tolerations = tolerations
	must(apiserver.Create(w.api, set))
	w.settle()
	w.told("starts c-worker-0, starts c-worker-1")
}

func (w *world) scale(replicas int32) {
	w.Helper()
	set := w.set().DeepCopy()
	set.Spec.Replicas = &replicas
	must(apiserver.Update(w.api, set))
}

func (w *world) set() *appsv1.StatefulSet {
	w.Helper()
	set, found := apiserver.Get[*appsv1.StatefulSet](w.api, "ns", "c-worker")
	if !found {
		w.Fatal("there is no StatefulSet")
	}
	return set
}

func (w *world) deletePod(name string, options metav1.DeleteOptions) {
	w.Helper()
	must(0, apiserver.Delete[*corev1.Pod](w.api, "ns", name, options))
}

var byForce = metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}

func newSet() *appsv1.StatefulSet {
	labels := map[string]string{names.LabelCluster: "c", names.LabelRole: "worker"}
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c-worker"},
		Spec: appsv1.StatefulSetSpec{
			Replicas:            ptr.To[int32](2),
			ServiceName:         "c",
			Selector:            &metav1.LabelSelector{MatchLabels: labels},
			PodManagementPolicy: appsv1.ParallelPodManagement,
			UpdateStrategy:      appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					InitContainers: []corev1.Container{{Name: names.InstallContainer, Image: "guest"}},
					Containers:     []corev1.Container{{Name: names.ContainerName, Image: "app", StartupProbe: &corev1.Probe{}}},
				},
			},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
				ObjectMeta: metav1.ObjectMeta{Name: names.ClaimTemplate, Labels: map[string]string{names.LabelApp: "app"}},
				Spec:       corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}},
			}},
		},
	}
}
