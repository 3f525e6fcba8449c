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
	"encoding/json"
	"reflect"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// operation is something that is asked of a server, and the code of its answer.
type operation struct {
	name string
	code int
	do   func(*court) outcome
}

type patchType = types.PatchType

const (
	byMerge     = types.MergePatchType
	byJSON      = types.JSONPatchType
	byStrategic = types.StrategicMergePatchType
)

// kinds of clients.
func configMaps(c *court) client[*corev1.ConfigMap] { return c.kube.CoreV1().ConfigMaps(c.space) }
func pods(c *court) statusClient[*corev1.Pod]       { return c.kube.CoreV1().Pods(c.space) }
func services(c *court) statusClient[*corev1.Service] {
	return c.kube.CoreV1().Services(c.space)
}
func claims(c *court) statusClient[*corev1.PersistentVolumeClaim] {
	return c.kube.CoreV1().PersistentVolumeClaims(c.space)
}
func sets(c *court) statusClient[*appsv1.StatefulSet] { return c.kube.AppsV1().StatefulSets(c.space) }
func revisions(c *court) client[*appsv1.ControllerRevision] {
	return c.kube.AppsV1().ControllerRevisions(c.space)
}
func leases(c *court) client[*coordinationv1.Lease] { return c.kube.CoordinationV1().Leases(c.space) }
func clusters(c *court) statusClient[*v1alpha1.KubeDirectorCluster] {
	return c.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(c.space)
}
func apps(c *court) statusClient[*v1alpha1.KubeDirectorApp] {
	return c.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps(c.space)
}
func namespaces(c *court) client[*corev1.Namespace] { return c.kube.CoreV1().Namespaces() }

// create is POST.
func create[O Object, C client[O]](of func(*court) C, o O) func(*court) outcome {
	return func(c *court) outcome {
		return attempt(c, client[O](of(c)), o.GetName(), func(O) (O, error) {
			return of(c).Create(c.Context(), o.DeepCopyObject().(O), metav1.CreateOptions{})
		})
	}
}

// edit is PUT of an object with a change.
func edit[O Object, C client[O]](of func(*court) C, name string, change func(O)) func(*court) outcome {
	return func(c *court) outcome {
		return attempt(c, client[O](of(c)), name, func(before O) (O, error) {
			o := before.DeepCopyObject().(O)
			change(o)
			return of(c).Update(c.Context(), o, metav1.UpdateOptions{})
		})
	}
}

// putStatus is PUT of the subresource status.
func putStatus[O Object, C statusClient[O]](of func(*court) C, name string, change func(O)) func(*court) outcome {
	return func(c *court) outcome {
		return attempt(c, client[O](of(c)), name, func(before O) (O, error) {
			o := before.DeepCopyObject().(O)
			change(o)
			return of(c).UpdateStatus(c.Context(), o, metav1.UpdateOptions{})
		})
	}
}

func patch[O Object, C client[O]](of func(*court) C, name string, kind patchType, body string, subresources ...string) func(*court) outcome {
	return func(c *court) outcome {
		return attempt(c, client[O](of(c)), name, func(O) (O, error) {
			return of(c).Patch(c.Context(), name, kind, []byte(body), metav1.PatchOptions{}, subresources...)
		})
	}
}

func remove[O Object, C client[O]](of func(*court) C, name string, options metav1.DeleteOptions) func(*court) outcome {
	return func(c *court) outcome {
		return attempt(c, client[O](of(c)), name, func(O) (O, error) {
			if err := of(c).Delete(c.Context(), name, options); err != nil {
				return *new(O), err
			}
			return stays[O](c.text)
		})
	}
}

// stays is the object that a deletion is answered with while the object is still
// there; otherwise it is answered with a Status, or with the last of it.
func stays[O Object](text []byte) (O, error) {
	kind := metav1.TypeMeta{}
	if err := json.Unmarshal(text, &kind); err != nil || kind.Kind == "Status" {
		return *new(O), err
	}
	o := reflect.New(reflect.TypeFor[O]().Elem()).Interface().(O)
	return o, json.Unmarshal(text, o)
}

// listed are the names that a list has.
func listed(list func(*court, metav1.ListOptions) (runtime.Object, error), options metav1.ListOptions) func(*court) outcome {
	return func(c *court) outcome {
		objects, err := list(c, options)
		result := outcome{Code: c.code}
		result.refused(err)
		if err == nil {
			result.Listed = namesOf(objects)
		}
		return result
	}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func configMap(name string, finalizers ...string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers, Labels: map[string]string{"name": name, "tier": "test"}}, Data: map[string]string{"a": "1", "b": "2"}}
}

// pod is bound to a node that doesn't exist, or to none, and nobody schedules it.
func pod(name, node string, finalizers ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers},
		Spec: corev1.PodSpec{NodeName: node, SchedulerName: "nobody",
			Containers: []corev1.Container{{Name: "app", Image: "example/app:1"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
}

func service(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: named(name), Spec: corev1.ServiceSpec{Selector: map[string]string{"a": "b"}, Ports: []corev1.ServicePort{{Name: "web", Port: 80}}}}
}

func claim(name string, finalizers ...string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers}, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: ptr.To("nobodys"),
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
	}}
}

func set(name string, finalizers ...string) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To[int32](0), ServiceName: "members",
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"set": name}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"set": name}},
				Spec: corev1.PodSpec{
					SchedulerName:  "nobody",
					InitContainers: []corev1.Container{{Name: "install", Image: "example/guest"}},
					Containers: []corev1.Container{{
						Name: "app", Image: "example/app:1", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
						Env:          []corev1.EnvVar{{Name: "POD", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}},
						StartupProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}},
					}},
				},
			},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{*claim("data")},
		},
	}
}

func revision(name string) *appsv1.ControllerRevision {
	return &appsv1.ControllerRevision{ObjectMeta: named(name), Revision: 1, Data: runtime.RawExtension{Raw: []byte(`{"a":1}`)}}
}

func cluster(name string, finalizers ...string) *v1alpha1.KubeDirectorCluster {
	return &v1alpha1.KubeDirectorCluster{
		ObjectMeta: metav1.ObjectMeta{Name: name, Finalizers: finalizers, Labels: map[string]string{"name": name}},
		Spec: v1alpha1.KubeDirectorClusterSpec{App: "app", Paused: true,
			Roles:    []v1alpha1.ClusterRole{{ID: "worker", Members: ptr.To[int32](2)}, {ID: "elastic"}},
			Recovery: &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{}},
			Elastic:  &v1alpha1.Elastic{Role: "elastic", Members: 2},
		},
		Status: v1alpha1.KubeDirectorClusterStatus{State: v1alpha1.ClusterReady},
	}
}

func app(name string) *v1alpha1.KubeDirectorApp {
	return &v1alpha1.KubeDirectorApp{ObjectMeta: named(name), Spec: v1alpha1.KubeDirectorAppSpec{
		Label: v1alpha1.Label{Name: "App"}, DefaultImageRepoTag: "example/app:1", Roles: []v1alpha1.Role{{ID: "worker", Cardinality: "0+"}},
		Config: v1alpha1.AppConfig{RoleServices: []v1alpha1.RoleServices{{RoleID: "worker", ServiceIDs: []v1alpha1.ServiceID{}}}},
	}}
}

const held = "example.com/held"

func relabel[O Object](o O)   { o.SetLabels(map[string]string{"changed": "yes"}) }
func unhold[O Object](o O)    { o.SetFinalizers(nil) }
func hold[O Object](o O)      { o.SetFinalizers(append(slices.Clone(o.GetFinalizers()), held)) }
func stale[O Object](o O)     { o.SetResourceVersion("1") }
func unversion[O Object](o O) { o.SetResourceVersion("") }
func exchange[O Object](o O)  { o.SetUID("00000000-0000-4000-8000-00000000000f") }
func same[O Object](O)        {}

// all makes several changes at once.
func all[O Object](changes ...func(O)) func(O) {
	return func(o O) {
		for _, change := range changes {
			change(o)
		}
	}
}

func within(seconds int64) metav1.DeleteOptions {
	return metav1.DeleteOptions{GracePeriodSeconds: &seconds}
}

func how(policy metav1.DeletionPropagation) metav1.DeleteOptions {
	return metav1.DeleteOptions{PropagationPolicy: &policy}
}
