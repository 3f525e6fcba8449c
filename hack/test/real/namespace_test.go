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
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestNamespaceDeleted deletes a namespace with a cluster in it: neither is held up.
func TestNamespaceDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "gone")
	f.applyGoodApp()
	f.apply(newCluster("c", "testapp", storage("50Mi"), deletesVolumes))
	f.untilReady("c")
	f.must(server.kube.CoreV1().Namespaces().Delete(t.Context(), f.namespace, metav1.DeleteOptions{}))
	f.eventually(patience, "the namespace is gone", func(ctx context.Context) (bool, string) {
		namespace, err := server.kube.CoreV1().Namespaces().Get(ctx, f.namespace, metav1.GetOptions{})
		if err != nil {
			return apierrors.IsNotFound(err), err.Error()
		}
		var stands string
		for _, c := range namespace.Status.Conditions {
			stands += c.Message + "\n"
		}
		return false, stands
	})
}
