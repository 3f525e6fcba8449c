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
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// TestOperations demands of the simulated server the codes in the table, which
// those of a real one are compared with where there is one.
func TestOperations(t *testing.T) {
	t.Parallel()
	outcomes, told := life(newCourt(t, &rest.Config{Host: "http://sim", Transport: New()}, "conformance"))
	for i, o := range operations {
		if outcomes[i].Code != o.code {
			t.Errorf("operation %d, %s: %d, want %d:\n%v", i, o.name, outcomes[i].Code, o.code, outcomes[i])
		}
	}
	if len(told) < 100 {
		t.Errorf("watches told only of %d events", len(told))
	}
}

// life does all operations in a namespace of their own, and says what watches told of them.
func life(c *court) ([]outcome, []string) {
	c.Helper()
	if _, err := c.kube.CoreV1().Namespaces().Create(c.Context(), &corev1.Namespace{ObjectMeta: named(c.space)}, metav1.CreateOptions{}); err != nil {
		c.Fatal(err)
	}
	c.inhabited()
	f := follow(c)
	outcomes := make([]outcome, len(operations))
	for i, o := range operations {
		outcomes[i] = o.do(c)
	}
	return outcomes, f.end()
}
