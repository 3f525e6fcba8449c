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
	"cmp"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// Disks is told of lives in the order in which a kubelet makes them.
type Disks interface {
	// ContainerStarts: with the first of a pod its emptyDirs are made. claims are
	// the UIDs of the claims by the names of the pod's volumes.
	ContainerStarts(pod *corev1.Pod, containerID string, claims map[string]types.UID)
	// ContainerEnds: the processes die, the emptyDirs stay.
	ContainerEnds(pod types.UID)
	// PodGone: the emptyDirs are removed.
	PodGone(pod types.UID)
	// ClaimGone: the volume is removed.
	ClaimGone(claim types.UID)
	// Configured is what the startup probe answers in the container that runs.
	Configured(pod types.UID) bool
}

// Kubernetes is all of it but the API server.
type Kubernetes struct {
	api   *apiserver.Server
	disks Disks
	nodes []*node // by name
	// volumes are the claims that were given one, by UID.
	volumes []volume
	// warned are the claims of which was told that they get no volume.
	warned map[types.UID]bool
	// refusals are the passes over StatefulSets that failed, by the set's UID.
	refusals  map[types.UID]*refusal
	revisions map[types.UID]revision
	// missing is since when pods are known to be bound to nodes that don't exist.
	missing    map[string]time.Time
	refuses    bool
	containers int // that were ever started

	clusters    *view[*v1alpha1.KubeDirectorCluster]
	sets        *view[*appsv1.StatefulSet]
	pods        *view[*corev1.Pod]
	claims      *view[*corev1.PersistentVolumeClaim]
	services    *view[*corev1.Service]
	snapshots   *view[*appsv1.ControllerRevision]
	classes     *view[*storagev1.StorageClass]
	nodeObjects *view[*corev1.Node]

	// moves are what was due at the last look, sorted by name, except for probes,
	// which are asked anew each time.
	moves  []move
	probes []move
	// seen is the version that the last look saw, and until is when it is outdated
	// even if nothing is changed. stale: something but the API's objects has changed.
	seen  int64
	until time.Time
	stale bool
}

// move is a step that would change something.
type move struct {
	name string
	do   func()
	// ready is when the move is due; nil: always.
	ready func() bool
}

// New is Kubernetes with nodes that are up. It has done nothing yet but to register them.
func New(api *apiserver.Server, disks Disks, nodes ...string) *Kubernetes {
	k := &Kubernetes{
		api: api, disks: disks, stale: true,
		warned: map[types.UID]bool{}, refusals: map[types.UID]*refusal{}, revisions: map[types.UID]revision{}, missing: map[string]time.Time{},
		clusters:    newView[*v1alpha1.KubeDirectorCluster](api, v1alpha1.Resource("kubedirectorclusters")),
		sets:        newView[*appsv1.StatefulSet](api, resourceOf(appsv1.SchemeGroupVersion, "statefulsets")),
		pods:        newView[*corev1.Pod](api, corev1.Resource("pods")),
		claims:      newView[*corev1.PersistentVolumeClaim](api, corev1.Resource("persistentvolumeclaims")),
		services:    newView[*corev1.Service](api, corev1.Resource("services")),
		snapshots:   newView[*appsv1.ControllerRevision](api, resourceOf(appsv1.SchemeGroupVersion, "controllerrevisions")),
		classes:     newView[*storagev1.StorageClass](api, resourceOf(storagev1.SchemeGroupVersion, "storageclasses")),
		nodeObjects: newView[*corev1.Node](api, corev1.Resource("nodes")),
	}
	for _, name := range slices.Sorted(slices.Values(nodes)) {
		k.AddNode(name)
	}
	return k
}

// Due names the moves that would change something now, sorted. None: Kubernetes
// rests until time passes or somebody else changes something.
func (k *Kubernetes) Due() []string {
	k.look()
	names := make([]string, 0, len(k.moves)+len(k.probes))
	for _, m := range k.moves {
		names = append(names, m.name)
	}
	for _, m := range k.probes {
		if m.ready() {
			names = append(names, m.name)
		}
	}
	slices.Sort(names)
	return names
}

// Do makes a move. It is false for one that is not due.
func (k *Kubernetes) Do(name string) bool {
	k.look()
	for _, moves := range [][]move{k.moves, k.probes} {
		i, found := slices.BinarySearchFunc(moves, name, func(m move, name string) int { return cmp.Compare(m.name, name) })
		if !found {
			continue
		}
		if m := moves[i]; m.ready == nil || m.ready() {
			k.stale = true
			m.do()
			return true
		}
	}
	return false
}

// Next is how long it takes until a move that waits for time becomes due.
func (k *Kubernetes) Next() (time.Duration, bool) {
	k.look()
	if k.until.IsZero() {
		return 0, false
	}
	return time.Until(k.until), true
}

// look finds what is due, unless nothing has changed since the last look.
func (k *Kubernetes) look() {
	version := k.api.Version()
	if !k.stale && version == k.seen && (k.until.IsZero() || time.Now().Before(k.until)) {
		return
	}
	k.stale, k.seen, k.until = false, version, time.Time{}
	k.moves, k.probes = k.moves[:0], k.probes[:0]
	k.refresh()
	k.offerSets()
	k.offerGarbage()
	k.offerClaims()
	k.offerNodes()
	for _, pod := range k.pods.items {
		k.offerPod(pod)
	}
	k.offerSandboxes()
	for _, moves := range [][]move{k.moves, k.probes} {
		slices.SortFunc(moves, func(a, b move) int { return cmp.Compare(a.name, b.name) })
	}
}

func (k *Kubernetes) refresh() {
	k.clusters.refresh()
	k.sets.refresh()
	k.pods.refresh()
	k.claims.refresh()
	k.services.refresh()
	k.snapshots.refresh()
	k.classes.refresh()
	k.nodeObjects.refresh()
}

func (k *Kubernetes) offer(kind string, o metav1.Object, do func()) {
	k.moves = append(k.moves, move{name: kind + " " + keyOf(o), do: do})
}

func keyOf(o metav1.Object) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

// reached is true when a time has come; otherwise Kubernetes wakes up by then.
func (k *Kubernetes) reached(at time.Time) bool {
	if !time.Now().Before(at) {
		return true
	}
	if k.until.IsZero() || at.Before(k.until) {
		k.until = at
	}
	return false
}

// now is the time as objects have it.
func now() metav1.Time { return metav1.NewTime(time.Now().Truncate(time.Second)) }

// exactly is the deletion of that very object.
func exactly(o metav1.Object) metav1.DeleteOptions {
	uid := o.GetUID()
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
}

// must is for requests that the API server has no reason to refuse: each move is
// made with the newest objects, and nobody else writes in the meantime.
func must[O any](o O, err error) O {
	if err != nil {
		panic(err)
	}
	return o
}
