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

package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/hack/test/sim/guests"
	"github.com/bluek8s/kubedirector/hack/test/sim/kube"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// The one cluster of a world, and where it is.
const (
	namespace   = "ns"
	clusterName = "c"
	appName     = "app"
)

var nodes = []string{"node-1", "node-2", "node-3"}

// object is what the simulated server stores.
type object = apiserver.Object

// world is all that there is: an API server, Kubernetes, disks, scripts, users,
// and up to two replicas of the controller. It lives in a bubble of
// testing/synctest: its time is the bubble's, and after every step all of its
// goroutines wait for the next.
type world struct {
	api    *apiserver.Server
	kube   *kube.Kubernetes
	guests *guests.Guests
	user   *user
	*book

	replicas []*replica
	// leads is the replica that holds the lease; nil: none.
	leads   *replica
	started int // replicas so far
	epoch   int64

	mu    sync.Mutex
	calls []*call // on their way to containers
	// frozen are requests that have reached a container, where their process does not go on.
	frozen []frozen

	// behind is how many versions the caches of a process lag that is started
	// because nobody leads; exits is how scripts end that are not ended otherwise.
	behind int
	exits  func(*guests.Script) int

	// hasty is true of one in which each pass is followed by another, with the same caches.
	hasty bool
	// restless is true when the last calm did not come to rest.
	restless bool

	log        klog.Logger
	events     []string // that the controller told people
	violations []violation
	steps      int
}

// violation is an invariant that did not hold.
type violation struct{ invariant, detail string }

func (v violation) Error() string { return fmt.Sprintf("violated: %s: %s", v.invariant, v.detail) }

// newWorld makes a world in which nothing has happened. dir is a directory of its own.
func newWorld(dir string, setup setup) *world {
	w := &world{api: apiserver.New(), guests: guests.New(dir), log: klog.New(nil), exits: func(*guests.Script) int { return 0 }}
	w.kube = kube.New(w.api, w.guests, nodes...)
	w.book = newBook(w)
	w.user = newUser(w, setup)
	w.guests.OnStart(w.scriptStarted)
	w.guests.OnEnd(w.scriptEnded)
	w.api.OnRequest(w.requested)
	w.must(apiserver.Create(w.api, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}}}))
	w.must(apiserver.Create(w.api, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "setup", Namespace: namespace}, BinaryData: map[string][]byte{"setup.tgz": packageOf(1)}}))
	w.startReplica(w.api.Version())
	w.lead()
	w.rest()
	return w
}

// must is for what the world itself writes, which nothing can refuse.
func (w *world) must(_ any, err error) {
	if err != nil {
		panic(err)
	}
}

func (w *world) violate(invariant, format string, args ...any) {
	w.violations = append(w.violations, violation{invariant, fmt.Sprintf(format, args...)})
}

// rest waits until nothing goes on by itself any more.
func (w *world) rest() { synctest.Wait() }

// close ends everything that was started.
func (w *world) close() {
	for _, r := range slices.Clone(w.replicas) {
		w.bury(r)
	}
	w.rest()
	w.guests.Close()
	w.rest()
}

// startReplica starts a process that knows what the server had at a version in the past.
func (w *world) startReplica(from int64) *replica {
	w.started++
	r := newReplica(w, "r"+strconv.Itoa(w.started), from)
	w.replicas = append(w.replicas, r)
	return r
}

// lead has the first replica that can take over do so, if nobody leads.
func (w *world) lead() {
	if w.leads != nil {
		return
	}
	for _, r := range w.replicas {
		if r.epoch == 0 && !r.network.dead {
			w.epoch++
			r.epoch = w.epoch
			w.leads = r
			return
		}
	}
}

// bury removes a process that has died or lost its lease.
func (w *world) bury(r *replica) {
	r.kill()
	w.replicas = slices.DeleteFunc(w.replicas, func(other *replica) bool { return other == r })
	if w.leads == r {
		w.leads = nil
	}
}

// cluster is the cluster as the API server has it; nil: there is none.
func (w *world) cluster() *v1alpha1.KubeDirectorCluster {
	cluster, found := apiserver.Get[*v1alpha1.KubeDirectorCluster](w.api, namespace, clusterName)
	if !found {
		return nil
	}
	return cluster
}

func (w *world) pod(name string) *corev1.Pod {
	pod, found := apiserver.Get[*corev1.Pod](w.api, namespace, name)
	if !found {
		return nil
	}
	return pod
}

// passed notes how a pass ended.
func (w *world) passed(r *replica, err error) {
	if err == nil || r.network.dead {
		return
	}
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	w.failures = append(w.failures, err.Error())
}

// deaths buries the processes that have died, and those that lead no more.
func (w *world) deaths() {
	for _, r := range slices.Clone(w.replicas) {
		if r.network.dead || r.epoch != 0 && w.leads != r && !r.passing {
			w.bury(r)
		}
	}
}

// inOrder has what the walk has looked at come before what others do next, in
// the eyes of the race detector: that time wakes them up tells it nothing.
func (w *world) inOrder() {
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
}

// sleep lets time pass, in the small steps in which things happen.
func (w *world) sleep(d time.Duration) {
	w.inOrder()
	time.Sleep(d)
	w.rest()
}

// describe is the state of the world as a reader of a failure wants to see it.
func (w *world) describe() string {
	var b strings.Builder
	if cluster := w.cluster(); cluster != nil {
		fmt.Fprintf(&b, "cluster generation %d state %q membership %q metadata %d last event %d, deleting %t, annotations %v\n", cluster.Generation, cluster.Status.State,
			cluster.Status.Membership, cluster.Status.MetadataGeneration, cluster.Status.LastEvent, cluster.DeletionTimestamp != nil, cluster.Annotations)
		for _, c := range cluster.Status.Conditions {
			fmt.Fprintf(&b, "  %s=%s/%s %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
		for _, role := range cluster.Status.Roles {
			for _, m := range role.Members {
				fmt.Fprintf(&b, "  %s=%d %s gen %d %s retired %+v event %+v\n", m.Pod, m.NodeID, m.State, m.MetadataGeneration, m.Message, m.Retired, m.Event)
			}
		}
		for _, event := range cluster.Status.PendingEvents {
			fmt.Fprintf(&b, "  pending %+v\n", event)
		}
	}
	for _, pod := range apiserver.List[*corev1.Pod](w.api, namespace) {
		fmt.Fprintf(&b, "  pod %s %s on %s, terminating %t\n", pod.Name, pod.UID, pod.Spec.NodeName, pod.DeletionTimestamp != nil)
	}
	fmt.Fprintf(&b, "  due in Kubernetes: %v\n", w.kube.Due())
	for _, s := range w.guests.Running() {
		fmt.Fprintf(&b, "  runs: %s %s\n", s.Pod, strings.Join(s.Args, " "))
	}
	for _, f := range w.failures[max(0, len(w.failures)-3):] {
		fmt.Fprintf(&b, "  failed: %s\n", f)
	}
	return b.String()
}
