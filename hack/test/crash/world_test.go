//go:build real

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

package crash

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// object is one of a namespace, as far as it concerns these tests.
type object struct {
	kind, name string
	metav1.Object
	// about is what else is told of it.
	about string
}

func (o object) String() string { return o.kind + " " + o.name }

// world is what is in a namespace.
type world struct {
	cluster *v1alpha1.KubeDirectorCluster // nil when there is none
	objects []object
	events  []corev1.Event
}

// look reads what is in a namespace.
func look(ctx context.Context, namespace string) (*world, error) {
	w := &world{}
	all := metav1.ListOptions{}
	clusters, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for i := range clusters.Items {
		w.cluster = &clusters.Items[i]
		w.add("KubeDirectorCluster", w.cluster, "")
	}
	services, err := server.kube.CoreV1().Services(namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for i := range services.Items {
		w.add("Service", &services.Items[i], "")
	}
	sets, err := server.kube.AppsV1().StatefulSets(namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for i := range sets.Items {
		w.add("StatefulSet", &sets.Items[i], fmt.Sprintf(" of %d replicas", ptr.Deref(sets.Items[i].Spec.Replicas, -1)))
	}
	pods, err := server.kube.CoreV1().Pods(namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		w.add("Pod", &pods.Items[i], "")
	}
	claims, err := server.kube.CoreV1().PersistentVolumeClaims(namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for i := range claims.Items {
		w.add("PersistentVolumeClaim", &claims.Items[i], "")
	}
	revisions, err := server.kube.AppsV1().ControllerRevisions(namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	for i := range revisions.Items {
		w.add("ControllerRevision", &revisions.Items[i], "")
	}
	events, err := server.kube.CoreV1().Events(namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	w.events = events.Items
	return w, nil
}

func (w *world) add(kind string, o metav1.Object, about string) {
	w.objects = append(w.objects, object{kind: kind, name: o.GetName(), Object: o, about: about})
}

// pods are the names of the pods, in order.
func (w *world) pods() []string {
	var pods []string
	for _, o := range w.objects {
		if o.kind == "Pod" {
			pods = append(pods, o.name)
		}
	}
	return pods
}

func (w *world) count(kind string) int {
	n := 0
	for _, o := range w.objects {
		if o.kind == kind {
			n++
		}
	}
	return n
}

// uids are those of all objects.
func (w *world) uids() map[string]types.UID {
	uids := map[string]types.UID{}
	for _, o := range w.objects {
		uids[o.String()] = o.GetUID()
	}
	return uids
}

// describe tells of everything that must not depend on crashes. Before are the UIDs of earlier.
func (w *world) describe(before map[string]types.UID) []string {
	var text []string
	now := w.uids()
	for _, o := range w.objects {
		age := "new"
		if uid, was := before[o.String()]; was && uid == o.GetUID() {
			age = "kept"
		} else if was {
			age = "ANOTHER"
		}
		name := o.name
		if o.kind == "ControllerRevision" {
			name = "" // a hash of much that differs
		}
		text = append(text, fmt.Sprintf("object: %s %s%s, %s%s", o.kind, name, o.about, age, owners(o, now)))
	}
	if w.cluster != nil {
		text = append(text, statusOf(w.cluster)...)
	}
	for _, e := range w.events {
		about := e.InvolvedObject.Kind
		if e.Type == corev1.EventTypeWarning && slices.Contains([]string{"KubeDirectorCluster", "KubeDirectorApp", "StatefulSet"}, about) {
			text = append(text, fmt.Sprintf("warning: %s %s of %s: %s", about, e.InvolvedObject.Name, e.Source.Component, e.Reason))
		}
	}
	slices.Sort(text)
	return text
}

func owners(o object, now map[string]types.UID) string {
	var text strings.Builder
	for _, owner := range o.GetOwnerReferences() {
		fmt.Fprintf(&text, ", owned by %s %s", owner.Kind, owner.Name)
		if now[owner.Kind+" "+owner.Name] != owner.UID {
			text.WriteString(" THAT IS GONE")
		}
	}
	return text.String()
}

func statusOf(cluster *v1alpha1.KubeDirectorCluster) []string {
	s := &cluster.Status
	text := []string{fmt.Sprintf("status: %s %s, last node ID %d, metadata %d, last event %d, pending events %d",
		s.State, s.Membership, s.LastNodeID, s.MetadataGeneration, s.LastEvent, len(s.PendingEvents))}
	for _, c := range s.Conditions {
		text = append(text, fmt.Sprintf("status: condition %s=%s %s", c.Type, c.Status, c.Reason))
	}
	for _, role := range s.Roles {
		for _, m := range role.Members {
			text = append(text, fmt.Sprintf("status: member %s, node ID %d, %s, metadata %d", m.Pod, m.NodeID, m.State, m.MetadataGeneration))
		}
	}
	return text
}

// done tells what the controllers' calls have brought about: how many objects
// they made of each kind, and what they deleted.
func done(namespace string, calls []call) []string {
	made, deleted := map[string]int{}, map[string]bool{}
	for _, c := range calls {
		switch {
		case c.code == 201:
			made[path.Base(c.path)]++
		case c.method == "DELETE" && c.code/100 == 2:
			deleted[c.what(namespace)] = true
		}
	}
	var text []string
	for kind, n := range made {
		text = append(text, fmt.Sprintf("made: %d %s", n, kind))
	}
	for what := range deleted {
		text = append(text, "done: "+what)
	}
	slices.Sort(text)
	return text
}
