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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// TestRenew edits the environment of a running cluster's roles: its members are
// made anew one at a time, those with volumes without being configured again.
// An edit that breaks the first of them reaches no other.
func TestRenew(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "renew")
	f.apply(packageMap("setup", startscript(t, recordingScript)), crewApp(), newCluster("c", "testapp", crew(2), workersWithStorage, colour("green")))
	before := f.untilReady("c")
	seen := f.watchRenewal("c")

	begun := time.Now()
	f.apply(newCluster("c", "testapp", crew(2), workersWithStorage, colour("blue")))
	after := f.untilReady("c")
	f.logSince(begun, "the environment of three members changed, ready after")
	renewed := seen()
	if renewed.mostUnready != 1 || renewed.mostAway != 1 {
		t.Errorf("at worst %d members had no configured container, and %d pods away or ending; want one at a time", renewed.mostUnready, renewed.mostAway)
	}
	if diff := cmp.Diff(map[string]int{"c-head-0": 2, "c-worker-0": 2, "c-worker-1": 2}, renewed.pods); diff != "" {
		t.Errorf("how many pods each member has had (-want +got):\n%s", diff)
	}
	if want := []v1alpha1.ClusterState{"ready", "resizing", "configuring", "ready"}; !slices.Equal(renewed.states, want) {
		t.Errorf("the states, one after the other: %v, want %v", renewed.states, want)
	}
	if diff := cmp.Diff(nodeIDs(before), nodeIDs(after)); diff != "" {
		t.Errorf("node IDs (-before +after):\n%s", diff)
	}
	for _, pod := range []string{"c-head-0", "c-worker-0", "c-worker-1"} {
		if got := strings.TrimSpace(f.exec(pod, "printenv", "COLOUR")); got != "blue" {
			t.Errorf("the environment of %s has the colour %q", pod, got)
		}
		f.wantCalls(pod, "--configure") // by the first container of a worker, by the second one of the head
	}

	pods := []*corev1.Pod{f.pod("c-head-0"), f.pod("c-worker-1")}
	f.apply(newCluster("c", "testapp", crew(2), workersWithStorage, colour("blue"), secretForWorkers))
	f.until("c", "a container that can't be made", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		ready := condition(cluster, v1alpha1.ConditionReady)
		return cluster.Status.State == v1alpha1.ClusterResizing && ready.Reason == v1alpha1.ReasonContainerConfigError && mentions(ready.Message, []string{"c-worker-0", "nowhere"})
	})
	f.wantSamePods(pods...)
	f.apply(newCluster("c", "testapp", crew(2), workersWithStorage, colour("blue")))
	f.untilReady("c")
	f.wantSamePods(pods...)
}

// colour sets the environment of both roles of a crew.
func colour(value string) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		for i := range cluster.Roles {
			cluster.Roles[i].Env = []corev1.EnvVar{{Name: "COLOUR", Value: value}}
		}
	}
}

// secretForWorkers has workers need a Secret that does not exist.
func secretForWorkers(cluster *v1alpha1.KubeDirectorClusterSpec) {
	cluster.Roles[1].Env = append(slices.Clone(cluster.Roles[1].Env), corev1.EnvVar{Name: "SECRET", ValueFrom: &corev1.EnvVarSource{
		SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "nowhere"}, Key: "key"}}})
}

// renewal is what was seen of a cluster's members while they were made anew.
type renewal struct {
	states []v1alpha1.ClusterState
	// mostUnready is how many members were without a configured container at the same time, at worst; mostAway how many pods were gone or ending.
	mostUnready, mostAway int
	// pods is how many pods each member has had.
	pods map[string]int
}

// watchRenewal watches a cluster that is ready. The function it returns tells what was seen so far.
func (f *fixture) watchRenewal(cluster string) (seen func() renewal) {
	f.Helper()
	var mu sync.Mutex
	var r renewal
	uids, working := map[string]map[types.UID]bool{}, map[string]bool{}
	f.witness(server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Watch,
		metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", cluster).String()}, func(event watch.Event) {
			now, ok := event.Object.(*v1alpha1.KubeDirectorCluster)
			if !ok {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if len(r.states) == 0 || r.states[len(r.states)-1] != now.Status.State {
				r.states = append(r.states, now.Status.State)
			}
			r.mostUnready = max(r.mostUnready, unready(now))
		})
	f.witness(server.kube.CoreV1().Pods(f.namespace).Watch,
		metav1.ListOptions{LabelSelector: labels.Set{names.LabelCluster: cluster}.String()}, func(event watch.Event) {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if uids[pod.Name] == nil {
				uids[pod.Name] = map[types.UID]bool{}
			}
			uids[pod.Name][pod.UID] = true
			working[pod.Name] = event.Type != watch.Deleted && pod.DeletionTimestamp == nil
			away := 0
			for _, works := range working {
				if !works {
					away++
				}
			}
			r.mostAway = max(r.mostAway, away)
		})
	return func() renewal {
		mu.Lock()
		defer mu.Unlock()
		now := r
		now.states, now.pods = slices.Clone(r.states), map[string]int{}
		for name := range uids {
			now.pods[name] = len(uids[name])
		}
		return now
	}
}

// unready counts the members that are not configured in the container they have.
// One that is only given newer metadata is configuring, too, but goes on with its work.
func unready(cluster *v1alpha1.KubeDirectorCluster) int {
	n := 0
	for _, role := range cluster.Status.Roles {
		for _, m := range role.Members {
			if m.Retired != nil || m.State != v1alpha1.MemberReady && m.State != v1alpha1.MemberConfiguring {
				n++
			}
		}
	}
	return n
}
