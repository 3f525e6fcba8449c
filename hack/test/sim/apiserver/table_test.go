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
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// operations are asked in this order.
var operations = slices.Concat(ofMetadata, ofPatches, ofDeletion, ofPods, ofServices, ofClaims, ofSets, ofClusters, ofOthers, ofLists, ofNamespaces)

var ofMetadata = []operation{
	{"create", 201, create(configMaps, configMap("m"))},
	{"create what is there", 409, create(configMaps, configMap("m"))},
	{"create a version", 500, create(configMaps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "v", ResourceVersion: "7"}})},
	{"create without a name", 422, create(configMaps, &corev1.ConfigMap{})},
	{"create by a bad name", 422, create(configMaps, configMap("Bad_Name"))},
	{"create in another namespace", 400, create(configMaps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "n", Namespace: "elsewhere"}})},
	{"create with a bad finalizer", 422, create(configMaps, configMap("f", "bad"))},
	{"create what is being deleted", 201, create(configMaps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dying", Generation: 9, UID: "mine",
		DeletionTimestamp: ptr.To(metav1.Now()), DeletionGracePeriodSeconds: ptr.To[int64](5)}})},
	{"get what isn't there", 404, func(c *court) outcome {
		_, err := configMaps(c).Get(c.Context(), "none", metav1.GetOptions{})
		result := outcome{Code: c.code}
		result.refused(err)
		return result
	}},
	{"update", 200, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.Data["a"] = "3" })},
	{"update nothing", 200, edit(configMaps, "m", same[*corev1.ConfigMap])},
	{"update an old version", 409, edit(configMaps, "m", stale[*corev1.ConfigMap])},
	{"update no particular version", 200, edit(configMaps, "m", all(relabel[*corev1.ConfigMap], unversion))},
	{"update nothing of no particular version", 200, edit(configMaps, "m", unversion[*corev1.ConfigMap])},
	{"update another object", 409, edit(configMaps, "m", exchange[*corev1.ConfigMap])},
	{"update no particular object", 200, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.UID, o.Data["a"] = "", "4" })},
	{"update the generation and the time of creation", 200, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.Generation, o.CreationTimestamp = 5, metav1.Time{} })},
	{"update the grace of what lives", 422, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.DeletionGracePeriodSeconds = ptr.To[int64](5) })},
	{"update the time of deletion of what lives", 422, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.DeletionTimestamp = ptr.To(metav1.Now()) })},
	{"update to a bad label", 422, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.Labels["a"] = "no spaces" })},
	{"update to a bad annotation", 422, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.Annotations = map[string]string{"no spaces": ""} })},
	{"update to a bad finalizer", 422, edit(configMaps, "m", func(o *corev1.ConfigMap) { o.Finalizers = []string{"bad"} })},
	{"update to finalizers that exclude each other", 422, edit(configMaps, "m", func(o *corev1.ConfigMap) {
		o.Finalizers = []string{metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents}
	})},
	{"update to a bad owner", 422, edit(configMaps, "m", func(o *corev1.ConfigMap) {
		o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "a", UID: "a", Controller: ptr.To(true)}, {APIVersion: "v1", Kind: "Node", Name: "b", UID: "b", Controller: ptr.To(true)}}
	})},
	{"update what isn't there", 404, func(c *court) outcome {
		return attempt(c, configMaps(c), "none", func(*corev1.ConfigMap) (*corev1.ConfigMap, error) {
			return configMaps(c).Update(c.Context(), configMap("none"), metav1.UpdateOptions{})
		})
	}},
	{"create what is never to change", 201, create(configMaps, &corev1.ConfigMap{ObjectMeta: named("fixed"), Immutable: ptr.To(true), Data: map[string]string{"a": "1"}})},
	{"change it", 422, edit(configMaps, "fixed", func(o *corev1.ConfigMap) { o.Data["a"] = "2" })},
	{"label it", 200, edit(configMaps, "fixed", relabel[*corev1.ConfigMap])},
}

var ofPatches = []operation{
	{"merge", 200, patch(configMaps, "m", byMerge, `{"metadata":{"labels":{"x":"y"}},"data":{"a":null,"c":"5"}}`)},
	{"merge nothing", 200, patch(configMaps, "m", byMerge, `{"data":{"c":"5","none":null}}`)},
	{"merge what has no field", 200, patch(configMaps, "m", byMerge, `{"nothing":{"c":"5"}}`)},
	{"merge with an old version", 409, patch(configMaps, "m", byMerge, `{"metadata":{"resourceVersion":"1"},"data":{"c":"6"}}`)},
	{"merge with another UID", 422, patch(configMaps, "m", byMerge, `{"metadata":{"uid":"00000000-0000-4000-8000-00000000000f"},"data":{"c":"6"}}`)},
	{"merge another name", 400, patch(configMaps, "m", byMerge, `{"metadata":{"name":"other"}}`)},
	{"merge another namespace", 400, patch(configMaps, "m", byMerge, `{"metadata":{"namespace":"other"}}`)},
	{"merge the wrong type", 422, patch(configMaps, "m", byMerge, `{"data":{"c":6}}`)},
	{"merge no JSON", 400, patch(configMaps, "m", byMerge, `{"data":`)},
	{"merge into what isn't there", 404, patch(configMaps, "none", byMerge, `{}`)},
	{"merge with no such patch", 415, patch(configMaps, "m", "application/none", `{}`)},
	{"rewrite", 200, patch(configMaps, "m", byJSON, `[{"op":"test","path":"/data/c","value":"5"},{"op":"replace","path":"/data/c","value":"7"},{"op":"add","path":"/data/d","value":"8"}]`)},
	{"rewrite what is another", 422, patch(configMaps, "m", byJSON, `[{"op":"test","path":"/data/c","value":"5"},{"op":"replace","path":"/data/c","value":"9"}]`)},
	{"rewrite what isn't there", 422, patch(configMaps, "m", byJSON, `[{"op":"remove","path":"/data/none"}]`)},
	{"rewrite by no list", 400, patch(configMaps, "m", byJSON, `{}`)},
	{"merge strategically", 200, patch(configMaps, "m", byStrategic, `{"data":{"d":null,"e":"9"}}`)},
	{"merge strategically with an old version", 409, patch(configMaps, "m", byStrategic, `{"metadata":{"resourceVersion":"1"},"data":{"c":"6"}}`)},
}

var ofDeletion = []operation{
	{"delete another object", 409, remove(configMaps, "m", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("other")})},
	{"delete an old version", 409, remove(configMaps, "m", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: ptr.To("1")}})},
	{"delete by no such policy", 422, remove(configMaps, "m", how("None"))},
	{"delete what isn't there", 404, remove(configMaps, "none", metav1.DeleteOptions{})},
	{"delete", 200, remove(configMaps, "m", metav1.DeleteOptions{})},
	{"create with a finalizer", 201, create(configMaps, configMap("held", held))},
	{"delete what is held", 200, remove(configMaps, "held", metav1.DeleteOptions{})},
	{"delete it again", 200, remove(configMaps, "held", metav1.DeleteOptions{})},
	{"delete it at once", 200, remove(configMaps, "held", within(0))},
	{"label it", 200, edit(configMaps, "held", relabel[*corev1.ConfigMap])},
	{"hold it more", 422, edit(configMaps, "held", func(o *corev1.ConfigMap) { o.Finalizers = append(o.Finalizers, "example.com/other") })},
	{"have it live", 200, edit(configMaps, "held", func(o *corev1.ConfigMap) { o.DeletionTimestamp, o.DeletionGracePeriodSeconds = nil, nil })},
	{"let it go, changed", 200, edit(configMaps, "held", all(unhold[*corev1.ConfigMap], func(o *corev1.ConfigMap) { o.Data["a"] = "late" }))},
	{"create again what was deleted", 201, create(configMaps, configMap("held", held))},
	{"delete it in the background", 200, remove(configMaps, "held", how(metav1.DeletePropagationBackground))},
	{"let it go by a patch", 200, patch(configMaps, "held", byMerge, `{"metadata":{"finalizers":null}}`)},
	{"create for the garbage collector", 201, create(configMaps, configMap("gc-foreground", held))},
	{"delete it in the foreground", 200, remove(configMaps, "gc-foreground", how(metav1.DeletePropagationForeground))},
	{"create another for it", 201, create(configMaps, configMap("gc-orphan", held))},
	{"delete it without its dependents", 200, remove(configMaps, "gc-orphan", how(metav1.DeletePropagationOrphan))},
	{"create one that says itself how to be deleted", 201, create(configMaps, configMap("gc-self", held, metav1.FinalizerDeleteDependents))},
	{"delete it in the background", 200, remove(configMaps, "gc-self", how(metav1.DeletePropagationBackground))},
}

var ofPods = []operation{
	{"create a pod", 201, create(pods, pod("p", ""))},
	{"update its status through the pod", 200, edit(pods, "p", func(o *corev1.Pod) { o.Status.Message = "ignored" })},
	{"update its status", 200, putStatus(pods, "p", func(o *corev1.Pod) { o.Status.Message = "seen" })},
	{"update nothing of its status", 200, putStatus(pods, "p", same[*corev1.Pod])},
	{"update an old version's status", 409, putStatus(pods, "p", stale[*corev1.Pod])},
	{"update its spec through the status", 200, putStatus(pods, "p", func(o *corev1.Pod) { o.Spec.Containers[0].Image, o.Status.Message = "other", "more" })},
	{"label it through the status", 200, putStatus(pods, "p", all(relabel[*corev1.Pod], func(o *corev1.Pod) { o.Annotations = map[string]string{"a": "b"} }))},
	{"own it through the status", 200, putStatus(pods, "p", func(o *corev1.Pod) {
		o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "n", UID: "u"}}
	})},
	{"hold it through the status", 200, putStatus(pods, "p", hold[*corev1.Pod])},
	{"patch its status", 200, patch(pods, "p", byStrategic, `{"status":{"message":"patched","conditions":[{"type":"Ready","status":"False"}]},"spec":{"nodeName":"n"}}`, "status")},
	{"let it be", 200, edit(pods, "p", unhold[*corev1.Pod])},
	{"change its image", 200, edit(pods, "p", func(o *corev1.Pod) { o.Spec.Containers[0].Image = "example/app:2" })},
	{"change its node", 422, edit(pods, "p", func(o *corev1.Pod) { o.Spec.NodeName = "nowhere" })},
	{"change how it restarts", 422, patch(pods, "p", byMerge, `{"spec":{"restartPolicy":"Never"}}`)},
	{"delete what no node has", 200, remove(pods, "p", metav1.DeleteOptions{})},
	{"create one on a node", 201, create(pods, pod("bound", "nowhere"))},
	{"delete it", 200, remove(pods, "bound", metav1.DeleteOptions{})},
	{"delete it again", 200, remove(pods, "bound", metav1.DeleteOptions{})},
	{"delete it later", 200, remove(pods, "bound", within(100))},
	{"delete it sooner", 200, remove(pods, "bound", within(5))},
	{"label it", 200, edit(pods, "bound", relabel[*corev1.Pod])},
	{"hold it", 422, edit(pods, "bound", hold[*corev1.Pod])},
	{"delete it by force", 200, remove(pods, "bound", within(0))},
	{"create one that is held", 201, create(pods, pod("stuck", "nowhere", held))},
	{"delete it", 200, remove(pods, "stuck", metav1.DeleteOptions{})},
	{"let it go, but its node", 200, edit(pods, "stuck", unhold[*corev1.Pod])},
	{"delete it as its node does", 200, remove(pods, "stuck", within(0))},
	{"create another that is held", 201, create(pods, pod("held", "nowhere", held))},
	{"delete it in a second at least", 200, remove(pods, "held", within(-1))},
	{"delete it by force", 200, remove(pods, "held", within(0))},
	{"let it go", 200, edit(pods, "held", unhold[*corev1.Pod])},
	{"create one that is to end", 201, create(pods, pod("ended", "nowhere"))},
	{"end it", 200, putStatus(pods, "ended", func(o *corev1.Pod) { o.Status.Phase = corev1.PodSucceeded })},
	{"delete what has ended", 200, remove(pods, "ended", metav1.DeleteOptions{})},
	{"create one that no node has and that is held", 201, create(pods, pod("early", "", held))},
	{"delete it", 200, remove(pods, "early", metav1.DeleteOptions{})},
	{"let it go", 200, edit(pods, "early", unhold[*corev1.Pod])},
	{"create one with dependents", 201, create(pods, pod("gc-pod", "nowhere", held))},
	{"delete it in the foreground", 200, remove(pods, "gc-pod", how(metav1.DeletePropagationForeground))},
}

var ofServices = []operation{
	{"create a Service", 201, create(services, service("s"))},
	{"create one by a bad name", 422, create(services, service("s.dotted"))},
	{"change what it selects", 200, edit(services, "s", func(o *corev1.Service) { o.Spec.Selector = map[string]string{"c": "d"} })},
	{"update nothing", 200, edit(services, "s", same[*corev1.Service])},
	{"update without what was given", 200, edit(services, "s", func(o *corev1.Service) { o.Spec.ClusterIP, o.Spec.ClusterIPs = "", nil })},
	{"change its address", 422, edit(services, "s", func(o *corev1.Service) { o.Spec.ClusterIP, o.Spec.ClusterIPs = "None", nil })},
	{"have it have node ports", 200, patch(services, "s", byMerge, `{"spec":{"type":"NodePort"}}`)},
	{"replace its ports", 200, patch(services, "s", byMerge, `{"spec":{"ports":[{"name":"web","port":80},{"name":"more","port":81,"protocol":"UDP","targetPort":"x"}]}}`)},
	{"have it have none", 200, patch(services, "s", byMerge, `{"spec":{"type":"ClusterIP"}}`)},
	{"publish those that aren't ready", 200, patch(services, "s", byMerge, `{"spec":{"publishNotReadyAddresses":true}}`)},
	{"merge into another and an old one", 409, patch(services, "s", byMerge, `{"metadata":{"uid":"00000000-0000-4000-8000-00000000000f","resourceVersion":"1"}}`)},
	{"tell of a condition", 200, putStatus(services, "s", func(o *corev1.Service) {
		relabel(o)
		o.Spec.PublishNotReadyAddresses = false
		o.Status.Conditions = []metav1.Condition{{Type: "Tested", Status: metav1.ConditionTrue, Reason: "Test", LastTransitionTime: metav1.Now()}}
	})},
	{"delete it", 200, remove(services, "s", metav1.DeleteOptions{})},
	{"create a headless one", 201, create(services, &corev1.Service{ObjectMeta: named("headless"), Spec: corev1.ServiceSpec{ClusterIP: "None", Selector: map[string]string{"a": "b"}, PublishNotReadyAddresses: true,
		Ports: []corev1.ServicePort{{Name: "web", Port: 80}}}})},
	{"create one with node ports", 201, create(services, &corev1.Service{ObjectMeta: named("ports"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Selector: map[string]string{"a": "b"}, Ports: []corev1.ServicePort{{Port: 80}}}})},
}

var ofClaims = []operation{
	{"create a claim", 201, create(claims, claim("c"))},
	{"create one that is held", 201, create(claims, claim("gc-held", held))},
	{"change its class", 422, patch(claims, "c", byMerge, `{"spec":{"storageClassName":"other"}}`)},
	{"change its modes", 422, edit(claims, "c", func(o *corev1.PersistentVolumeClaim) {
		o.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	})},
	{"label it", 200, edit(claims, "c", relabel[*corev1.PersistentVolumeClaim])},
	{"label it through the status", 200, putStatus(claims, "c", func(o *corev1.PersistentVolumeClaim) { o.Labels["more"] = "yes" })},
	{"own it", 200, edit(claims, "c", func(o *corev1.PersistentVolumeClaim) {
		o.OwnerReferences = nil
		o.Annotations = map[string]string{"a": "b"}
	})},
	{"delete what is protected", 200, remove(claims, "gc-held", metav1.DeleteOptions{})},
}

var ofSets = []operation{
	{"create a StatefulSet", 201, create(sets, set("s"))},
	{"create one that doesn't select its pods", 422, create(sets, func() *appsv1.StatefulSet {
		o := set("other")
		o.Spec.Selector.MatchLabels["more"] = "yes"
		return o
	}())},
	{"update nothing", 200, edit(sets, "s", same[*appsv1.StatefulSet])},
	{"update nothing but what has defaults", 200, edit(sets, "s", func(o *appsv1.StatefulSet) {
		o.Spec.RevisionHistoryLimit, o.Spec.PersistentVolumeClaimRetentionPolicy, o.Spec.Template.Spec.DNSPolicy = nil, nil, ""
		o.Spec.Template.Spec.Containers[0].TerminationMessagePath = ""
	})},
	{"label it", 200, edit(sets, "s", relabel[*appsv1.StatefulSet])},
	{"merge with its UID wrong", 422, patch(sets, "s", byMerge, `{"metadata":{"uid":"00000000-0000-4000-8000-00000000000f"},"spec":{"minReadySeconds":9}}`)},
	{"merge with its version wrong", 409, patch(sets, "s", byMerge, `{"metadata":{"resourceVersion":"1"},"spec":{"minReadySeconds":9}}`)},
	{"change its spec", 200, patch(sets, "s", byMerge, `{"spec":{"minReadySeconds":3}}`)},
	{"change how it updates", 200, patch(sets, "s", byMerge, `{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`)},
	{"change its template", 200, patch(sets, "s", byMerge, `{"spec":{"template":{"metadata":{"annotations":{"a":"b"}},"spec":{"terminationGracePeriodSeconds":null,"containers":[{"name":"app","image":"example/app:2"}]}}}}`)},
	{"change its template strategically", 200, patch(sets, "s", byStrategic, `{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"b"}]}]}}}}`)},
	{"change its service", 422, patch(sets, "s", byMerge, `{"spec":{"serviceName":"other"}}`)},
	{"change what it selects", 422, patch(sets, "s", byMerge, `{"spec":{"selector":{"matchLabels":{"set":"s","more":"yes"}},"template":{"metadata":{"labels":{"more":"yes"}}}}}`)},
	{"have it not select its pods", 422, patch(sets, "s", byMerge, `{"spec":{"template":{"metadata":{"labels":{"set":null}}}}}`)},
	{"change its order", 422, patch(sets, "s", byMerge, `{"spec":{"podManagementPolicy":"Parallel"}}`)},
	{"change its claims", 422, edit(sets, "s", func(o *appsv1.StatefulSet) { o.Spec.VolumeClaimTemplates = nil })},
	{"change what becomes of its claims", 200, patch(sets, "s", byMerge, `{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}}`)},
	{"change its spec through the status", 200, putStatus(sets, "s", func(o *appsv1.StatefulSet) { o.Spec.MinReadySeconds = 7; o.Labels["status"] = "yes" })},
	{"change its status through the set", 200, edit(sets, "s", func(o *appsv1.StatefulSet) { o.Status.Replicas = 7 })},
	{"have it restart", 200, patch(sets, "s", byMerge, `{"spec":{"template":{"metadata":{"annotations":{"a":null,"restarted":"now"}}}}}`)},
	{"scale it", 200, scaleSet("s", 1)},
	{"scale it back", 200, scaleSet("s", 0)},
	{"delete it", 200, remove(sets, "s", metav1.DeleteOptions{})},
	{"create one that is held", 201, create(sets, set("gc-background", held))},
	{"delete it in the background", 200, remove(sets, "gc-background", how(metav1.DeletePropagationBackground))},
	{"create another", 201, create(sets, set("gc-foreground", held))},
	{"delete it in the foreground", 200, remove(sets, "gc-foreground", how(metav1.DeletePropagationForeground))},
	{"create a third", 201, create(sets, set("gc-orphan", held))},
	{"delete it without its pods", 200, remove(sets, "gc-orphan", how(metav1.DeletePropagationOrphan))},
	{"create a revision", 201, create(revisions, revision("r"))},
	{"count it", 200, patch(revisions, "r", byMerge, `{"revision":2}`)},
	{"change what it has", 422, patch(revisions, "r", byMerge, `{"data":{"a":2}}`)},
}

func scaleSet(name string, replicas int32) func(*court) outcome {
	return func(c *court) outcome {
		return attempt(c, client[*appsv1.StatefulSet](sets(c)), name, func(*appsv1.StatefulSet) (*appsv1.StatefulSet, error) {
			scale, err := c.kube.AppsV1().StatefulSets(c.space).GetScale(c.Context(), name, metav1.GetOptions{})
			if err != nil {
				return nil, err
			}
			// The real controller writes the status at any time.
			scale.Spec.Replicas, scale.ResourceVersion = replicas, ""
			scale, err = c.kube.AppsV1().StatefulSets(c.space).UpdateScale(c.Context(), name, scale, metav1.UpdateOptions{})
			if err != nil {
				return nil, err
			}
			return &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: scale.Name, UID: scale.UID, ResourceVersion: scale.ResourceVersion}, Spec: appsv1.StatefulSetSpec{Replicas: &scale.Spec.Replicas}}, nil
		})
	}
}

var ofClusters = []operation{
	{"create an app", 201, create(apps, app("app"))},
	{"change it", 200, patch(apps, "app", byMerge, `{"spec":{"version":"2"}}`)},
	{"create a cluster", 201, create(clusters, cluster("c"))},
	{"update nothing", 200, edit(clusters, "c", same[*v1alpha1.KubeDirectorCluster])},
	{"annotate it", 200, patch(clusters, "c", byMerge, `{"metadata":{"annotations":{"a":"b"}}}`)},
	{"hold it", 200, edit(clusters, "c", hold[*v1alpha1.KubeDirectorCluster])},
	{"change its spec", 200, edit(clusters, "c", func(o *v1alpha1.KubeDirectorCluster) { o.Spec.Roles[0].Members = ptr.To[int32](3) })},
	{"change its spec and its status", 200, edit(clusters, "c", func(o *v1alpha1.KubeDirectorCluster) {
		o.Spec.Roles[0].Members, o.Status.State = ptr.To[int32](2), v1alpha1.ClusterReady
	})},
	{"update no particular version", 422, edit(clusters, "c", all(relabel[*v1alpha1.KubeDirectorCluster], unversion))},
	{"update an old version", 409, edit(clusters, "c", all(relabel[*v1alpha1.KubeDirectorCluster], stale))},
	{"update another cluster", 409, edit(clusters, "c", all(relabel[*v1alpha1.KubeDirectorCluster], exchange))},
	{"merge into another cluster", 422, patch(clusters, "c", byMerge, `{"metadata":{"uid":"00000000-0000-4000-8000-00000000000f","annotations":{"a":"c"}}}`)},
	{"merge into an old version", 409, patch(clusters, "c", byMerge, `{"metadata":{"resourceVersion":"1","annotations":{"a":"c"}}}`)},
	{"update its status", 200, putStatus(clusters, "c", func(o *v1alpha1.KubeDirectorCluster) { o.Status.State = v1alpha1.ClusterReady })},
	{"update nothing of its status", 200, putStatus(clusters, "c", same[*v1alpha1.KubeDirectorCluster])},
	{"update an old status", 409, putStatus(clusters, "c", stale[*v1alpha1.KubeDirectorCluster])},
	{"update no particular version's status", 422, putStatus(clusters, "c", unversion[*v1alpha1.KubeDirectorCluster])},
	{"update all but its status through the status", 200, putStatus(clusters, "c", func(o *v1alpha1.KubeDirectorCluster) {
		relabel(o)
		unhold(o)
		o.Annotations, o.Spec.App = nil, "other"
	})},
	{"merge its status", 200, patch(clusters, "c", byMerge, `{"status":{"state":"resizing","membership":"1/2"},"spec":{"app":"other"}}`, "status")},
	{"merge its status through the cluster", 200, patch(clusters, "c", byMerge, `{"status":{"state":"ready"}}`)},
	{"rewrite its status", 200, patch(clusters, "c", byJSON, `[{"op":"replace","path":"/status/state","value":"ready"}]`, "status")},
	{"rewrite it", 200, patch(clusters, "c", byJSON, `[{"op":"add","path":"/spec/suspend","value":true}]`)},
	{"merge strategically", 415, patch(clusters, "c", byStrategic, `{"spec":{"suspend":false}}`)},
	{"scale it", 200, patchScale("c", `{"spec":{"replicas":5}}`)},
	{"scale an old version of it", 409, patchScale("c", `{"metadata":{"resourceVersion":"1"},"spec":{"replicas":6}}`)},
	{"leave its scale", 200, patchScale("c", `{"spec":{"replicas":5}}`)},
	{"scale what isn't there", 404, patchScale("none", `{"spec":{"replicas":5}}`)},
	{"delete it", 200, remove(clusters, "c", metav1.DeleteOptions{})},
	{"delete it again", 200, remove(clusters, "c", metav1.DeleteOptions{})},
	{"change what is being deleted", 200, edit(clusters, "c", func(o *v1alpha1.KubeDirectorCluster) { o.Spec.Roles[0].Members = ptr.To[int32](3) })},
	{"hold it more", 422, patch(clusters, "c", byMerge, `{"metadata":{"finalizers":["example.com/held","example.com/more"]}}`)},
	{"update the status of what is being deleted", 200, putStatus(clusters, "c", func(o *v1alpha1.KubeDirectorCluster) { o.Status.State = v1alpha1.ClusterDeleting })},
	{"let it go", 200, edit(clusters, "c", unhold[*v1alpha1.KubeDirectorCluster])},
	{"create another", 201, create(clusters, cluster("other"))},
	{"delete it", 200, remove(clusters, "other", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{}})},
}

// patchScale is a merge patch of the subresource scale, answered with a Scale.
func patchScale(name, body string) func(*court) outcome {
	return func(c *court) outcome {
		return attempt(c, client[*v1alpha1.KubeDirectorCluster](clusters(c)), name, func(*v1alpha1.KubeDirectorCluster) (*v1alpha1.KubeDirectorCluster, error) {
			text, err := c.kubeDirector.KubedirectorV1alpha1().RESTClient().Patch(byMerge).Namespace(c.space).Resource("kubedirectorclusters").Name(name).SubResource("scale").
				Body([]byte(body)).Do(c.Context()).Raw()
			if err != nil {
				return nil, err
			}
			return asCluster(text)
		})
	}
}

var ofOthers = []operation{
	{"update a lease that isn't there", 201, func(c *court) outcome {
		return attempt(c, leases(c), "l", func(*coordinationv1.Lease) (*coordinationv1.Lease, error) {
			return leases(c).Update(c.Context(), &coordinationv1.Lease{ObjectMeta: named("l")}, metav1.UpdateOptions{})
		})
	}},
	{"hold it", 200, edit(leases, "l", func(o *coordinationv1.Lease) { o.Spec.HolderIdentity = ptr.To("me") })},
	{"hold an old one", 409, edit(leases, "l", func(o *coordinationv1.Lease) { o.Spec.HolderIdentity, o.ResourceVersion = ptr.To("you"), "1" })},
	{"hold it whatever it is", 422, edit(leases, "l", func(o *coordinationv1.Lease) { o.Spec.HolderIdentity, o.ResourceVersion = ptr.To("you"), "" })},
}

func event(name, uid, kind string) *corev1.Event {
	return &corev1.Event{ObjectMeta: named(name), InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "p", UID: types.UID(uid)}, Type: kind, Reason: "Test"}
}

// addEvent is done in the namespace of the object that the event is of.
func addEvent(name, uid, kind string) func(*court) outcome {
	return func(c *court) outcome {
		o := event(name, uid, kind)
		o.InvolvedObject.Namespace = c.space
		_, err := c.kube.CoreV1().Events(c.space).Create(c.Context(), o, metav1.CreateOptions{})
		result := outcome{Code: c.code}
		result.refused(err)
		return result
	}
}

func listConfigMaps(c *court, options metav1.ListOptions) (runtime.Object, error) {
	return c.kube.CoreV1().ConfigMaps(c.space).List(c.Context(), options)
}

func listEvents(c *court, options metav1.ListOptions) (runtime.Object, error) {
	return c.kube.CoreV1().Events(c.space).List(c.Context(), options)
}

func listPods(c *court, options metav1.ListOptions) (runtime.Object, error) {
	return c.kube.CoreV1().Pods(c.space).List(c.Context(), options)
}

func listClusters(c *court, options metav1.ListOptions) (runtime.Object, error) {
	return c.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(c.space).List(c.Context(), options)
}

var ofLists = []operation{
	{"create x", 201, create(configMaps, configMap("x"))},
	{"create y", 201, create(configMaps, configMap("y"))},
	{"create z", 201, create(configMaps, configMap("z", held))},
	{"list by a label", 200, listed(listConfigMaps, metav1.ListOptions{LabelSelector: "name=x"})},
	{"list by a set of labels", 200, listed(listConfigMaps, metav1.ListOptions{LabelSelector: "name in (x,y)"})},
	{"list by the lack of a label", 200, listed(listConfigMaps, metav1.ListOptions{LabelSelector: "tier=test,name notin (x),!changed"})},
	{"list by a bad selector", 400, listed(listConfigMaps, metav1.ListOptions{LabelSelector: "name in x"})},
	{"list by a name", 200, listed(listConfigMaps, metav1.ListOptions{FieldSelector: "metadata.name=y"})},
	{"list by all but a name", 200, listed(listConfigMaps, metav1.ListOptions{FieldSelector: "metadata.name!=y", LabelSelector: "tier=test"})},
	{"list by an unknown field", 400, listed(listConfigMaps, metav1.ListOptions{FieldSelector: "data.a=1"})},
	{"tell of u", 201, addEvent("e1", "u", "Warning")},
	{"tell of v", 201, addEvent("e2", "v", "Warning")},
	{"tell of u again", 201, addEvent("e3", "u", "Normal")},
	{"list events of an object", 200, listed(listEvents, metav1.ListOptions{FieldSelector: "involvedObject.uid=u"})},
	{"list warnings of an object", 200, listed(listEvents, metav1.ListOptions{FieldSelector: "involvedObject.uid=u,type=Warning,involvedObject.kind=Pod"})},
	{"create a pod somewhere", 201, create(pods, pod("somewhere", "nowhere"))},
	{"list pods of a node", 200, listed(listPods, metav1.ListOptions{FieldSelector: "spec.nodeName=nowhere,status.phase=Pending,metadata.name!=gc-pod"})},
	{"list clusters by an unknown field", 400, listed(listClusters, metav1.ListOptions{FieldSelector: "spec.app=app"})},
	{"list clusters by a name", 200, listed(listClusters, metav1.ListOptions{FieldSelector: "metadata.name=none"})},
	{"delete all of a label", 200, func(c *court) outcome {
		err := c.kube.CoreV1().ConfigMaps(c.space).DeleteCollection(c.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "tier=test,name in (x,z)"})
		result := outcome{Code: c.code}
		result.refused(err)
		return result
	}},
	{"list what is left", 200, listed(listConfigMaps, metav1.ListOptions{LabelSelector: "name in (x,y,z)"})},
	{"let z go", 200, edit(configMaps, "z", unhold[*corev1.ConfigMap])},
}

var ofNamespaces = []operation{
	{"create a namespace", 201, inOther(func(c *court) outcome {
		return create(namespaces, &corev1.Namespace{ObjectMeta: named(c.space)})(c)
	})},
	{"create something to hold it", 201, inOther(create(configMaps, configMap("m", held)))},
	{"delete the namespace", 200, inOther(func(c *court) outcome { return remove(namespaces, c.space, metav1.DeleteOptions{})(c) })},
	{"create in what is being deleted", 403, inOther(create(configMaps, configMap("late")))},
	{"create a cluster in it", 403, inOther(create(clusters, cluster("late")))},
	{"create what is there in it", 403, inOther(create(configMaps, configMap("m")))},
	{"update what is in it", 200, inOther(edit(configMaps, "m", func(o *corev1.ConfigMap) { o.Data["a"] = "late" }))},
}

// inOther does something in another namespace.
func inOther(do func(*court) outcome) func(*court) outcome {
	return func(c *court) outcome {
		c.space += "-other"
		defer func() { c.space = strings.TrimSuffix(c.space, "-other") }()
		return do(c)
	}
}

// asCluster is what a Scale says of a cluster.
func asCluster(text []byte) (*v1alpha1.KubeDirectorCluster, error) {
	var scale autoscalingv1.Scale
	if err := json.Unmarshal(text, &scale); err != nil {
		return nil, err
	}
	return &v1alpha1.KubeDirectorCluster{ObjectMeta: metav1.ObjectMeta{Name: scale.Name, UID: scale.UID, ResourceVersion: scale.ResourceVersion},
		Spec: v1alpha1.KubeDirectorClusterSpec{Elastic: &v1alpha1.Elastic{Members: scale.Spec.Replicas}}}, nil
}

// namesOf are the names of what a list has.
func namesOf(list runtime.Object) []string {
	objects, err := meta.ExtractList(list)
	if err != nil {
		return []string{err.Error()}
	}
	names := []string{}
	for _, o := range objects {
		names = append(names, o.(Object).GetName())
	}
	return names
}
