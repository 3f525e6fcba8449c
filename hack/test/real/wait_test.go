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
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

const (
	// outlasted is more than Kubernetes' own patience with the pods of a silent node.
	outlasted = 6 * time.Minute
	// rescheduleAfter is what the cluster "moving" asks for, and rescheduleSlack what the rest may take.
	rescheduleAfter = 30 * time.Second
	rescheduleSlack = 5 * time.Second
)

// TestWaitForNode leaves a node without power for more than six minutes, and has
// clusters with a member there wait, move away, grow, stop and go. It cuts the
// power before the parallel tests begin, which then have the other nodes, and
// gives it back while they run. So it must be the last test that does so.
func TestWaitForNode(t *testing.T) {
	f := newFixture(t, "wait")
	waiting, moving, growing, forgetful, stopping, going := f.loseNode()
	t.Parallel()

	f.patchCluster("growing", `{"spec":{"roles":[{"id":"node","members":3,"storage":{"size":"50Mi"}}]}}`)
	f.patchCluster("forgetful", `{"spec":{"roles":[{"id":"node","members":3}]}}`)
	f.patchCluster("stopping", `{"spec":{"suspend":true}}`)
	going.delete(f)
	moving.untilMoved(f)
	growing.untilNearKnows(f)
	forgetful.untilNearKnows(f)
	stopping.untilNearStopped(f)

	time.Sleep(time.Until(waiting.noticed.Add(outlasted)))
	begun := time.Now()
	for _, lost := range []*lostMember{waiting, growing, forgetful} {
		lost.wantWaiting(f)
	}
	f.startNode(waiting.node)
	for _, lost := range []*lostMember{waiting, growing, forgetful} {
		f.untilBack(lost.cluster, lost.pod, begun)
		f.wantSameContainer(lost.near)
	}
	f.wantCalls(waiting.near.Name, "--configure")
	f.wantCalls(waiting.pod.Name, "--configure", "--restart")
	f.wantCalls(growing.pod.Name, "--configure", "--restart", growing.announcement(f))
	f.wantCalls(forgetful.pod.Name, "--configure", forgetful.announcement(f))
	moving.wantOnlyOne(f)
	stopping.startAgain(f)
	for _, lost := range []*lostMember{waiting, growing, stopping} {
		f.wantData(lost.pod.Name, lost.data)
	}
	f.wantClaims(waiting.claims)
}

// loseNode makes clusters of two members, and cuts the power of one of each.
func (f *fixture) loseNode() (waiting, moving, growing, forgetful, stopping, going *lostMember) {
	f.Helper()
	f.applyDirected(v1alpha1.EventRestart, v1alpha1.EventStop, v1alpha1.EventStart, v1alpha1.EventDelete)
	names := []string{"waiting", "moving", "growing", "forgetful", "stopping", "going"}
	for _, name := range names {
		switch name {
		case "forgetful":
			f.apply(newCluster(name, "testapp", members(2)))
		case "moving":
			f.apply(newCluster(name, "testapp", members(2), storage("50Mi"), reschedules))
		default:
			f.apply(newCluster(name, "testapp", members(2), storage("50Mi")))
		}
	}
	f.untilPodsReady(names...)
	node := f.pod("waiting-node-1").Spec.NodeName
	var all []*lostMember
	for _, name := range names {
		lost := &lostMember{cluster: name}
		lost.near, lost.pod = f.parted(name, node)
		lost.data = f.writeData(lost.pod.Name)
		all = append(all, lost)
	}
	claims, o := f.claims(), f.cutPower(node)
	for _, lost := range all {
		lost.claims, lost.outage = claims, o
		f.wantNodeDownInTime(o, lost.cluster, lost.pod)
	}
	return all[0], all[1], all[2], all[3], all[4], all[5]
}

func reschedules(cluster *v1alpha1.KubeDirectorClusterSpec) {
	cluster.Recovery = &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{
		Action: v1alpha1.NodeDownReschedule, After: &metav1.Duration{Duration: rescheduleAfter},
	}}
}

// wantWaiting checks that nothing was done to a pod whose node is silent.
func (l *lostMember) wantWaiting(f *fixture) {
	f.Helper()
	if pod := f.pod(l.pod.Name); pod.UID != l.pod.UID || pod.DeletionTimestamp != nil {
		f.Errorf("pod %s, whose node does not answer for %s, is being deleted or another one", pod.Name, time.Since(l.noticed).Round(time.Second))
	}
	if cluster := f.get(l.cluster); !isNodeDown(cluster, l.pod) {
		f.Errorf("the cluster does not tell that %s is lost with its node:\n%s", l.pod.Name, describe(cluster))
	}
}

// delete deletes the cluster: the member that can be reached is called, the other is not waited for.
func (l *lostMember) delete(f *fixture) {
	f.Helper()
	f.direct(l.near.Name, v1alpha1.EventDelete, "sleep", 600)
	f.deleteCluster(l.cluster)
	f.untilCalled(l.near.Name, "--delete")
	f.direct(l.near.Name, v1alpha1.EventDelete, "sleep", 0)
	f.untilGone(l.cluster)
}

// untilMoved waits until the member is ready on another node, and checks that its
// pod was given up when the user said, not earlier.
func (l *lostMember) untilMoved(f *fixture) {
	f.Helper()
	f.untilAnotherPod(l.pod)
	pod := f.pod(l.pod.Name)
	after := pod.CreationTimestamp.Sub(l.noticed)
	f.Logf("%s was rescheduled %s after Kubernetes gave up its node", pod.Name, after)
	// Both times are known to the second.
	if after < rescheduleAfter-time.Second || after > rescheduleAfter+rescheduleSlack {
		f.Errorf("%s was rescheduled %s after Kubernetes gave up its node, want %s", pod.Name, after, rescheduleAfter)
	}
	f.untilReadyAgain(l.cluster, pod.Name)
	f.wantCalls(pod.Name, "--configure", "--restart")
	f.wantData(pod.Name, l.data)
}

// announcement is how the other members hear of the third one.
func (l *lostMember) announcement(f *fixture) string {
	return f.told(v1alpha1.EventAddNodes, l.cluster, l.cluster+"-node-2")
}

// untilNearKnows waits until the member that can be reached knows of the third
// one, which is ready, and only the lost one is still to hear of it.
func (l *lostMember) untilNearKnows(f *fixture) {
	f.Helper()
	f.until(l.cluster, "only the lost member is to hear of the new one", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		pending := cluster.Status.PendingEvents
		return memberOf(cluster, l.cluster+"-node-2").State == v1alpha1.MemberReady &&
			len(pending) == 1 && pending[0].Event == v1alpha1.EventAddNodes &&
			slices.Equal(pending[0].For, []int64{memberOf(cluster, l.pod.Name).NodeID})
	})
	f.wantCalls(l.near.Name, "--configure", l.announcement(f))
	f.wantCalls(l.cluster+"-node-2", "--configure")
}

// untilNearStopped waits until only the pod is left that cannot end.
func (l *lostMember) untilNearStopped(f *fixture) {
	f.Helper()
	f.eventually(patience, "only the lost pod of cluster "+l.cluster+" is left, and is to go", func(context.Context) (bool, string) {
		pods := f.podsOf(l.cluster)
		return len(pods) == 1 && pods[0].UID == l.pod.UID && pods[0].DeletionTimestamp != nil, fmt.Sprintf("%d pods", len(pods))
	})
	cluster := f.get(l.cluster)
	if suspended := condition(cluster, v1alpha1.ConditionSuspended); suspended.Status != metav1.ConditionFalse || suspended.Reason != v1alpha1.ReasonSuspending {
		f.Errorf("a pod is left, and Suspended is %s: %s", suspended.Status, suspended.Reason)
	}
}

// startAgain starts the cluster that was suspended while its member was lost.
func (l *lostMember) startAgain(f *fixture) {
	f.Helper()
	f.untilSuspended(l.cluster)
	f.patchCluster(l.cluster, `{"spec":{"suspend":false}}`)
	f.untilReady(l.cluster)
	f.wantCalls(l.near.Name, "--configure", "--stop", "--start")
	f.wantCalls(l.pod.Name, "--configure", "--start")
}
