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
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// The devcluster's node lifecycle controller gives up a node that was silent for
// gracePeriod, and looks every monitorPeriod.
const (
	gracePeriod   = 8 * time.Second
	monitorPeriod = 2 * time.Second
)

// outage is a node without power.
type outage struct {
	node    string
	stopped time.Time
	// noticed is when Kubernetes gave the node up, known to the second.
	noticed time.Time
}

// cutPower stops a node and returns once Kubernetes has noticed. The node starts
// again at the end of the test at the latest.
func (f *fixture) cutPower(node string) outage {
	f.Helper()
	o := outage{node: node, stopped: time.Now()}
	f.stopNode(node)
	o.noticed = f.untilNode(node, false)
	return o
}

func (f *fixture) stopNode(node string) {
	f.Helper()
	f.Cleanup(func() { f.devcluster("start-node", node) })
	f.devcluster("stop-node", node)
}

// startNode gives a node its power again, and returns when it asked for that, once the node is Ready.
func (f *fixture) startNode(node string) time.Time {
	f.Helper()
	begun := time.Now()
	f.devcluster("start-node", node)
	f.untilNode(node, true)
	return begun
}

// untilNode waits until a node is Ready, or is not, and returns since when.
func (f *fixture) untilNode(name string, ready bool) (since time.Time) {
	f.Helper()
	f.eventually(patience, fmt.Sprintf("node %s: Ready is %t", name, ready), func(ctx context.Context) (bool, string) {
		node, err := server.kube.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady {
				since = c.LastTransitionTime.Time
				return (c.Status == corev1.ConditionTrue) == ready, c.String()
			}
		}
		return false, "it has no condition Ready"
	})
	return since
}

// parted are the two members of a cluster that are on different nodes: near is
// the one that outlives the loss of the node that far is on.
func (f *fixture) parted(cluster, node string) (near, far *corev1.Pod) {
	f.Helper()
	for _, pod := range f.podsOf(cluster) {
		if pod.Spec.NodeName == node {
			far = pod
		} else {
			near = pod
		}
	}
	if near == nil || far == nil {
		f.Fatalf("the two members of cluster %s are on one node; Kubernetes spreads the pods of a StatefulSet", cluster)
	}
	return near, far
}

// podsOf are the pods of a cluster by name.
func (f *fixture) podsOf(cluster string) []*corev1.Pod {
	f.Helper()
	list, err := server.kube.CoreV1().Pods(f.namespace).List(f.Context(), metav1.ListOptions{LabelSelector: names.LabelCluster + "=" + cluster})
	f.must(err)
	var pods []*corev1.Pod
	for i := range list.Items {
		pods = append(pods, &list.Items[i])
	}
	return pods
}

// claims are the UIDs of the namespace's claims by name.
func (f *fixture) claims() map[string]string {
	f.Helper()
	list, err := server.kube.CoreV1().PersistentVolumeClaims(f.namespace).List(f.Context(), metav1.ListOptions{})
	f.must(err)
	uids := map[string]string{}
	for _, claim := range list.Items {
		uids[claim.Name] = string(claim.UID)
		if claim.DeletionTimestamp != nil {
			f.Errorf("claim %s is being deleted", claim.Name)
		}
	}
	return uids
}

// wantClaims checks that claims are still there, and that nobody has asked for their deletion.
func (f *fixture) wantClaims(before map[string]string) {
	f.Helper()
	now := f.claims()
	same := map[string]string{}
	for name := range before {
		same[name] = now[name]
	}
	if diff := cmp.Diff(before, same); diff != "" {
		f.Errorf("the claims and their UIDs (-before +after):\n%s", diff)
	}
}

// restarts is how often the application container of a pod began anew.
func (f *fixture) restarts(pod string) int {
	f.Helper()
	for _, c := range f.pod(pod).Status.ContainerStatuses {
		if c.Name == names.ContainerName {
			return int(c.RestartCount)
		}
	}
	return 0
}
