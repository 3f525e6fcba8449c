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
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

var (
	started = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	key     = cache.NewObjectName("ml", "spark")
)

// fixture is an observer over caches that the test fills.
type fixture struct {
	*Observer
	kube  *kubefake.Clientset
	clock *clocktesting.FakePassiveClock
	// later are the waits after which another observation was asked for.
	later []time.Duration
}

func newFixture(t *testing.T, objects ...runtime.Object) *fixture {
	t.Helper()
	indexer := func(indexers cache.Indexers) cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers)
	}
	f := &fixture{kube: kubefake.NewClientset(), clock: clocktesting.NewFakePassiveClock(started.Add(time.Hour))}
	f.Observer = &Observer{
		Caches: Caches{
			Clusters: indexer(nil), Apps: indexer(nil), SystemApps: indexer(nil), StorageClasses: indexer(nil),
			Services: indexer(Indexers()), Sets: indexer(Indexers()), Claims: indexer(Indexers()),
			Pods: indexer(Indexers()), Revisions: indexer(Indexers()),
		},
		Guests: guests{},
		Warnings: &Warnings{
			Events: f.kube.CoreV1(), Clock: f.clock,
			Later: func(_ cache.ObjectName, after time.Duration) { f.later = append(f.later, after) },
		},
		SystemNamespace: "catalog",
		Clock:           f.clock,
	}
	for _, object := range objects {
		f.add(t, object)
	}
	return f
}

func (f *fixture) add(t *testing.T, object runtime.Object) {
	t.Helper()
	var to cache.Indexer
	switch o := object.(type) {
	case *v1alpha1.KubeDirectorCluster:
		to = f.Caches.Clusters
	case *v1alpha1.KubeDirectorApp:
		if to = f.Caches.Apps; o.Namespace == f.SystemNamespace {
			to = f.Caches.SystemApps
		}
	case *corev1.Service:
		to = f.Caches.Services
	case *appsv1.StatefulSet:
		to = f.Caches.Sets
	case *corev1.PersistentVolumeClaim:
		to = f.Caches.Claims
	case *corev1.Pod:
		to = f.Caches.Pods
	case *appsv1.ControllerRevision:
		to = f.Caches.Revisions
	case *storagev1.StorageClass:
		to = f.Caches.StorageClasses
	default:
		t.Fatalf("no cache of %T", object)
	}
	if err := to.Add(object); err != nil {
		t.Fatal(err)
	}
}

// guests knows one pod and one package.
type guests struct{}

var packageKey = catalog.ConfigMapKey{Namespace: "ml", Name: "setup", Key: "a.tgz"}

func (guests) Outcome(pod types.UID) (plan.Outcome, bool) {
	return plan.Outcome{Phase: plan.PhaseDone}, pod == "u-spark-worker-0"
}

func (guests) Packages(cache.ObjectName) map[catalog.ConfigMapKey]plan.PackageCheck {
	return map[catalog.ConfigMapKey]plan.PackageCheck{packageKey: {Version: "v1"}}
}

// cluster asks for one role by the app's cardinality, and for another with two members.
func cluster() *v1alpha1.KubeDirectorCluster {
	return &v1alpha1.KubeDirectorCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "spark", Namespace: "ml", UID: "u-spark"},
		Spec: v1alpha1.KubeDirectorClusterSpec{App: "spark41", Roles: []v1alpha1.ClusterRole{
			{ID: "controller"}, {ID: "worker", Members: ptr.To[int32](2)},
		}},
	}
}

func app(namespace string) *v1alpha1.KubeDirectorApp {
	return &v1alpha1.KubeDirectorApp{
		ObjectMeta: metav1.ObjectMeta{Name: "spark41", Namespace: namespace},
		Spec: v1alpha1.KubeDirectorAppSpec{Roles: []v1alpha1.Role{
			{ID: "controller", Cardinality: "1"}, {ID: "worker", Cardinality: "1+"},
		}},
	}
}

// mark says whose an object is.
type mark func(*metav1.ObjectMeta)

func ownedBy(kind string, uid types.UID) mark {
	return func(m *metav1.ObjectMeta) {
		name := "spark"
		m.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name, UID: uid, Controller: ptr.To(true)}}
	}
}

func ours(m *metav1.ObjectMeta) {
	labelled(m)
	ownedBy("KubeDirectorCluster", "u-spark")(m)
}

func labelled(m *metav1.ObjectMeta) { m.Labels = map[string]string{names.LabelCluster: "spark"} }

func meta(name string, marks ...mark) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: name, Namespace: "ml", UID: types.UID("u-" + name), CreationTimestamp: metav1.NewTime(started)}
	for _, mark := range marks {
		mark(&m)
	}
	return m
}

func service(name string, marks ...mark) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta(name, marks...)}
}

func set(name string, replicas int32, marks ...mark) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{ObjectMeta: meta(name, marks...), Spec: appsv1.StatefulSetSpec{Replicas: &replicas}}
}

func claim(name string, phase corev1.PersistentVolumeClaimPhase, marks ...mark) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: meta(name, marks...), Status: corev1.PersistentVolumeClaimStatus{Phase: phase}}
}

func pod(name, set string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: meta(name, labelled, ownedBy("StatefulSet", types.UID("u-"+set)))}
}
