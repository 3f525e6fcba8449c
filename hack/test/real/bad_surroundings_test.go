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

package real

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// badSurroundings are namespaces in which a sound cluster cannot be made.
func badSurroundings() []badInput {
	soundCluster := func(f *fixture) { f.applyGoodApp(); f.apply(newCluster("c", "testapp")) }
	return []badInput{
		invalid("a Service of that name", v1alpha1.ReasonNameTaken, "metadata.name", `Service "c"`, "delete or rename it").
			when(func(f *fixture) { f.apply(foreignService("c")); soundCluster(f) }).
			mended(func(f *fixture) {
				f.must(server.kube.CoreV1().Services(f.namespace).Delete(f.Context(), "c", metav1.DeleteOptions{}))
			}),

		invalid("a StatefulSet of that name", v1alpha1.ReasonNameTaken, "metadata.name", `StatefulSet "c-node"`, "delete or rename it").
			when(func(f *fixture) { f.apply(foreignSet("c-node")); soundCluster(f) }).
			mended(func(f *fixture) {
				f.must(server.kube.AppsV1().StatefulSets(f.namespace).Delete(f.Context(), "c-node", metav1.DeleteOptions{}))
			}),

		invalid("names that collide with another cluster's", v1alpha1.ReasonNameTaken, "metadata.name", `StatefulSet "c-x-y"`, "another name").
			when(func(f *fixture) {
				f.applyGoodPackage()
				f.apply(newApp("testapp", offers("y", "0+"), offers("x-y", "0+")), newCluster("c-x", "testapp", role("y")))
				f.untilReady("c-x")
				f.apply(newCluster("c", "testapp", role("x-y")))
			}).
			mended(func(f *fixture) { f.deleteCluster("c-x") }),

		stuck("a Secret that comes later", v1alpha1.ReasonContainerConfigError, "c-node-0", `secret "token" not found`, "by itself").
			when(func(f *fixture) { f.applyGoodApp(); f.apply(newCluster("c", "testapp", secretEnv("token"))) }).
			mended(func(f *fixture) {
				f.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "token"}, StringData: map[string]string{"value": "x"}})
			}),

		stuck("a ConfigMap of the environment that comes later", v1alpha1.ReasonContainerConfigError, "c-node-0", `configmap "settings" not found`, "by itself").
			when(func(f *fixture) { f.applyGoodApp(); f.apply(newCluster("c", "testapp", configMapEnv("settings"))) }).
			mended(func(f *fixture) {
				f.apply(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"value": "x"}})
			}),

		stuck("an image that cannot be pulled", v1alpha1.ReasonImagePullFailed, "c-node-0", noImage, "correct the image of role node").
			when(func(f *fixture) {
				f.applyGoodPackage()
				f.apply(newApp("testapp", image(noImage)), newCluster("c", "testapp"))
			}).
			mended(func(f *fixture) { f.apply(newApp("testapp")) }),

		stuck("a quota without room", v1alpha1.ReasonPodCreationFailed, "c-node-0", "exceeded quota: full", "change the quota").
			when(func(f *fixture) { f.apply(quota("full", "0")); soundCluster(f) }).
			mended(func(f *fixture) { f.apply(quota("full", "9")) }),

		stuck("a LimitRange that is exceeded", v1alpha1.ReasonPodCreationFailed, "c-node-0", "maximum memory usage", "spec.roles").
			when(func(f *fixture) {
				f.apply(limitRange("256Mi"))
				f.applyGoodApp()
				f.apply(newCluster("c", "testapp", memorySize("512Mi")))
			}).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp", memorySize("128Mi"))) }),

		stuck("a pod security level that is not met", v1alpha1.ReasonPodCreationFailed, "c-node-0", "violates PodSecurity", "runAsNonRoot", "policy").
			in("pod-security.kubernetes.io/enforce", "restricted").
			when(func(f *fixture) {
				f.apply(packageMap("setup", startscript(f.T, "#!/bin/sh\nexit 0\n")), newApp("testapp"), newCluster("c", "testapp"))
			}).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp", restricted)) }),

		stuck("more memory than any node has", v1alpha1.ReasonUnschedulable, "c-node-0", "Insufficient memory", "spec.roles[id=node].resources").
			when(func(f *fixture) { f.applyGoodApp(); f.apply(newCluster("c", "testapp", memorySize("9Ti"))) }).
			mended(func(f *fixture) { f.apply(newCluster("c", "testapp", memorySize("128Mi"))) }),
	}
}

const noImage = "kubedirector/none:1"

func image(name string) func(*v1alpha1.KubeDirectorAppSpec) {
	return func(app *v1alpha1.KubeDirectorAppSpec) { app.DefaultImageRepoTag = name }
}

func secretEnv(secret string) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.Roles[0].Env = []corev1.EnvVar{{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{
			SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: "value"},
		}}}
	}
}

func configMapEnv(configMap string) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.Roles[0].Env = []corev1.EnvVar{{Name: "SETTING", ValueFrom: &corev1.EnvVarSource{
			ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}, Key: "value"},
		}}}
	}
}

func memorySize(amount string) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		same := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(amount)}
		cluster.Roles[0].Resources = corev1.ResourceRequirements{Requests: same, Limits: same}
	}
}

func foreignService(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
}

func foreignSet(name string) *appsv1.StatefulSet {
	labels := map[string]string{"app": name}
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To[int32](0),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "other", Image: debianImage}}},
			},
		},
	}
}

func quota(name, pods string) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ResourceQuotaSpec{
		Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse(pods)},
	}}
}

func limitRange(memory string) *corev1.LimitRange {
	return &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
		Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)},
	}}}}
}
