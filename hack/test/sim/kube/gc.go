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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// collection is a kind of objects as garbage collection sees it.
type collection interface {
	has(uid types.UID) bool
	each(func(metav1.Object))
	remove(o metav1.Object)
	// edit changes the metadata of an object.
	edit(o metav1.Object, change func(metav1.Object))
}

func (v *view[O]) has(uid types.UID) bool {
	_, found := v.byUID[uid]
	return found
}

func (v *view[O]) each(visit func(metav1.Object)) {
	for _, o := range v.items {
		visit(o)
	}
}

func (v *view[O]) remove(o metav1.Object) {
	options := exactly(o)
	background := metav1.DeletePropagationBackground
	options.PropagationPolicy = &background
	must(0, apiserver.Delete[O](v.api, o.GetNamespace(), o.GetName(), options))
}

func (v *view[O]) edit(o metav1.Object, change func(metav1.Object)) {
	edited := o.(O).DeepCopyObject().(O)
	change(edited)
	must(apiserver.Update(v.api, edited))
}

// kinds are the collections by the kinds that owner references name.
func (k *Kubernetes) kinds() []kind {
	return []kind{
		{"KubeDirectorCluster", "kubedirectorcluster", k.clusters}, {"StatefulSet", "statefulset", k.sets}, {"Pod", "pod", k.pods},
		{"PersistentVolumeClaim", "claim", k.claims}, {"Service", "service", k.services}, {"ControllerRevision", "revision", k.snapshots},
	}
}

type kind struct {
	name, word string
	collection
}

// offerGarbage offers, object by object, what the garbage collector does.
func (k *Kubernetes) offerGarbage() {
	kinds := k.kinds()
	for _, kind := range kinds {
		kind.each(func(o metav1.Object) {
			if deletion := deletionBy(o); deletion != "" {
				k.offerDeletion(kinds, kind, o, deletion)
				return
			}
			owners := o.GetOwnerReferences()
			if len(owners) == 0 || o.GetDeletionTimestamp() != nil {
				return
			}
			switch alive := countAlive(kinds, owners); {
			case alive == 0:
				k.offer("gc "+kind.word, o, func() { kind.remove(o) })
			case alive < len(owners):
				k.offer("gc "+kind.word, o, func() {
					kind.edit(o, func(o metav1.Object) {
						o.SetOwnerReferences(slices.DeleteFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return !isAlive(kinds, r) }))
					})
				})
			}
		})
	}
}

func countAlive(kinds []kind, owners []metav1.OwnerReference) int {
	alive := 0
	for _, owner := range owners {
		if isAlive(kinds, owner) {
			alive++
		}
	}
	return alive
}

// isAlive is true for an owner that exists, and for one of a kind that is not known here.
func isAlive(kinds []kind, owner metav1.OwnerReference) bool {
	for _, kind := range kinds {
		if kind.name == owner.Kind {
			return kind.has(owner.UID)
		}
	}
	return true
}

// deletionBy is the finalizer by which an object waits for its dependents.
func deletionBy(o metav1.Object) string {
	if o.GetDeletionTimestamp() == nil {
		return ""
	}
	for _, finalizer := range o.GetFinalizers() {
		if finalizer == metav1.FinalizerDeleteDependents || finalizer == metav1.FinalizerOrphanDependents {
			return finalizer
		}
	}
	return ""
}

// offerDeletion offers what an object's deletion in the foreground, or without its dependents, is waiting for.
func (k *Kubernetes) offerDeletion(kinds []kind, of kind, owner metav1.Object, finalizer string) {
	blocked := false
	for _, kind := range kinds {
		kind.each(func(o metav1.Object) {
			reference := referenceTo(o, owner.GetUID())
			switch {
			case reference == nil:
			case finalizer == metav1.FinalizerOrphanDependents:
				blocked = true
				k.offer("gc "+kind.word, o, func() { kind.edit(o, func(o metav1.Object) { disown(o, owner.GetUID()) }) })
			default:
				blocked = blocked || reference.BlockOwnerDeletion != nil && *reference.BlockOwnerDeletion
				if o.GetDeletionTimestamp() == nil {
					k.offer("gc "+kind.word, o, func() { kind.remove(o) })
				}
			}
		})
	}
	if !blocked {
		k.offer("gc "+of.word, owner, func() {
			of.edit(owner, func(o metav1.Object) {
				o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == finalizer }))
			})
		})
	}
}

func referenceTo(o metav1.Object, owner types.UID) *metav1.OwnerReference {
	references := o.GetOwnerReferences()
	for i := range references {
		if references[i].UID == owner {
			return &references[i]
		}
	}
	return nil
}

// disown takes an owner from an object that is to outlive it.
func disown(o metav1.Object, owner types.UID) {
	o.SetOwnerReferences(slices.DeleteFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner }))
}
