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

package observe

import (
	"context"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// Guests knows of the in-container work that this process has done.
type Guests interface {
	// Outcome is where the newest step of a pod stands.
	Outcome(pod types.UID) (plan.Outcome, bool)
	// Packages are the looks at config packages that a cluster has asked for.
	Packages(owner cache.ObjectName) map[catalog.ConfigMapKey]plan.PackageCheck
}

// Observer gathers observations of clusters.
type Observer struct {
	Caches          Caches
	Guests          Guests
	Warnings        *Warnings
	SystemNamespace string
	Settings        plan.Settings
	Clock           clock.PassiveClock
}

// Cluster is what is seen of a cluster now; nil when there is no such cluster.
func (o *Observer) Cluster(ctx context.Context, key cache.ObjectName) (*plan.Observed, error) {
	cluster, err := get[v1alpha1.KubeDirectorCluster](o.Caches.Clusters, key.Namespace, key.Name)
	if cluster == nil || err != nil {
		return nil, err
	}
	seen := &plan.Observed{
		Now:      o.Clock.Now(),
		Settings: o.Settings,
		Cluster:  cluster,
		Packages: o.Guests.Packages(key),
	}
	for _, look := range []func(*plan.Observed) error{o.app, o.children, o.pods, o.storageClasses} {
		if err := look(seen); err != nil {
			return nil, err
		}
	}
	o.outcomes(seen)
	o.warnings(ctx, seen)
	return seen, nil
}

// app finds the app of a cluster, in its own namespace before the system catalog.
func (o *Observer) app(seen *plan.Observed) (err error) {
	cluster := seen.Cluster
	if cluster.Spec.AppCatalog != v1alpha1.AppCatalogSystem {
		seen.App, err = get[v1alpha1.KubeDirectorApp](o.Caches.Apps, cluster.Namespace, cluster.Spec.App)
	}
	if err == nil && seen.App == nil && cluster.Spec.AppCatalog != v1alpha1.AppCatalogLocal {
		seen.App, err = get[v1alpha1.KubeDirectorApp](o.Caches.SystemApps, o.SystemNamespace, cluster.Spec.App)
	}
	return err
}

// children finds what the cluster has made, and what stands under a name that it needs.
func (o *Observer) children(seen *plan.Observed) error {
	cluster := seen.Cluster
	owned := func(object metav1.Object) bool { return metav1.IsControlledBy(object, cluster) }
	labelled := func(object metav1.Object) bool { return object.GetLabels()[names.LabelCluster] == cluster.Name }
	needed := neededNames(cluster, seen.App)

	var err error
	if seen.Services, err = gather[corev1.Service](o.Caches.Services, cluster, needed.services, owned); err != nil {
		return err
	}
	if seen.Sets, err = gather[appsv1.StatefulSet](o.Caches.Sets, cluster, needed.sets, owned); err != nil {
		return err
	}
	// A claim outlives its cluster, for one of the same name to adopt: it has no owner.
	if seen.Claims, err = gather[corev1.PersistentVolumeClaim](o.Caches.Claims, cluster, needed.claims, labelled); err != nil {
		return err
	}
	revisions, err := belonging[appsv1.ControllerRevision](o.Caches.Revisions, cache.MetaObjectToName(cluster))
	for _, revision := range revisions {
		if owned(revision) {
			seen.Revisions = append(seen.Revisions, revision)
		}
	}
	return err
}

// pods are told by their StatefulSet, for anybody can put our labels on a pod.
func (o *Observer) pods(seen *plan.Observed) error {
	sets := map[types.UID]bool{}
	for _, set := range seen.Sets {
		sets[set.UID] = metav1.IsControlledBy(set, seen.Cluster)
	}
	pods, err := belonging[corev1.Pod](o.Caches.Pods, cache.MetaObjectToName(seen.Cluster))
	seen.Pods = map[string]*corev1.Pod{}
	for _, pod := range pods {
		if owner := metav1.GetControllerOfNoCopy(pod); owner != nil && sets[owner.UID] {
			seen.Pods[pod.Name] = pod
		}
	}
	return err
}

func (o *Observer) outcomes(seen *plan.Observed) {
	seen.Outcomes = map[types.UID]plan.Outcome{}
	for _, pod := range seen.Pods {
		if outcome, known := o.Guests.Outcome(pod.UID); known {
			seen.Outcomes[pod.UID] = outcome
		}
	}
}

// maxStuck is how many objects of a cluster are asked about at a time: what
// holds up more than that holds up all of them.
const maxStuck = 20

// warnings are asked for about the cluster's objects that are visibly stuck.
func (o *Observer) warnings(ctx context.Context, seen *plan.Observed) {
	seen.Warnings = map[types.UID]plan.Warning{}
	for _, object := range stuck(seen) {
		if warning := o.Warnings.Newest(ctx, cache.MetaObjectToName(seen.Cluster), object); warning != nil {
			seen.Warnings[object.GetUID()] = *warning
		}
	}
}

// stuck are StatefulSets that miss pods and members' claims that are not bound,
// in an order that is the same in each pass. A claim that an earlier cluster left may wait for ever.
func stuck(seen *plan.Observed) []metav1.Object {
	if seen.Cluster.DeletionTimestamp != nil {
		return nil // nobody is to be told what a cluster lacks that goes
	}
	present := map[types.UID]int32{}
	for _, pod := range seen.Pods {
		present[metav1.GetControllerOfNoCopy(pod).UID]++
	}
	var objects []metav1.Object
	for _, name := range slices.Sorted(maps.Keys(seen.Sets)) {
		set := seen.Sets[name]
		if metav1.IsControlledBy(set, seen.Cluster) && present[set.UID] < ptr.Deref(set.Spec.Replicas, 1) {
			objects = append(objects, set)
		}
	}
	for _, role := range seen.Cluster.Status.Roles {
		for _, member := range role.Members {
			claim := seen.Claims[names.Claim(member.Pod)]
			if claim != nil && claim.Labels[names.LabelCluster] == seen.Cluster.Name && claim.Status.Phase == corev1.ClaimPending {
				objects = append(objects, claim)
			}
		}
	}
	return objects[:min(len(objects), maxStuck)]
}
