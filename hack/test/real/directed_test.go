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
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// directedApp is an app with persistent directories whose scripts a test
// directs, see recordingScript. They take these events beside those that every app takes.
func directedApp(name string, events ...v1alpha1.LifecycleEvent) *v1alpha1.KubeDirectorApp {
	return newApp(name, hooks(60, 1, 1), func(app *v1alpha1.KubeDirectorAppSpec) {
		app.DefaultPersistDirs = []v1alpha1.Directory{"/var/lib/testapp"}
		app.DefaultEventList = append([]v1alpha1.LifecycleEvent{
			v1alpha1.EventConfigure, v1alpha1.EventAddNodes, v1alpha1.EventDelNodes, v1alpha1.EventReconnect,
		}, events...)
	})
}

// applyDirected applies the app "testapp" with directed scripts.
func (f *fixture) applyDirected(events ...v1alpha1.LifecycleEvent) {
	f.Helper()
	f.apply(packageMap("setup", startscript(f.T, recordingScript)), directedApp("testapp", events...))
}

// direct has the script of a member take some seconds ("sleep") when it is
// called for an event, or end with an exit code ("exit"); 0 takes that back.
func (f *fixture) direct(pod string, event v1alpha1.LifecycleEvent, what string, number int) {
	f.Helper()
	f.exec(pod, "sh", "-c", fmt.Sprintf("echo %d >/var/lib/testapp/%s.%s", number, event, what))
}

// calls are those of a member's script, without role and node ID.
func (f *fixture) calls(pod string) []string {
	f.Helper()
	var calls []string
	for _, line := range lines(f.exec(pod, "cat", eventsFile)) {
		if words := strings.SplitN(line, " ", 3); len(words) == 3 {
			line = words[2]
		}
		calls = append(calls, line)
	}
	return calls
}

// untilCalled waits until a member's script has been called; it may still run.
func (f *fixture) untilCalled(pod, call string) {
	f.Helper()
	f.eventually(patience, pod+" is called: "+call, func(ctx context.Context) (bool, string) {
		out, err := f.tryExec(ctx, pod, "cat", eventsFile)
		if err != nil {
			return false, err.Error()
		}
		return slices.ContainsFunc(lines(out), func(line string) bool { return strings.HasSuffix(line, " "+call) }), out
	})
}

// wantAllRunning checks that a cluster has so many pods, none of which is to end.
func (f *fixture) wantAllRunning(cluster string, n int) {
	f.Helper()
	pods := f.podsOf(cluster)
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil {
			f.Errorf("pod %s is to end, while another member's script runs", pod.Name)
		}
	}
	if len(pods) != n {
		f.Errorf("cluster %s has %d pods, want %d", cluster, len(pods), n)
	}
}

func (f *fixture) wantCalls(pod string, want ...string) {
	f.Helper()
	if diff := cmp.Diff(want, f.calls(pod)); diff != "" {
		f.Errorf("%s: the calls of the script (-want +got):\n%s", pod, diff)
	}
}

// told is the call by which a member of role "node" hears of others.
func (f *fixture) told(event v1alpha1.LifecycleEvent, cluster string, pods ...string) string {
	domain := names.Domain(cluster, f.namespace, "cluster.local")
	var hosts []string
	for _, pod := range pods {
		hosts = append(hosts, names.FQDN(pod, domain))
	}
	return "--" + string(event) + " --nodegroup 1 --role node --fqdns " + strings.Join(hosts, ",")
}

// writeData leaves a mebibyte of noise in a member's directory, and returns its checksum.
func (f *fixture) writeData(pod string) (sum string) {
	f.Helper()
	f.exec(pod, "sh", "-c", "head -c 1048576 /dev/urandom >/var/lib/testapp/data")
	return f.sumOfData(pod)
}

func (f *fixture) sumOfData(pod string) string {
	f.Helper()
	return f.exec(pod, "sha256sum", "/var/lib/testapp/data")
}

func (f *fixture) wantData(pod, sum string) {
	f.Helper()
	if now := f.sumOfData(pod); now != sum {
		f.Errorf("%s: the data are others: %q, they were %q", pod, now, sum)
	}
}

// annotate sets an annotation of a cluster, as kubectl annotate --overwrite does.
func (f *fixture) annotate(cluster, key, value string) {
	f.Helper()
	f.patchCluster(cluster, `{"metadata":{"annotations":{`+strconv.Quote(key)+`:`+strconv.Quote(value)+`}}}`)
}

// patchCluster merges JSON into a cluster, as kubectl patch --type merge does.
func (f *fixture) patchCluster(cluster, patch string) {
	f.Helper()
	_, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Patch(f.Context(), cluster, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	f.must(err)
}

// untilEvent waits for an Event of a cluster.
func (f *fixture) untilEvent(cluster, reason string, says ...string) {
	f.Helper()
	f.eventually(patience, "an Event "+reason+" of cluster "+cluster, func(ctx context.Context) (bool, string) {
		list, err := server.kube.CoreV1().Events(f.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + cluster})
		if err != nil {
			return false, err.Error()
		}
		var stands []string
		for _, event := range list.Items {
			stands = append(stands, event.Reason+": "+event.Message)
		}
		return slices.ContainsFunc(list.Items, func(event corev1.Event) bool {
			return event.Reason == reason && mentions(event.Message, says)
		}), strings.Join(stands, "\n")
	})
}

// nodeIDs are the node IDs of a cluster's members by their pods.
func nodeIDs(cluster *v1alpha1.KubeDirectorCluster) map[string]int64 {
	ids := map[string]int64{}
	for _, role := range cluster.Status.Roles {
		for _, m := range role.Members {
			ids[m.Pod] = m.NodeID
		}
	}
	return ids
}

// untilSuspended waits until a cluster has stopped, as it was asked to.
func (f *fixture) untilSuspended(name string) *v1alpha1.KubeDirectorCluster {
	f.Helper()
	return f.until(name, "suspended", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		suspended, ready := condition(cluster, v1alpha1.ConditionSuspended), condition(cluster, v1alpha1.ConditionReady)
		return suspended.Status == metav1.ConditionTrue && suspended.ObservedGeneration == cluster.Generation &&
			ready.Status == metav1.ConditionFalse && ready.Reason == v1alpha1.ReasonSuspended && cluster.Status.State == v1alpha1.ClusterReady
	})
}
