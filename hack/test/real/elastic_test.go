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
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestScaleSubresource resizes the elastic role as kubectl scale does. What the
// app's cardinality does not allow is brought within it, and said.
func TestScaleSubresource(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "elastic")
	app := crewApp(v1alpha1.EventDecommission)
	app.Spec.Roles[1].Cardinality = "1+"
	cluster := newCluster("c", "testapp", crew(0), elastic("worker", 1))
	cluster.Spec.Roles[1].Members = nil
	f.apply(packageMap("setup", startscript(t, recordingScript)), app, cluster)
	f.untilReady("c")
	f.wantScalingLimited("c", metav1.ConditionFalse, v1alpha1.ReasonWithinCardinality)

	begun := time.Now()
	f.scale("c", 3)
	f.untilReady("c")
	f.logSince(begun, "kubectl scale from 1 to 3, ready after")
	f.wantScale("c", 3, "c-worker-0", "c-worker-1", "c-worker-2")
	f.wantCalls("c-head-0", "--configure", f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1", "c-worker-2"))

	// A manifest that leaves the number out leaves it as it is.
	manifest := toUnstructured(t, cluster)
	unstructured.RemoveNestedField(manifest.Object, "spec", "elastic", "members")
	f.must(server.apply(t.Context(), manifest, f.namespace))
	if got := f.get("c").Spec.Elastic.Members; got != 3 {
		t.Errorf("applying the manifest again has made spec.elastic.members %d", got)
	}

	begun = time.Now()
	f.scale("c", 0)
	f.untilReady("c")
	f.logSince(begun, "kubectl scale from 3 to 0, of which 1 has to stay: ready after")
	f.wantScalingLimited("c", metav1.ConditionTrue, v1alpha1.ReasonTooFewMembers)
	f.wantScale("c", 1, "c-worker-0")
}

// TestElasticRoleOfOneSize scales a role whose number of members the app has fixed.
func TestElasticRoleOfOneSize(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "fixed")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(), newCluster("c", "testapp", crew(0), elastic("head", 1)))
	f.untilReady("c")
	f.scale("c", 3)
	f.untilReady("c")
	f.wantScalingLimited("c", metav1.ConditionTrue, v1alpha1.ReasonTooManyMembers)
	f.wantScale("c", 1, "c-head-0")
}

func elastic(role string, members int32) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.Elastic = &v1alpha1.Elastic{Role: role, Members: members}
	}
}

var (
	clusterResource = v1alpha1.SchemeGroupVersion.WithResource("kubedirectorclusters")
	metricResource  = schema.GroupVersionResource{Group: "external.metrics.k8s.io", Version: "v1beta1", Resource: metric}
	metricCRDs      = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// scale sets the number of members as kubectl scale does.
func (f *fixture) scale(cluster string, members int) {
	f.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, members)
	_, err := server.objects.Resource(clusterResource).Namespace(f.namespace).Patch(f.Context(), cluster, types.MergePatchType, patch, metav1.PatchOptions{}, "scale")
	f.must(err)
}

// wantScale compares what the scale subresource tells an autoscaler: how many
// members there are, and how their pods are found.
func (f *fixture) wantScale(cluster string, members int32, pods ...string) {
	f.Helper()
	object, err := server.objects.Resource(clusterResource).Namespace(f.namespace).Get(f.Context(), cluster, metav1.GetOptions{}, "scale")
	f.must(err)
	var scale autoscalingv1.Scale
	f.must(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &scale))
	list, err := server.kube.CoreV1().Pods(f.namespace).List(f.Context(), metav1.ListOptions{LabelSelector: scale.Status.Selector})
	f.must(err)
	var found []string
	for _, pod := range list.Items {
		found = append(found, pod.Name)
	}
	slices.Sort(found)
	if scale.Status.Replicas != members || !slices.Equal(found, pods) {
		f.Errorf("the scale subresource tells of %d members, want %d; its selector %q finds %v, want %v", scale.Status.Replicas, members, scale.Status.Selector, found, pods)
	}
}

func (f *fixture) wantScalingLimited(cluster string, status metav1.ConditionStatus, reason string) {
	f.Helper()
	limited := condition(f.get(cluster), v1alpha1.ConditionScalingLimited)
	if limited.Status != status || limited.Reason != reason {
		f.Errorf("ScalingLimited is %s, %s: %s; want %s, %s", limited.Status, limited.Reason, limited.Message, status, reason)
	}
}

// TestAutoscaler has Kubernetes' own HorizontalPodAutoscaler, which looks every
// 15 seconds, resize a cluster from 1 to 3 workers and back by a metric.
func TestAutoscaler(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "autoscaler")
	f.serveMetric()
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(v1alpha1.EventDecommission), newCluster("c", "testapp", crew(0), elastic("worker", 1)))
	f.untilReady("c")
	f.setLoad(30)
	f.apply(autoscaler("c", 10))
	f.untilScaledTo("c", 3)
	f.wantCalls("c-head-0", "--configure", f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1", "c-worker-2"))

	f.setLoad(10)
	f.untilScaledTo("c", 1)
	f.wantCalls("c-head-0", "--configure", f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1", "c-worker-2"), f.speaksOf(v1alpha1.EventDelNodes, "worker", "c-worker-1", "c-worker-2"))
	if left := f.mentioning("c", "c-worker-1", "c-worker-2"); len(left) > 0 {
		t.Errorf("of the members that left there is still %v", left)
	}
}

// metric is the name of the metric; a resource of that name serves it.
const metric = "kdtest-load"

// serveMetric has the API server itself answer the autoscaler's questions for
// the metric: what it asks the external metrics API for has the form of a list
// of custom resources. So no adapter needs to run.
func (f *fixture) serveMetric() {
	f.Helper()
	f.applyFile("hack/test/hpa/metric.yaml")
	f.Cleanup(func() {
		crds := server.objects.Resource(metricCRDs)
		if err := crds.Delete(context.Background(), metric+".external.metrics.k8s.io", metav1.DeleteOptions{}); err != nil {
			f.Error(err)
		}
	})
}

// setLoad sets the metric's value.
func (f *fixture) setLoad(value int) {
	f.Helper()
	load := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "external.metrics.k8s.io/v1beta1", "kind": "ExternalMetricValue", "metadata": map[string]any{"name": "load"},
		"metricName": metric, "metricLabels": map[string]any{}, "timestamp": time.Now().UTC().Format(time.RFC3339), "value": fmt.Sprint(value),
	}}
	f.eventually(patience, "the metric is served", func(ctx context.Context) (bool, string) {
		_, err := server.objects.Resource(metricResource).Namespace(f.namespace).Apply(ctx, "load", load, metav1.ApplyOptions{FieldManager: "kubedirector-test", Force: true})
		return err == nil, fmt.Sprint(err)
	})
}

// autoscaler gives a cluster one worker for each so many of the metric, from 1 to 3.
func autoscaler(cluster string, each int64) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: cluster},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "KubeDirectorCluster", Name: cluster},
			MinReplicas:    ptr.To[int32](1),
			MaxReplicas:    3,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
				Metric: autoscalingv2.MetricIdentifier{Name: metric},
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(each, resource.DecimalSI)},
			}}},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: ptr.To[int32](0)}},
		},
	}
}

// untilScaledTo waits until the autoscaler has decided, and the cluster is ready so.
func (f *fixture) untilScaledTo(cluster string, members int32) {
	f.Helper()
	f.eventually(patience, fmt.Sprintf("the autoscaler decides for %d members", members), func(ctx context.Context) (bool, string) {
		hpa, err := server.kube.AutoscalingV2().HorizontalPodAutoscalers(f.namespace).Get(ctx, cluster, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		now := f.get(cluster)
		return now.Spec.Elastic.Members == members, fmt.Sprint(hpa.Status.Conditions)
	})
	begun := time.Now()
	f.untilReady(cluster)
	f.logSince(begun, fmt.Sprintf("the autoscaler decided for %d members, ready after", members))
	f.eventually(patience, "the autoscaler sees it", func(ctx context.Context) (bool, string) {
		hpa, err := server.kube.AutoscalingV2().HorizontalPodAutoscalers(f.namespace).Get(ctx, cluster, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		return hpa.Status.CurrentReplicas == members, fmt.Sprint(hpa.Status)
	})
}
