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

package execute

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/fake"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// fixture is an executor over fake clientsets, with a record of what it told of.
type fixture struct {
	Executor
	cluster *v1alpha1.KubeDirectorCluster
	kube    *kubefake.Clientset
	kd      *fake.Clientset
	noted   *notes
}

// notes are what Writes and Guests were told.
type notes struct{ lines []string }

func (n *notes) WroteAt(owner cache.ObjectName, resource schema.GroupResource, version string) {
	n.lines = append(n.lines, owner.String()+" wrote "+resource.String()+" at "+version)
}

func (n *notes) Deleted(owner cache.ObjectName, resource schema.GroupResource, object cache.ObjectName, uid types.UID) {
	n.lines = append(n.lines, owner.String()+" deleted "+resource.String()+" "+object.String()+" "+string(uid))
}

func (n *notes) Ensure(owner cache.ObjectName, step plan.Step) {
	n.lines = append(n.lines, owner.String()+" visits "+step.String())
}

func (n *notes) CheckPackage(owner cache.ObjectName, configMap catalog.ConfigMapKey) {
	n.lines = append(n.lines, owner.String()+" checks "+configMap.String())
}

func newFixture(t *testing.T, objects ...runtime.Object) *fixture {
	t.Helper()
	cluster := &v1alpha1.KubeDirectorCluster{ObjectMeta: metav1.ObjectMeta{
		Name: "spark", Namespace: "ml", UID: "u-spark", ResourceVersion: "40", Finalizers: []string{"example.org/backup"},
	}}
	f := &fixture{
		cluster: cluster,
		kube:    kubefake.NewClientset(objects...),
		kd:      fake.NewSimpleClientset(cluster.DeepCopy()),
		noted:   &notes{},
	}
	f.Executor = Executor{Kube: f.kube, KubeDirector: f.kd, Writes: f.noted, Guests: f.noted}
	return f
}

func meta(name string, owner types.UID) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: "ml", UID: types.UID("u-" + name), ResourceVersion: "7",
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "KubeDirectorCluster", Name: "spark", UID: owner, Controller: ptr.To(true),
		}},
	}
}

func service(owner types.UID) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta("spark", owner), Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}}
}

func statefulSet(owner types.UID, replicas int32) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{ObjectMeta: meta("spark-worker", owner), Spec: appsv1.StatefulSetSpec{Replicas: &replicas}}
}

func revision(owner types.UID) *appsv1.ControllerRevision {
	return &appsv1.ControllerRevision{ObjectMeta: meta("spark.app-1", owner)}
}
