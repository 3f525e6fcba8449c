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
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// takenApart is how long a cluster may take to go once nothing holds it up.
const takenApart = 15 * time.Second

// TestDeleteBounded deletes clusters whose scripts for event delete would hold
// them up, or cannot be called.
func TestDeleteBounded(t *testing.T) {
	t.Parallel()
	for _, deletion := range []struct {
		name string
		// deadline is the cluster's hookDeadlineSeconds, retries the app's.
		deadline, retries int32
		// before comes before the cluster, which is ready, is deleted.
		before func(*fixture)
		// failed says which attempts an Event tells of.
		failed string
		// least and most are how long it takes.
		least, most time.Duration
	}{
		{"a script that fails", 300, 1, func(f *fixture) { f.direct("c-node-0", v1alpha1.EventDelete, "exit", 7) }, "attempt 2", 0, takenApart},
		{"a script that fails for as long as it is tried", 6, 100, func(f *fixture) { f.direct("c-node-0", v1alpha1.EventDelete, "exit", 7) }, "attempt 2", 5 * time.Second, 6*time.Second + takenApart},
		{"a script that hangs", 6, 1, func(f *fixture) { f.direct("c-node-0", v1alpha1.EventDelete, "sleep", 600) }, "hookDeadlineSeconds", 5 * time.Second, 6*time.Second + takenApart},
		{"no time for scripts", 0, 1, func(f *fixture) { f.direct("c-node-0", v1alpha1.EventDelete, "sleep", 600) }, "hookDeadlineSeconds", 0, takenApart},
		{"neither app nor pin", 300, 1, (*fixture).removeAppAndPin, "", 0, takenApart},
		{"a pod that cannot start", 300, 1, func(f *fixture) {
			f.apply(quota("full", "0"))
			f.deletePod("c-node-0")
			f.until("c", "its pod is lost", func(cluster *v1alpha1.KubeDirectorCluster) bool {
				return memberOf(cluster, "c-node-0").State == v1alpha1.MemberLost
			})
		}, "", 0, takenApart},
	} {
		t.Run(deletion.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "end")
			app := directedApp("testapp", v1alpha1.EventDelete)
			hooks(60, deletion.retries, 1)(&app.Spec)
			f.apply(packageMap("setup", startscript(t, recordingScript)), app, newCluster("c", "testapp", func(cluster *v1alpha1.KubeDirectorClusterSpec) {
				cluster.DeletionPolicy = &v1alpha1.DeletionPolicy{HookDeadlineSeconds: ptr.To(deletion.deadline)}
			}))
			f.untilPodsReady("c")
			deletion.before(f)
			begun := time.Now()
			f.deleteCluster("c")
			f.untilGone("c")
			took := time.Since(begun)
			f.Logf("gone after %s", took.Round(time.Millisecond))
			if took < deletion.least || took > deletion.most {
				t.Errorf("gone after %s, want %s to %s", took, deletion.least, deletion.most)
			}
			if deletion.failed != "" {
				f.untilEvent("c", v1alpha1.ReasonScriptFailed, "delete", deletion.failed)
			}
		})
	}
}

// removeAppAndPin takes from the cluster all that tells what its app is.
func (f *fixture) removeAppAndPin() {
	f.Helper()
	f.must(server.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps(f.namespace).Delete(f.Context(), "testapp", metav1.DeleteOptions{}))
	f.must(server.kube.AppsV1().ControllerRevisions(f.namespace).DeleteCollection(f.Context(), metav1.DeleteOptions{},
		metav1.ListOptions{LabelSelector: names.LabelCluster + "=c," + names.LabelApp + "=testapp"}))
}

// TestDeleteWithNamespace deletes a namespace with a cluster in it whose script
// for event delete hangs, and whose volume stays otherwise: neither holds it up.
func TestDeleteWithNamespace(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "endns")
	f.applyDirected(v1alpha1.EventDelete)
	f.apply(newCluster("c", "testapp", storage("50Mi")))
	f.untilPodsReady("c")
	f.direct("c-node-0", v1alpha1.EventDelete, "sleep", 600)
	begun := time.Now()
	f.must(server.kube.CoreV1().Namespaces().Delete(t.Context(), f.namespace, metav1.DeleteOptions{}))
	f.eventually(patience, "the namespace is gone", func(ctx context.Context) (bool, string) {
		_, err := server.kube.CoreV1().Namespaces().Get(ctx, f.namespace, metav1.GetOptions{})
		if err != nil {
			return apierrors.IsNotFound(err), err.Error()
		}
		return false, "it is there"
	})
	f.Logf("gone after %s", time.Since(begun).Round(time.Millisecond))
}
