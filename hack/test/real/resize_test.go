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
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// TestScaleUp adds two workers to one by two edits close together. The members
// there hold the metadata that names the new ones before those are configured,
// and are called once, after that.
func TestScaleUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "up")
	f.apply(packageMap("setup", startscript(t, timedScript)), crewApp(), newCluster("c", "testapp", crew(1)))
	before := f.untilReady("c")
	states := f.follow("c")

	begun := time.Now()
	f.apply(newCluster("c", "testapp", crew(2)))
	f.apply(newCluster("c", "testapp", crew(3)))
	after := f.untilReady("c")
	f.logSince(begun, "from 1 to 3 workers, ready again after")

	told := f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1", "c-worker-2")
	f.wantCalls("c-head-0", "--configure", told)
	f.wantCalls("c-worker-0", "--configure", told)
	f.wantCalls("c-worker-1", "--configure")
	f.wantCalls("c-worker-2", "--configure")
	if t.Failed() {
		t.FailNow()
	}
	for _, joined := range []string{"c-worker-1", "c-worker-2"} {
		configure := f.timedCalls(joined)[0]
		if want := []string{"c-worker-0", "c-worker-1", "c-worker-2"}; !slices.Equal(configure.workers, want) {
			t.Errorf("%s was configured by metadata that names the workers %v, want %v", joined, configure.workers, want)
		}
		for _, old := range []string{"c-head-0", "c-worker-0"} {
			if written := f.metadataWritten(old); !written.Before(configure.began) {
				t.Errorf("%s was given its newest metadata %s after %s began to be configured", old, written.Sub(configure.began), joined)
			}
			if call := f.timedCalls(old)[1]; !call.began.After(configure.ended) {
				t.Errorf("%s was told of %s %s before that was configured", old, joined, configure.ended.Sub(call.began))
			}
		}
	}
	if diff := cmp.Diff(map[string]int64{"c-head-0": 1, "c-worker-0": 2, "c-worker-1": 3, "c-worker-2": 4}, nodeIDs(after)); diff != "" {
		t.Errorf("node IDs (-want +got):\n%s", diff)
	}
	if grew := after.Status.MetadataGeneration - before.Status.MetadataGeneration; grew > 2 {
		t.Errorf("two edits cost %d generations of metadata", grew)
	}
	if diff := cmp.Diff([]v1alpha1.ClusterState{"ready", "resizing", "configuring", "ready"}, states()); diff != "" {
		t.Errorf("the states, one after the other (-want +got):\n%s", diff)
	}
}

// timedScript also writes down when each call began and ended, and which workers the metadata named.
var timedScript = scriptThat(`
began=$(date +%s%N) workers=$(configcli --get nodegroups.1.roles.worker.fqdns)
trap 'echo "$began $(date +%s%N) $workers $*" >>/var/lib/testapp/timed' EXIT
`)

// timedCall is what timedScript wrote down of a call.
type timedCall struct {
	began, ended time.Time
	workers      []string
}

func (f *fixture) timedCalls(pod string) []timedCall {
	f.Helper()
	var calls []timedCall
	for _, line := range lines(f.exec(pod, "cat", "/var/lib/testapp/timed")) {
		words := strings.Fields(line)
		calls = append(calls, timedCall{f.nanoseconds(words[0]), f.nanoseconds(words[1]), podsOf(words[2])})
	}
	return calls
}

func (f *fixture) nanoseconds(text string) time.Time {
	f.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	f.must(err)
	return time.Unix(0, n)
}

// metadataWritten is when a member was given the metadata it holds.
func (f *fixture) metadataWritten(pod string) time.Time {
	f.Helper()
	seconds := strings.TrimSpace(f.exec(pod, "stat", "-L", "-c", "%.9Y", "/etc/guestconfig/configmeta.json"))
	return f.nanoseconds(strings.ReplaceAll(seconds, ".", ""))
}

// TestScaleDown takes two workers of three away, and has a peer take its time
// with its script: until it has ended, those that leave stay as they are. Then
// workers come back to the volumes that were kept, and go with them.
func TestScaleDown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "down")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(v1alpha1.EventDecommission))
	f.apply(newCluster("c", "testapp", crew(3), workersWithStorage))
	f.untilReady("c")
	f.exec("c-worker-2", "sh", "-c", "echo precious >/var/lib/testapp/data")

	f.direct("c-worker-0", v1alpha1.EventDelNodes, "sleep", 250)
	f.apply(newCluster("c", "testapp", crew(1), workersWithStorage))
	leaving := []string{"c-worker-1", "c-worker-2"}
	f.untilCalled("c-worker-0", f.speaksOf(v1alpha1.EventDelNodes, "worker", leaving...))
	f.until("c", "everybody else has been called", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return !slices.ContainsFunc(cluster.Status.PendingEvents, func(event v1alpha1.PendingEvent) bool {
			// Those that leave are named for each other's leave, in case they stay after all.
			late := []int64{memberOf(cluster, "c-worker-0").NodeID}
			if event.Event == v1alpha1.EventDelNodes {
				late = append(late, memberOf(cluster, "c-worker-1").NodeID, memberOf(cluster, "c-worker-2").NodeID)
			}
			return slices.ContainsFunc(event.For, func(id int64) bool { return !slices.Contains(late, id) })
		})
	})
	wantHeldBack(f, leaving)

	begun := time.Now()
	f.direct("c-worker-0", v1alpha1.EventDelNodes, "sleep", 0)
	f.untilReady("c")
	f.logSince(begun, "ready after the last script, two pods gone")
	kept := []string{"persistentvolumeclaims/persist-c-worker-1", "persistentvolumeclaims/persist-c-worker-2"}
	if left := f.mentioning("c", leaving...); !slices.Equal(left, kept) {
		t.Errorf("of the members that left there is still %v, want %v", left, kept)
	}
	if n := f.replicas("c-worker"); n != 1 {
		t.Errorf("the StatefulSet has %d replicas", n)
	}
	f.untilEvent("c", "VolumesRetained", "persist-c-worker-1")
	f.untilEvent("c", "VolumesRetained", "persist-c-worker-2")

	f.apply(newCluster("c", "testapp", crew(3), workersWithStorage))
	again := f.untilReady("c")
	if diff := cmp.Diff(map[string]int64{"c-head-0": 1, "c-worker-0": 2, "c-worker-1": 5, "c-worker-2": 6}, nodeIDs(again)); diff != "" {
		t.Errorf("node IDs (-want +got):\n%s", diff)
	}
	if got := f.exec("c-worker-2", "cat", "/var/lib/testapp/data"); got != "precious\n" {
		t.Errorf("the volume that was kept holds %q", got)
	}
	f.wantCalls("c-worker-2", "--configure", f.speaksOf(v1alpha1.EventDecommission, "worker", leaving...), "--configure")
	f.wantCalls("c-head-0", "--configure", f.speaksOf(v1alpha1.EventDelNodes, "worker", leaving...), f.speaksOf(v1alpha1.EventAddNodes, "worker", leaving...))

	f.apply(newCluster("c", "testapp", crew(2), workersWithStorage, deletesVolumesOnScaleDown))
	f.untilReady("c")
	if left := f.mentioning("c", "c-worker-2"); len(left) > 0 {
		t.Errorf("of the member that left with its volume there is still %v", left)
	}
	if left := f.mentioning("c", "persist-"); len(left) != 2 {
		t.Errorf("there are the volumes %v, want those of the two workers that stay", left)
	}
}

func deletesVolumesOnScaleDown(cluster *v1alpha1.KubeDirectorClusterSpec) {
	cluster.DeletionPolicy = &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnScaleDown: v1alpha1.VolumeDelete}}
}

// wantHeldBack looks at members that leave while a peer's script runs.
func wantHeldBack(f *fixture, leaving []string) {
	f.Helper()
	cluster := f.get("c")
	if cluster.Status.State != v1alpha1.ClusterResizing {
		f.Errorf("the cluster is %q", cluster.Status.State)
	}
	f.wantCalls("c-head-0", "--configure", f.speaksOf(v1alpha1.EventDelNodes, "worker", leaving...))
	f.wantCalls("c-worker-0", "--configure", f.speaksOf(v1alpha1.EventDelNodes, "worker", leaving...))
	for _, pod := range []string{"c-head-0", "c-worker-0"} {
		if got := f.fqdnsOf(pod, "worker"); !slices.Equal(got, []string{"c-worker-0"}) {
			f.Errorf("the metadata of %s names the workers %v", pod, got)
		}
	}
	for _, pod := range leaving {
		if state := memberOf(cluster, pod).State; state != v1alpha1.MemberLeaving {
			f.Errorf("%s is %s", pod, state)
		}
		f.wantCalls(pod, "--configure", f.speaksOf(v1alpha1.EventDecommission, "worker", leaving...))
		if f.pod(pod).DeletionTimestamp != nil {
			f.Errorf("pod %s is ending before its peers know", pod)
		}
		f.service(pod + "-svc")
	}
	if n := f.replicas("c-worker"); n != 3 {
		f.Errorf("the StatefulSet has %d replicas already", n)
	}
}

func (f *fixture) replicas(set string) int32 {
	f.Helper()
	found, err := server.kube.AppsV1().StatefulSets(f.namespace).Get(f.Context(), set, metav1.GetOptions{})
	f.must(err)
	return ptr.Deref(found.Spec.Replicas, 0)
}

// TestScaleOverridden scales from 1 to 5 and, while the new members are being
// configured, to 2. Nobody hears of those who never came.
func TestScaleOverridden(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "overridden")
	f.apply(packageMap("setup", startscript(t, waitingScript)), crewApp(), newCluster("c", "testapp", crew(1)))
	f.untilReady("c")
	f.apply(newCluster("c", "testapp", crew(5)))
	for _, joining := range []string{"c-worker-1", "c-worker-2", "c-worker-3", "c-worker-4"} {
		f.untilCalled(joining, "--configure")
	}

	begun := time.Now()
	f.apply(newCluster("c", "testapp", crew(2)))
	f.until("c", "three members are gone", func(cluster *v1alpha1.KubeDirectorCluster) bool { return len(nodeIDs(cluster)) == 3 })
	f.logSince(begun, "three members gone in the middle of their scripts")
	f.direct("c-worker-1", v1alpha1.EventConfigure, "sleep", 0)
	f.untilReady("c")

	if left := f.mentioning("c", "c-worker-2", "c-worker-3", "c-worker-4"); len(left) > 0 {
		t.Errorf("of those who never came there is still %v", left)
	}
	told := f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1")
	f.wantCalls("c-head-0", "--configure", told)
	f.wantCalls("c-worker-0", "--configure", told)
	gone := func(pod string) string { return f.speaksOf(v1alpha1.EventDelNodes, "worker", pod) }
	f.wantCalls("c-worker-1", "--configure", gone("c-worker-2"), gone("c-worker-3"), gone("c-worker-4")) // its metadata named them
	for _, pod := range []string{"c-head-0", "c-worker-0", "c-worker-1"} {
		if got := f.fqdnsOf(pod, "worker"); !slices.Equal(got, []string{"c-worker-0", "c-worker-1"}) {
			t.Errorf("the metadata of %s names the workers %v", pod, got)
		}
	}
}

// waitingScript has workers but the first wait to be configured until the test lets them go on.
var waitingScript = scriptThat(`
if [[ $HOSTNAME == c-worker-[1-9]* ]]; then TESTAPP_CONFIGURE_SLEEP=250; fi
`)

// TestFailedAnnouncement has a member's script fail when it is called for a new
// peer. What failed is shown, and starts again when the user asks.
func TestFailedAnnouncement(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "announce")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(), newCluster("c", "testapp", crew(1)))
	f.untilReady("c")
	f.direct("c-head-0", v1alpha1.EventAddNodes, "exit", 7)
	f.apply(newCluster("c", "testapp", crew(2)))
	told := f.speaksOf(v1alpha1.EventAddNodes, "worker", "c-worker-1")
	failed := f.until("c", "the script has failed twice", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return condition(cluster, v1alpha1.ConditionDegraded).Status == metav1.ConditionTrue
	})
	head := memberOf(failed, "c-head-0")
	if head.State != v1alpha1.MemberError || head.Event == nil || head.Event.Name != v1alpha1.EventAddNodes || head.Event.Attempt != 2 || ptr.Deref(head.Event.ExitCode, 0) != 7 {
		t.Errorf("the member whose script failed: %+v, event %+v", head, head.Event)
	}
	if degraded := condition(failed, v1alpha1.ConditionDegraded); degraded.Reason != v1alpha1.ReasonScriptFailed ||
		!mentions(degraded.Message, []string{"c-head-0", "--addnodes", "exit code 7", "addnodes ends with 7, as asked"}) {
		t.Errorf("Degraded says %s: %s", degraded.Reason, degraded.Message)
	}
	if isReady(failed) || failed.Status.State == v1alpha1.ClusterReady {
		t.Errorf("with a failed script the cluster is %q", failed.Status.State)
	}
	if state := memberOf(failed, "c-worker-1").State; state != v1alpha1.MemberReady {
		t.Errorf("the new member is %s", state)
	}
	f.wantCalls("c-worker-0", "--configure", told)

	f.direct("c-head-0", v1alpha1.EventAddNodes, "exit", 0)
	f.annotate("c", names.AnnotationRetry, "mended")
	if after := f.untilReady("c"); after.Status.ObservedRetry != "mended" {
		t.Errorf("status.observedRetry is %q", after.Status.ObservedRetry)
	}
	f.wantCalls("c-head-0", "--configure", told, told, told)
	f.wantCalls("c-worker-0", "--configure", told)
}

// untilShown waits until a condition says something, whatever else there is.
func (f *fixture) untilShown(cluster, kind, reason string, says ...string) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	return f.until(cluster, kind+"=True, "+reason, func(cluster *v1alpha1.KubeDirectorCluster) bool {
		c := condition(cluster, kind)
		return c.Status == metav1.ConditionTrue && c.Reason == reason && mentions(c.Message, says)
	})
}
