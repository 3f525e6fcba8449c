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
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// testLabel is on the namespaces of these tests.
const testLabel = "kubedirector-test"

// fixture is a test's namespace, and what its user does there.
type fixture struct {
	*testing.T
	namespace string
}

// newFixture makes a namespace that goes, and is gone, with the test. Labels
// are pairs of key and value for the namespace.
func newFixture(t *testing.T, name string, labels ...string) *fixture {
	t.Helper()
	if err := subject.checkAlive(); err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "kdtest-" + name + "-", Labels: map[string]string{testLabel: "real"}}}
	for i := 0; i < len(labels); i += 2 {
		namespace.Labels[labels[i]] = labels[i+1]
	}
	made, err := server.kube.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, namespace: made.Name}
	t.Cleanup(f.end)
	return f
}

// end shows what there is if the test has failed, has the controller take apart
// the clusters, and lets the namespace go, which takes Kubernetes a while longer.
func (f *fixture) end() {
	ctx := context.Background() // the test's own has ended
	if f.Failed() {
		f.show(ctx)
	}
	if err := removeClusters(ctx, f.namespace); err != nil {
		f.Error(err)
	}
	if err := server.kube.CoreV1().Namespaces().Delete(ctx, f.namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		f.Error(err)
	}
}

func (f *fixture) show(ctx context.Context) {
	clusters, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		f.Log(err)
		return
	}
	for i := range clusters.Items {
		f.Log(describe(&clusters.Items[i]))
	}
}

// removeClusters deletes what clusters there are in a namespace, and waits until they are gone.
func removeClusters(ctx context.Context, namespace string) error {
	clusters := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(namespace)
	if err := clusters.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return err
	}
	left := 0
	err := wait.PollUntilContextTimeout(ctx, interval, patience, true, func(ctx context.Context) (bool, error) {
		list, err := clusters.List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		left = len(list.Items)
		return left == 0, subject.checkAlive()
	})
	if err != nil {
		return fmt.Errorf("%d clusters of namespace %s are still there: %w", left, namespace, err)
	}
	return nil
}

// removeNamespaces removes the namespaces of these tests, and waits until they are gone.
func removeNamespaces(ctx context.Context) error {
	namespaces := server.kube.CoreV1().Namespaces()
	list, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: testLabel})
	if err != nil {
		return err
	}
	for _, namespace := range list.Items {
		if err := namespaces.Delete(ctx, namespace.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	var left []string
	err = wait.PollUntilContextTimeout(ctx, interval, patience, true, func(ctx context.Context) (bool, error) {
		list, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: testLabel})
		if err != nil {
			return false, err
		}
		left = nil
		for _, namespace := range list.Items {
			left = append(left, namespace.Name)
		}
		return len(left) == 0, subject.checkAlive()
	})
	if err != nil {
		return fmt.Errorf("namespaces %v are still there: %w", left, err)
	}
	return nil
}

// apply creates objects, or changes them to be as given, as kubectl apply --server-side does.
func (f *fixture) apply(objects ...runtime.Object) {
	f.Helper()
	for _, object := range objects {
		if err := server.apply(f.Context(), toUnstructured(f.T, object), f.namespace); err != nil {
			f.Fatal(err)
		}
	}
}

// applyFile applies a manifest of this repository.
func (f *fixture) applyFile(path string) {
	f.Helper()
	if err := server.applyManifests(f.Context(), root+"/"+path, f.namespace); err != nil {
		f.Fatal(err)
	}
}

// known are the kinds of Kubernetes and ours.
var known = func() *runtime.Scheme {
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(known); err != nil {
			panic(err)
		}
	}
	return known
}()

// toUnstructured is what a manifest of the object would hold: no status, and nothing that is empty only in Go.
func toUnstructured(t *testing.T, object runtime.Object) *unstructured.Unstructured {
	t.Helper()
	kinds, _, err := known.ObjectKinds(object)
	if err != nil {
		t.Fatal(err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	manifest := &unstructured.Unstructured{Object: content}
	manifest.SetGroupVersionKind(kinds[0])
	unstructured.RemoveNestedField(manifest.Object, "status")
	unstructured.RemoveNestedField(manifest.Object, "metadata", "creationTimestamp")
	manifest.SetManagedFields(nil)
	return manifest
}

// must ends the test if there is an error.
func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// get is the cluster as it stands.
func (f *fixture) get(name string) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	cluster, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Get(f.Context(), name, metav1.GetOptions{})
	if err != nil {
		f.Fatal(err)
	}
	return cluster
}

// deleteCluster asks for the deletion, as kubectl delete --wait=false does.
func (f *fixture) deleteCluster(name string) {
	f.Helper()
	background := metav1.DeletePropagationBackground
	err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Delete(f.Context(), name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil {
		f.Fatal(err)
	}
}

// eventually waits until look says that all is as wanted; its text says how things stand.
func (f *fixture) eventually(limit time.Duration, what string, look func(context.Context) (done bool, stands string)) {
	f.Helper()
	var stands string
	err := wait.PollUntilContextTimeout(f.Context(), interval, limit, true, func(ctx context.Context) (done bool, err error) {
		done, seen := look(ctx)
		if ctx.Err() == nil { // a look that the limit cut short saw nothing
			stands = seen
		}
		return done, subject.checkAlive()
	})
	if err != nil {
		f.Fatalf("%s: not within %s (%v); it stands so:\n%s", what, limit, err, stands)
	}
}

// until waits until a cluster is as wanted, and returns it so.
func (f *fixture) until(name, what string, wanted func(*v1alpha1.KubeDirectorCluster) bool) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	return f.within(patience, name, what, wanted)
}

func (f *fixture) within(limit time.Duration, name, what string, wanted func(*v1alpha1.KubeDirectorCluster) bool) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	var last *v1alpha1.KubeDirectorCluster
	f.eventually(limit, fmt.Sprintf("cluster %s: %s", name, what), func(ctx context.Context) (bool, string) {
		cluster, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		last = cluster
		return wanted(cluster), describe(cluster)
	})
	return last
}

// untilReady waits for what kubectl wait --for=condition=Ready waits for, of the newest spec.
func (f *fixture) untilReady(name string) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	return f.until(name, "Ready", isReady)
}

func isReady(cluster *v1alpha1.KubeDirectorCluster) bool {
	ready := condition(cluster, v1alpha1.ConditionReady)
	return ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == cluster.Generation
}

// untilAppValid waits until the controller has judged an app.
func (f *fixture) untilAppValid(name string) {
	f.Helper()
	f.eventually(patience, "app "+name+" is valid", func(ctx context.Context) (bool, string) {
		app, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps(f.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		return meta.IsStatusConditionTrue(app.Status.Conditions, v1alpha1.ConditionValid), fmt.Sprint(app.Status.Conditions)
	})
}

// condition is a condition of the cluster; the zero one if it has none of that type.
func condition(cluster *v1alpha1.KubeDirectorCluster, kind string) metav1.Condition {
	if found := meta.FindStatusCondition(cluster.Status.Conditions, kind); found != nil {
		return *found
	}
	return metav1.Condition{}
}

// describe is what a cluster says of itself.
func describe(cluster *v1alpha1.KubeDirectorCluster) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: state %q, members %q, generation %d, observed %d\n", cluster.Name, cluster.Status.State, cluster.Status.Membership, cluster.Generation, cluster.Status.ObservedGeneration)
	for _, c := range cluster.Status.Conditions {
		fmt.Fprintf(&text, "  %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
	for _, role := range cluster.Status.Roles {
		for _, m := range role.Members {
			fmt.Fprintf(&text, "  %s node %d %s %s\n", m.Pod, m.NodeID, m.State, m.Message)
		}
	}
	return text.String()
}
