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

package kube

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// offerSets offers a pass of the StatefulSet controller over each set for which there is something to do.
func (k *Kubernetes) offerSets() {
	for _, set := range k.sets.items {
		pass := k.passOver(set)
		if !pass.changes {
			continue
		}
		if refusal := k.refusals[set.UID]; refusal != nil && refusal.fingerprint == pass.fingerprint() && !k.reached(refusal.retryAt) {
			continue // with back-off, and not because anything happened
		}
		k.offer("statefulset", set, func() { k.runSet(pass) })
	}
}

// setPass is what a pass over a StatefulSet finds.
type setPass struct {
	set  *appsv1.StatefulSet
	pods []*corev1.Pod // all of its own
	// replicas are the pods that should be, by ordinal; nil: there is none yet.
	replicas []*corev1.Pod
	// condemned are pods beyond the replicas that nobody has deleted yet.
	condemned []*corev1.Pod
	// adopted are pods without an owner that fit the set.
	adopted  []*corev1.Pod
	revision string
	status   appsv1.StatefulSetStatus
	// changes is true if the pass would change anything.
	changes bool
}

// fingerprint tells whether the set or its pods have changed, which makes the controller look at once.
func (p *setPass) fingerprint() string {
	newest := p.set.ResourceVersion
	for _, pod := range p.pods {
		if len(pod.ResourceVersion) > len(newest) || len(pod.ResourceVersion) == len(newest) && pod.ResourceVersion > newest {
			newest = pod.ResourceVersion
		}
	}
	return newest + "/" + strconv.Itoa(len(p.pods))
}

// passOver finds what a pass over a set would do.
func (k *Kubernetes) passOver(set *appsv1.StatefulSet) *setPass {
	p := &setPass{set: set, revision: k.revisionOf(set), replicas: make([]*corev1.Pod, ptr.Deref(set.Spec.Replicas, 1))}
	for _, pod := range k.pods.items {
		ordinal, named := ordinalIn(set, pod)
		switch {
		case !named:
		case metav1.IsControlledBy(pod, set):
			p.pods = append(p.pods, pod)
			if ordinal < len(p.replicas) {
				p.replicas[ordinal] = pod
			} else if pod.DeletionTimestamp == nil {
				p.condemned = append(p.condemned, pod)
			}
		case metav1.GetControllerOfNoCopy(pod) == nil && pod.DeletionTimestamp == nil && set.DeletionTimestamp == nil && selects(set, pod):
			p.adopted = append(p.adopted, pod)
		}
	}
	p.status = statusOf(set, p.revision, p.pods)
	p.changes = !sameStatus(&p.status, &set.Status)
	if set.DeletionTimestamp != nil {
		return p // whoever deletes it deletes its pods
	}
	p.changes = p.changes || len(p.adopted)+len(p.condemned) > 0 || !k.isStored(set, p.revision)
	for ordinal, pod := range p.replicas {
		p.changes = p.changes || k.needOf(set, ordinal, pod) != nothing
	}
	return p
}

// need is what a replica needs of the controller.
type need int

const (
	nothing need = iota
	aPod
	aClaim
	// aSuccessor is needed by a pod that has ended for good.
	aSuccessor
)

func (k *Kubernetes) needOf(set *appsv1.StatefulSet, ordinal int, pod *corev1.Pod) need {
	switch {
	case pod == nil:
		return aPod
	case hasEnded(pod) && pod.DeletionTimestamp == nil:
		return aSuccessor
	case pod.Status.Phase == corev1.PodPending && k.missesClaim(set, ordinal):
		return aClaim
	}
	return nothing
}

// ordinalIn is the ordinal of a pod by its name, if it is one of the set's names.
func ordinalIn(set *appsv1.StatefulSet, pod *corev1.Pod) (int, bool) {
	suffix, found := strings.CutPrefix(pod.Name, set.Name)
	if !found || pod.Namespace != set.Namespace {
		return 0, false
	}
	digits, found := strings.CutPrefix(suffix, "-")
	if !found {
		return 0, false
	}
	ordinal, err := strconv.Atoi(digits)
	return ordinal, err == nil && ordinal >= 0 && strconv.Itoa(ordinal) == digits
}

func selects(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	for key, value := range set.Spec.Selector.MatchLabels {
		if pod.Labels[key] != value {
			return false
		}
	}
	return true
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// statusOf counts a set's pods.
func statusOf(set *appsv1.StatefulSet, revision string, pods []*corev1.Pod) appsv1.StatefulSetStatus {
	status := appsv1.StatefulSetStatus{
		ObservedGeneration: set.Generation,
		CurrentRevision:    set.Status.CurrentRevision, // stays the first: pods are updated when somebody deletes them
		UpdateRevision:     revision,
		CollisionCount:     ptr.To[int32](0),
		Conditions:         set.Status.Conditions,
	}
	if status.CurrentRevision == "" {
		status.CurrentRevision = revision
	}
	for _, pod := range pods {
		status.Replicas++
		if pod.Status.Phase == corev1.PodRunning && readyStatus(pod) == corev1.ConditionTrue {
			status.ReadyReplicas++
			status.AvailableReplicas++
		}
		if pod.DeletionTimestamp != nil {
			continue
		}
		switch pod.Labels[appsv1.StatefulSetRevisionLabel] {
		case status.UpdateRevision:
			status.UpdatedReplicas++
			if status.CurrentRevision == status.UpdateRevision {
				status.CurrentReplicas++
			}
		case status.CurrentRevision:
			status.CurrentReplicas++
		}
	}
	return status
}

func sameStatus(a, b *appsv1.StatefulSetStatus) bool {
	return a.ObservedGeneration == b.ObservedGeneration && a.Replicas == b.Replicas && a.ReadyReplicas == b.ReadyReplicas &&
		a.AvailableReplicas == b.AvailableReplicas && a.CurrentReplicas == b.CurrentReplicas && a.UpdatedReplicas == b.UpdatedReplicas &&
		a.CurrentRevision == b.CurrentRevision && a.UpdateRevision == b.UpdateRevision
}

// runSet makes a pass.
func (k *Kubernetes) runSet(p *setPass) {
	set := p.set
	for _, pod := range p.adopted {
		adopted := pod.DeepCopy()
		adopted.OwnerReferences = append(adopted.OwnerReferences, ownedBy(set))
		must(apiserver.Update(k.api, adopted))
	}
	var err error
	if set.DeletionTimestamp == nil {
		if err = k.runReplicas(p); err == nil {
			for _, pod := range p.condemned {
				k.remove(pod)
			}
		}
	}
	if !sameStatus(&p.status, &set.Status) {
		set = set.DeepCopy()
		set.Status = p.status
		set = must(apiserver.UpdateStatus(k.api, set))
	}
	k.remember(set, err)
}

// runReplicas gives the replicas what they need, in batches of 1, 2, 4…: those
// after a batch with a failure have to wait.
func (k *Kubernetes) runReplicas(p *setPass) error {
	if err := k.storeRevision(p.set, p.revision); err != nil {
		return err
	}
	for from, size := 0, 1; from < len(p.replicas); from, size = from+size, 2*size {
		var failed error
		for ordinal := from; ordinal < min(from+size, len(p.replicas)); ordinal++ {
			failed = cmp.Or(failed, k.runReplica(p, ordinal))
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

func (k *Kubernetes) runReplica(p *setPass, ordinal int) error {
	pod := p.replicas[ordinal]
	switch k.needOf(p.set, ordinal, pod) {
	case aPod:
		if slices.ContainsFunc(p.adopted, func(adopted *corev1.Pod) bool { return adopted.Name == memberName(p.set, ordinal) }) {
			return nil
		}
		return k.createMember(p.set, ordinal, p.revision)
	case aClaim:
		return k.createClaims(p.set, ordinal)
	case aSuccessor:
		k.remove(pod)
	}
	return nil
}

// remove deletes a pod with its grace period.
func (k *Kubernetes) remove(pod *corev1.Pod) {
	must(0, apiserver.Delete[*corev1.Pod](k.api, pod.Namespace, pod.Name, exactly(pod)))
}

// createMember makes a pod of a set, and its claims before it.
func (k *Kubernetes) createMember(set *appsv1.StatefulSet, ordinal int, revision string) error {
	pod := podOf(set, ordinal, revision)
	err := k.createClaims(set, ordinal)
	if err == nil {
		err = k.createPod(pod)
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		k.warn(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"), "FailedCreate",
			fmt.Sprintf("create Pod %s in StatefulSet %s failed error: %v", pod.Name, set.Name, err))
	}
	return err
}

// refusal is a pass over a set that failed.
type refusal struct {
	fingerprint string
	wait        time.Duration
	retryAt     time.Time
}

// The wait after a failed pass over a set doubles, as its queue's does.
const (
	firstRetry   = time.Second
	longestRetry = 1000 * time.Second
)

func (k *Kubernetes) remember(set *appsv1.StatefulSet, failed error) {
	if failed == nil {
		delete(k.refusals, set.UID)
		return
	}
	wait := firstRetry
	if before := k.refusals[set.UID]; before != nil {
		wait = min(2*before.wait, longestRetry)
	}
	k.refresh()
	k.refusals[set.UID] = &refusal{fingerprint: k.passOver(set).fingerprint(), wait: wait, retryAt: time.Now().Add(wait)}
}

// RefusePods has a quota refuse all pods that StatefulSets ask for, or no longer.
func (k *Kubernetes) RefusePods(on bool) {
	k.refuses = on
	k.stale = true
}
