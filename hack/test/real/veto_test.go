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
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// TestVeto has a worker refuse to leave: it is kept and asked again, until its
// user wants it back after all, or no longer asks for its consent.
func TestVeto(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "veto")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(v1alpha1.EventDecommission), newCluster("c", "testapp", crew(2)))
	ready := f.untilReady("c")
	pod, others := f.pod("c-worker-1"), []string{"c-head-0", "c-worker-0"}
	id := memberOf(ready, pod.Name).NodeID

	f.annotate("c", names.AnnotationForceRemove, "3")
	f.untilWarned("c", names.AnnotationForceRemove, "c-worker-1", "3")
	f.annotate("c", names.AnnotationForceRemove, "")

	f.direct("c-worker-1", v1alpha1.EventDecommission, "exit", 3)
	f.apply(newCluster("c", "testapp", crew(1)))
	blocked := f.untilShown("c", v1alpha1.ConditionProgressing, v1alpha1.ReasonScaleDownBlocked,
		"c-worker-1", "decommission ends with 3, as asked", names.AnnotationForceRemove+"=3", "attempt 3")
	if m := memberOf(blocked, "c-worker-1"); blocked.Status.State != v1alpha1.ClusterResizing || m.State != v1alpha1.MemberLeaving {
		t.Errorf("the cluster is %q, the member that refuses is %q", blocked.Status.State, m.State)
	}
	if degraded := condition(blocked, v1alpha1.ConditionDegraded); degraded.Status == "True" {
		t.Errorf("a veto counts as failure: %s", degraded.Message)
	}
	f.wantSamePods(pod)
	gone := f.speaksOf(v1alpha1.EventDelNodes, "worker", "c-worker-1")
	for _, peer := range others {
		f.wantCalls(peer, "--configure", gone)
	}

	begun := time.Now()
	f.apply(newCluster("c", "testapp", crew(2)))
	back := f.untilReady("c")
	f.logSince(begun, "a scale-down called off, ready after")
	if now := memberOf(back, "c-worker-1"); now.NodeID != id || f.pod("c-worker-1").UID == pod.UID {
		t.Errorf("the member that may have been decommissioned has node ID %d, it had %d, and should have another pod", now.NodeID, id)
	}
	f.wantCalls("c-worker-1", "--configure")
	for _, peer := range others {
		f.wantCalls(peer, "--configure", gone, f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1"))
	}
	for _, member := range append(others, "c-worker-1") {
		if got := f.fqdnsOf(member, "worker"); !slices.Equal(got, []string{"c-worker-0", "c-worker-1"}) {
			t.Errorf("the metadata of %s names the workers %v", member, got)
		}
	}

	f.direct("c-worker-1", v1alpha1.EventDecommission, "exit", 3)
	f.apply(newCluster("c", "testapp", crew(1)))
	f.untilShown("c", v1alpha1.ConditionProgressing, v1alpha1.ReasonScaleDownBlocked)
	begun = time.Now()
	f.annotate("c", names.AnnotationForceRemove, "3")
	f.untilReady("c")
	f.logSince(begun, "removed by force, ready after")
	if left := f.mentioning("c", "c-worker-1"); len(left) > 0 {
		t.Errorf("of the member that was removed by force there is still %v", left)
	}
}

// TestFailedFarewell has the script fail by which a worker is to leave. The
// member stays until the script is mended.
func TestFailedFarewell(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "farewell")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(v1alpha1.EventDecommission), newCluster("c", "testapp", crew(2)))
	f.untilReady("c")
	pod := f.pod("c-worker-1")
	f.direct("c-worker-1", v1alpha1.EventDecommission, "exit", 5)
	f.apply(newCluster("c", "testapp", crew(1)))
	f.untilShown("c", v1alpha1.ConditionDegraded, v1alpha1.ReasonScriptFailed, "c-worker-1", "--decommission", "exit code 5", "attempt 2 of 2", names.AnnotationForceRemove+"=3")
	f.wantSamePods(pod)

	f.direct("c-worker-1", v1alpha1.EventDecommission, "exit", 0)
	f.annotate("c", names.AnnotationRetry, "mended")
	f.untilReady("c")
	if left := f.mentioning("c", "c-worker-1"); len(left) > 0 {
		t.Errorf("of the member that left there is still %v", left)
	}
}

// untilWarned waits for a Warning Event of a cluster that says all this.
func (f *fixture) untilWarned(cluster string, says ...string) {
	f.Helper()
	f.eventually(patience, "a warning to the user of cluster "+cluster, func(ctx context.Context) (bool, string) {
		list, err := server.kube.CoreV1().Events(f.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + cluster})
		if err != nil {
			return false, err.Error()
		}
		var stands []string
		for _, event := range list.Items {
			stands = append(stands, event.Type+" "+event.Message)
		}
		return slices.ContainsFunc(list.Items, func(event corev1.Event) bool {
			return event.Type == corev1.EventTypeWarning && mentions(event.Message, says)
		}), strings.Join(stands, "\n")
	})
}
