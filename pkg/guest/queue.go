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

package guest

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// fairQueue holds the pods whose visit is due. Clusters take turns, so one with
// a thousand members holds up none with three. Within a cluster it is first in, first out.
type fairQueue struct {
	turns []cache.ObjectName // clusters with pods that wait, the next one first
	pods  map[cache.ObjectName][]types.UID
}

func newFairQueue() *fairQueue { return &fairQueue{pods: map[cache.ObjectName][]types.UID{}} }

// push adds a pod that is not in the queue.
func (q *fairQueue) push(cluster cache.ObjectName, pod types.UID) {
	if len(q.pods[cluster]) == 0 {
		q.turns = append(q.turns, cluster)
	}
	q.pods[cluster] = append(q.pods[cluster], pod)
}

// pop takes the pod whose turn it is.
func (q *fairQueue) pop() (types.UID, bool) {
	if len(q.turns) == 0 {
		return "", false
	}
	cluster := q.turns[0]
	q.turns = q.turns[1:]
	pod, rest := q.pods[cluster][0], q.pods[cluster][1:]
	if len(rest) == 0 {
		delete(q.pods, cluster)
		return pod, true
	}
	q.pods[cluster] = rest
	q.turns = append(q.turns, cluster)
	return pod, true
}

// remove drops a pod, if it is in the queue.
func (q *fairQueue) remove(cluster cache.ObjectName, pod types.UID) {
	at := slices.Index(q.pods[cluster], pod)
	if at < 0 {
		return
	}
	q.pods[cluster] = slices.Delete(q.pods[cluster], at, at+1)
	if len(q.pods[cluster]) == 0 {
		delete(q.pods, cluster)
		q.turns = slices.DeleteFunc(q.turns, func(c cache.ObjectName) bool { return c == cluster })
	}
}

// len is the number of pods.
func (q *fairQueue) len() int {
	n := 0
	for _, pods := range q.pods {
		n += len(pods)
	}
	return n
}
