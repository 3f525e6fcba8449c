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
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// kind is what the server knows of a kind of objects.
type kind struct {
	schema.GroupVersionKind
	resource string
	heading  []byte // with which its objects' JSON begins

	make  func() Object
	clone func(Object) Object // another object with the same content, which the two share
	// spec and status are nil for kinds that have none.
	spec, status *part

	// custom kinds are defined by a CRD.
	custom bool
	// counts is whether changes of the spec are counted, as generations.
	counts bool
	// global is whether its objects are in no namespace.
	global bool
	// careful is whether an update must name the version that it is of.
	careful bool
	// shown is whether its deletion is answered with the object also when that is gone.
	shown bool
	// made is whether an update creates what isn't there.
	made bool
}

var kinds = []*kind{
	kindOf[corev1.Pod](corev1.SchemeGroupVersion, "Pod", "pods", kind{counts: true, shown: true,
		spec:   partOf(func(o *corev1.Pod) *corev1.PodSpec { return &o.Spec }),
		status: partOf(func(o *corev1.Pod) *corev1.PodStatus { return &o.Status })}),
	kindOf[corev1.Service](corev1.SchemeGroupVersion, "Service", "services", kind{shown: true,
		spec:   partOf(func(o *corev1.Service) *corev1.ServiceSpec { return &o.Spec }),
		status: partOf(func(o *corev1.Service) *corev1.ServiceStatus { return &o.Status })}),
	kindOf[corev1.PersistentVolumeClaim](corev1.SchemeGroupVersion, "PersistentVolumeClaim", "persistentvolumeclaims", kind{shown: true,
		spec:   partOf(func(o *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaimSpec { return &o.Spec }),
		status: partOf(func(o *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaimStatus { return &o.Status })}),
	kindOf[corev1.ConfigMap](corev1.SchemeGroupVersion, "ConfigMap", "configmaps", kind{}),
	kindOf[corev1.Secret](corev1.SchemeGroupVersion, "Secret", "secrets", kind{}),
	kindOf[corev1.Event](corev1.SchemeGroupVersion, "Event", "events", kind{made: true}),
	kindOf[corev1.Node](corev1.SchemeGroupVersion, "Node", "nodes", kind{global: true,
		spec:   partOf(func(o *corev1.Node) *corev1.NodeSpec { return &o.Spec }),
		status: partOf(func(o *corev1.Node) *corev1.NodeStatus { return &o.Status })}),
	kindOf[corev1.Namespace](corev1.SchemeGroupVersion, "Namespace", "namespaces", kind{global: true,
		spec:   partOf(func(o *corev1.Namespace) *corev1.NamespaceSpec { return &o.Spec }),
		status: partOf(func(o *corev1.Namespace) *corev1.NamespaceStatus { return &o.Status })}),
	kindOf[appsv1.StatefulSet](appsv1.SchemeGroupVersion, "StatefulSet", "statefulsets", kind{counts: true,
		spec:   partOf(func(o *appsv1.StatefulSet) *appsv1.StatefulSetSpec { return &o.Spec }),
		status: partOf(func(o *appsv1.StatefulSet) *appsv1.StatefulSetStatus { return &o.Status })}),
	kindOf[appsv1.ControllerRevision](appsv1.SchemeGroupVersion, "ControllerRevision", "controllerrevisions", kind{}),
	kindOf[storagev1.StorageClass](storagev1.SchemeGroupVersion, "StorageClass", "storageclasses", kind{global: true}),
	kindOf[coordinationv1.Lease](coordinationv1.SchemeGroupVersion, "Lease", "leases", kind{careful: true, made: true,
		spec: partOf(func(o *coordinationv1.Lease) *coordinationv1.LeaseSpec { return &o.Spec })}),
	kindOf[v1alpha1.KubeDirectorCluster](v1alpha1.SchemeGroupVersion, "KubeDirectorCluster", "kubedirectorclusters", kind{custom: true, counts: true, careful: true,
		spec:   partOf(func(o *v1alpha1.KubeDirectorCluster) *v1alpha1.KubeDirectorClusterSpec { return &o.Spec }),
		status: partOf(func(o *v1alpha1.KubeDirectorCluster) *v1alpha1.KubeDirectorClusterStatus { return &o.Status })}),
	kindOf[v1alpha1.KubeDirectorApp](v1alpha1.SchemeGroupVersion, "KubeDirectorApp", "kubedirectorapps", kind{custom: true, counts: true, careful: true,
		spec:   partOf(func(o *v1alpha1.KubeDirectorApp) *v1alpha1.KubeDirectorAppSpec { return &o.Spec }),
		status: partOf(func(o *v1alpha1.KubeDirectorApp) *v1alpha1.KubeDirectorAppStatus { return &o.Status })}),
}

func kindOf[T any, O interface {
	*T
	Object
}](version schema.GroupVersion, name, resource string, k kind) *kind {
	k.GroupVersionKind, k.resource = version.WithKind(name), resource
	k.heading = fmt.Appendf(nil, `{"kind":%q,"apiVersion":%q,`, name, version)
	k.make = func() Object { return O(new(T)) }
	k.clone = func(o Object) Object {
		content := *(*T)(o.(O))
		return O(&content)
	}
	return &k
}

func (k *kind) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.resource}
}

// part is the spec or the status in objects of a kind.
type part struct {
	same  func(a, b Object) bool
	share func(to, from Object)
	copy  func(to, from Object)
}

func partOf[O Object, S any, P interface {
	*S
	DeepCopyInto(*S)
}](of func(O) P) *part {
	return &part{
		same:  func(a, b Object) bool { return equality.Semantic.DeepEqual(of(a.(O)), of(b.(O))) },
		share: func(to, from Object) { *of(to.(O)) = *of(from.(O)) },
		copy:  func(to, from Object) { of(from.(O)).DeepCopyInto(of(to.(O))) },
	}
}

const statusResource = "status"

// copyFor copies of an object what a write to a subresource may take from it.
func (k *kind) copyFor(o Object, subresource string) Object {
	if k.status == nil {
		return o.DeepCopyObject().(Object)
	}
	written := k.clone(o)
	metaOf(o).DeepCopyInto(metaOf(written))
	if subresource == statusResource {
		k.status.copy(written, o)
	} else {
		k.spec.copy(written, o)
	}
	return written
}

func metaOf(o Object) *metav1.ObjectMeta {
	return o.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
}
