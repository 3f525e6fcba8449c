//go:build api

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
	"context"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const kubeconfigVariable = "KUBEDIRECTOR_TEST_KUBECONFIG"

// TestConformance demands that the simulated server and a real one answer every
// operation alike, have the same objects afterwards, and tell watches the same.
func TestConformance(t *testing.T) {
	path := os.Getenv(kubeconfigVariable)
	if path == "" {
		t.Fatalf("%s is not set: name the kubeconfig of a cluster to compare with", kubeconfigVariable)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("%s: %v", kubeconfigVariable, err)
	}
	space := "conformance-" + strings.ToLower(time.Now().UTC().Format("150405"))
	real := newCourt(t, config, space)
	real.real = true
	t.Cleanup(func() { tidy(real) })
	answers, told := life(real)
	simulated, simulatedTold := life(newCourt(t, &rest.Config{Host: "http://sim", Transport: New()}, space))
	for i, o := range operations {
		if difference := differences(simulated[i], answers[i]); difference != "" {
			t.Errorf("operation %d, %s:%s", i, o.name, difference)
		}
	}
	for i := range max(len(told), len(simulatedTold)) {
		if got, want := at(simulatedTold, i), at(told, i); got != want {
			t.Errorf("watches, event %d, after which no more are compared:\n  simulated %s\n  real      %s", i, got, want)
			break
		}
	}
	t.Logf("%d operations, %d events", len(operations), len(told))
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// tidy removes the namespaces, and lets go what is held in them.
func tidy(c *court) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	for _, space := range []string{c.space, c.space + "-other"} {
		// What is gone already, or not held, is no error here.
		_ = c.kube.CoreV1().Namespaces().Delete(ctx, space, metav1.DeleteOptions{})
		free := []byte(`{"metadata":{"finalizers":null}}`)
		for _, name := range []string{"m", "z", "gc-foreground", "gc-orphan", "gc-self"} {
			_, _ = c.kube.CoreV1().ConfigMaps(space).Patch(ctx, name, byMerge, free, metav1.PatchOptions{})
		}
		for _, name := range []string{"gc-foreground", "gc-orphan", "gc-background"} {
			_, _ = c.kube.AppsV1().StatefulSets(space).Patch(ctx, name, byMerge, free, metav1.PatchOptions{})
		}
		_, _ = c.kube.CoreV1().Pods(space).Patch(ctx, "gc-pod", byMerge, free, metav1.PatchOptions{})
		_, _ = c.kube.CoreV1().PersistentVolumeClaims(space).Patch(ctx, "gc-held", byMerge, free, metav1.PatchOptions{})
	}
}
