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

package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

// disorder is what makes of a world one that nobody has planned for, by the
// dice. What the CRDs' schema refuses is not done to clusters and apps; all
// else is, whether or not this controller would ever write it.
type disorder struct {
	*dice
	*world
	// refused are beginnings of the actions that the API server refuses.
	refused []string
	// forged is true for a status that contradicts itself, as only somebody else can have written it.
	forged bool
}

// strike does one thing to the world.
func (w *disorder) strike() {
	pick(w.dice,
		w.spec, w.app, w.revisions, w.request, w.deletion,
		w.status, w.pendingEvents, w.roster, w.members, w.members, w.members,
		w.service, w.set, w.claims, w.pod, w.pod, w.pod, w.outcomes, w.outcomes,
		w.answers, w.settings, w.run,
	)()
}

func (w *disorder) spec() {
	spec := &w.Cluster.Spec
	role := &spec.Roles[w.throw(len(spec.Roles))]
	w.Cluster.Generation += int64(1 - w.throw(2))
	switch w.throw(14) {
	case 0:
		role.Members = pick(w.dice, nil, ptr.To[int32](0), ptr.To[int32](1), ptr.To[int32](2), ptr.To[int32](3), ptr.To[int32](5))
	case 1:
		role.Storage = pick(w.dice, nil, &v1alpha1.Storage{Size: resource.MustParse("1Gi")}, &v1alpha1.Storage{Size: resource.MustParse("2Gi"), StorageClassName: ptr.To(w.text())}, &v1alpha1.Storage{})
	case 2:
		role.Env = []corev1.EnvVar{{Name: w.text(), Value: w.text()}}
	case 3:
		role.Resources.Requests = corev1.ResourceList{corev1.ResourceName(pick(w.dice, "cpu", "memory", "nvidia.com/gpu")): resource.MustParse(pick(w.dice, "1", "0", "-1", "0.1"))}
	case 4:
		role.SecurityContext = pick(w.dice, nil, &corev1.PodSecurityContext{RunAsUser: ptr.To(w.number())})
	case 5:
		spec.Suspend = !spec.Suspend
	case 6:
		spec.Paused = !spec.Paused
	case 7:
		spec.Elastic = pick(w.dice, nil, &v1alpha1.Elastic{Role: role.ID, Members: int32(w.throw(6))}, &v1alpha1.Elastic{Role: w.text()})
	case 8:
		spec.ServiceType = pick(w.dice, "", corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer)
	case 9:
		spec.Recovery = pick(w.dice, nil, &v1alpha1.Recovery{}, &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownReschedule}},
			&v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownReschedule, After: &metav1.Duration{Duration: 30 * time.Second}}})
	case 10:
		spec.DeletionPolicy = pick(w.dice, nil, &v1alpha1.DeletionPolicy{HookDeadlineSeconds: pick(w.dice, nil, ptr.To[int32](0), ptr.To[int32](604800))},
			&v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnDelete: v1alpha1.VolumeDelete, OnScaleDown: pick(w.dice, v1alpha1.VolumeRetain, v1alpha1.VolumeDelete)}})
	case 11:
		spec.Roles = slices.Delete(spec.Roles, 0, 1)
		if len(spec.Roles) == 0 {
			spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}}
		}
	case 12:
		if id := w.text(); roleSpec(w.Cluster, id) == nil {
			spec.Roles = append(spec.Roles, v1alpha1.ClusterRole{ID: id})
		}
	case 13:
		if id := pick(w.dice, "worker", "controller", "other"); roleSpec(w.Cluster, id) == nil {
			spec.Roles = append(spec.Roles, v1alpha1.ClusterRole{ID: id, Members: ptr.To(int32(w.throw(4)))})
		}
	}
}

func (w *disorder) app() {
	if w.App == nil || w.throw(6) == 0 {
		w.App = pick(w.dice, nil, walkApp(), testApp())
		return
	}
	spec := &w.App.Spec
	role := &spec.Roles[w.throw(len(spec.Roles))]
	w.App.Generation++
	switch w.throw(14) {
	case 0:
		spec.DefaultImageRepoTag = w.text()
	case 1:
		spec.DefaultEventList = pick(w.dice, nil, []v1alpha1.LifecycleEvent{}, []v1alpha1.LifecycleEvent{v1alpha1.EventDecommission, v1alpha1.EventDelNodes}, walkApp().Spec.DefaultEventList)
	case 2:
		role.Cardinality = pick(w.dice, "0", "0+", "1", "2", "1+", "3+", w.text())
	case 3:
		role.ConfigureAfter = []string{pick(w.dice, "worker", "controller", w.text())}
	case 4:
		spec.DefaultPersistDirs = pick(w.dice, nil, []v1alpha1.Directory{"/data"}, []v1alpha1.Directory{"/"}, []v1alpha1.Directory{v1alpha1.Directory(w.text())})
	case 5:
		spec.DefaultConfigPackage = pick(w.dice, nil, &v1alpha1.ConfigPackage{PackageURL: "https://x.example/p.tgz"}, &v1alpha1.ConfigPackage{PackageURL: w.text(), SHA256: w.text()}, &v1alpha1.ConfigPackage{None: true})
	case 6:
		spec.Config.SelectedRoles = pick(w.dice, nil, []v1alpha1.RoleID{"worker"}, []v1alpha1.RoleID{"controller"}, []v1alpha1.RoleID{"none"})
	case 7:
		spec.Services = append(spec.Services, v1alpha1.Service{ID: w.text(), Endpoint: pick(w.dice, nil, &v1alpha1.Endpoint{Port: int32(w.throw(256)), IsDashboard: w.yes()})})
	case 8:
		spec.Config.RoleServices = append(spec.Config.RoleServices, v1alpha1.RoleServices{RoleID: role.ID, ServiceIDs: []v1alpha1.ServiceID{v1alpha1.ServiceID(pick(w.dice, "web", w.text()))}})
	case 9:
		role.ID = pick(w.dice, "worker", "controller", "other", w.text())
	case 10:
		spec.Hooks = &v1alpha1.Hooks{HookPolicy: v1alpha1.HookPolicy{Retries: pick(w.dice, nil, ptr.To[int32](0), ptr.To[int32](3)), TimeoutSeconds: ptr.To(int32(1 + w.throw(255))), BackoffSeconds: ptr.To(int32(w.throw(255)))}}
	case 11:
		spec.SystemdRequired = !spec.SystemdRequired
	case 12:
		spec.Config.ConfigMeta = map[string]string{w.text(): w.text()}
	case 13:
		spec.Version, spec.DefaultMaxLogSizeDump = w.text(), ptr.To(int32(w.throw(256)))
	}
}

func (w *disorder) revisions() {
	if len(w.Revisions) == 0 || w.throw(3) == 0 {
		revision := &appsv1.ControllerRevision{Revision: w.number()}
		revision.Name, revision.Namespace, revision.UID = "c.app-"+pick(w.dice, "0123456789", "x"), "ns", w.uid()
		w.Revisions = append(w.Revisions, revision)
	}
	revision := w.Revisions[w.throw(len(w.Revisions))]
	switch w.throw(4) {
	case 0:
		revision.Data.Raw = []byte(pick(w.dice, "", "{", "{}", "null", "[]", `{"spec":{"roles":[{"id":"worker"}]}}`, `{"name":"app","namespace":"ns","spec":{"roles":[{"id":"worker","cardinality":"x"}]}}`))
	case 1:
		revision.Revision = w.number()
	case 2:
		w.Revisions = slices.DeleteFunc(w.Revisions, func(r *appsv1.ControllerRevision) bool { return r == revision })
	}
}

func (w *disorder) request() {
	annotation := pick(w.dice, names.AnnotationReplace, names.AnnotationForceRemove, names.AnnotationRetry)
	if w.Cluster.Annotations == nil {
		w.Cluster.Annotations = map[string]string{}
	}
	w.Cluster.Annotations[annotation] = w.text()
}

func (w *disorder) deletion() {
	switch w.throw(3) {
	case 0:
		w.Cluster.DeletionTimestamp = ptr.To(metav1.NewTime(w.moment(w.Now)))
	case 1:
		w.Cluster.Finalizers = pick(w.dice, nil, []string{names.Finalizer}, []string{metav1.FinalizerOrphanDependents, names.Finalizer}, []string{"example.com/other"})
	case 2:
		w.Cluster.Generation = 1 + int64(w.throw(9))
	}
}

var clusterStates = []v1alpha1.ClusterState{"", v1alpha1.ClusterCreating, v1alpha1.ClusterConfiguring, v1alpha1.ClusterReady, v1alpha1.ClusterResizing, v1alpha1.ClusterNodeDown, v1alpha1.ClusterDeleting}

func (w *disorder) status() {
	status := &w.Cluster.Status
	switch w.throw(12) {
	case 0:
		*status = v1alpha1.KubeDirectorClusterStatus{}
	case 1:
		status.State = pick(w.dice, clusterStates...)
	case 2:
		status.ObservedGeneration = w.number()
	case 3:
		status.Conditions = nil
	case 4:
		status.App = pick(w.dice, nil, &v1alpha1.AppInUse{Name: w.text(), Namespace: w.text(), Revision: w.text()})
	case 5:
		status.LastNodeID, w.forged = w.number(), true
	case 6:
		status.MetadataGeneration = w.number()
	case 7:
		status.LastEvent, w.forged = w.number(), true
	case 8:
		status.FirstReadyTime = w.timePointer(w.Now)
	case 9:
		status.ObservedRequests, status.ObservedRetry = w.text(), w.text()
	case 10:
		status.Roles = nil
	case 11:
		status.ClusterService, status.Membership = w.text(), w.text()
	}
}

var scriptEvents = []v1alpha1.LifecycleEvent{v1alpha1.EventConfigure, v1alpha1.EventRestart, v1alpha1.EventStart, v1alpha1.EventStop, v1alpha1.EventAddNodes,
	v1alpha1.EventDelNodes, v1alpha1.EventDecommission, v1alpha1.EventDelete}

func (w *disorder) pendingEvents() {
	status := &w.Cluster.Status
	if len(status.PendingEvents) == 0 || w.throw(3) == 0 {
		event := v1alpha1.PendingEvent{Number: status.LastEvent + int64(w.throw(3)), Event: pick(w.dice, scriptEvents...)}
		if w.named(event.Number) {
			return // the schema has numbers as keys
		}
		status.PendingEvents = append(status.PendingEvents, event)
	}
	w.forged = true
	event := &status.PendingEvents[w.throw(len(status.PendingEvents))]
	switch w.throw(7) {
	case 0:
		event.Event = pick(w.dice, append(scriptEvents, "unheard-of")...)
	case 1:
		event.Role = pick(w.dice, "worker", "controller", "", "other")
	case 2:
		event.Members, event.NodeIDs = append(event.Members, pick(w.dice, "c-worker-0", "c-worker-1", "c-worker-2", w.text())), append(event.NodeIDs, w.number())
	case 3:
		event.For = append(event.For, w.number())
	case 4:
		event.Open = !event.Open
	case 5:
		event.Members, event.NodeIDs = nil, nil
	case 6:
		status.PendingEvents = slices.Delete(status.PendingEvents, 0, 1)
	}
}

func (w *disorder) named(number int64) bool {
	return slices.ContainsFunc(w.Cluster.Status.PendingEvents, func(e v1alpha1.PendingEvent) bool { return e.Number == number })
}

func (w *disorder) roster() {
	roles := w.Cluster.Status.Roles
	if len(roles) == 0 {
		w.Cluster.Status.Roles = []v1alpha1.RoleStatus{{ID: "worker", StatefulSet: "c-worker", Desired: int32(w.throw(4))}}
		return
	}
	role := &roles[w.throw(len(roles))]
	switch w.throw(6) {
	case 0:
		role.StatefulSet, w.forged = pick(w.dice, "c-worker", "c-controller", w.text()), true
	case 1:
		role.Desired = int32(w.number())
	case 2:
		role.Members = nil
	case 3:
		role.Members = append(role.Members, v1alpha1.MemberStatus{Pod: names.Pod(role.StatefulSet, len(role.Members)), NodeID: w.number(), State: pick(w.dice, memberStates...)})
		w.forged = true
	case 4:
		slices.Reverse(role.Members)
		w.forged = true
	case 5:
		if id := w.text(); id != "" && !slices.ContainsFunc(roles, func(r v1alpha1.RoleStatus) bool { return r.ID == id }) {
			role.ID, w.forged = id, true
		}
	}
}

var memberStates = []v1alpha1.MemberState{v1alpha1.MemberPending, v1alpha1.MemberCreating, v1alpha1.MemberConfiguring, v1alpha1.MemberReady,
	v1alpha1.MemberLost, v1alpha1.MemberError, v1alpha1.MemberLeaving, v1alpha1.MemberDeleting}

// someMember is one that status has; nil when it has none.
func (w *disorder) someMember() *v1alpha1.MemberStatus {
	var all []*v1alpha1.MemberStatus
	for i := range w.Cluster.Status.Roles {
		for j := range w.Cluster.Status.Roles[i].Members {
			all = append(all, &w.Cluster.Status.Roles[i].Members[j])
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[w.throw(len(all))]
}

func (w *disorder) members() {
	m := w.someMember()
	if m == nil {
		return
	}
	switch w.throw(8) {
	case 0:
		m.State = pick(w.dice, memberStates...)
	case 1:
		m.Retired = &v1alpha1.RetiredPod{
			Why:   pick(w.dice, v1alpha1.RetiredSuspended, v1alpha1.RetiredRenewed, v1alpha1.RetiredCalledOff, v1alpha1.RetiredRemoved, v1alpha1.RetiredReplaced),
			UID:   w.uidOf(w.Pods[m.Pod]),
			Force: w.yes(),
		}
		if claim := w.Claims[names.Claim(m.Pod)]; claim != nil && w.yes() {
			m.Retired.ClaimUID = claim.UID
		}
	case 2:
		m.Event = &v1alpha1.MemberEvent{
			Name:       pick(w.dice, scriptEvents...),
			Generation: pick(w.dice, w.Cluster.Status.MetadataGeneration, w.Cluster.Status.LastEvent, w.number()),
			Attempt:    int32(w.number()),
			Vetoes:     int32(w.throw(3)),
			State:      pick(w.dice, v1alpha1.EventFailed, v1alpha1.EventPending, v1alpha1.EventRunning, v1alpha1.EventTimedOut, v1alpha1.EventLost),
			ExitCode:   pick(w.dice, nil, ptr.To[int32](0), ptr.To[int32](3), ptr.To[int32](137)),
			StartedAt:  w.timePointer(w.Now),
			FinishedAt: w.timePointer(w.Now),
			OutputTail: w.text(),
		}
	case 3:
		m.MetadataGeneration = w.number()
	case 4:
		m.Incarnation = pick(w.dice, "", w.text())
	case 5:
		m.NodeID, w.forged = w.number(), true
	case 6:
		w.forged = true
		m.Pod = pick(w.dice, "c-worker-0", "c-worker-1", "c-worker-7", "c-controller-0", w.text())
	case 7:
		m.Event, m.Retired, m.Message = nil, nil, w.text()
	}
}

func (w *disorder) uidOf(pod *corev1.Pod) types.UID {
	if pod == nil || w.throw(4) == 3 {
		return pick(w.dice, "", types.UID("another"))
	}
	return pod.UID
}

// anyOf is one of the objects, or a name that none has.
func anyOf[O any](d *dice, objects map[string]O) (string, O) {
	all := slices.Sorted(maps.Keys(objects))
	if len(all) == 0 {
		var none O
		return "", none
	}
	name := all[d.throw(len(all))]
	return name, objects[name]
}

// disown has an object belong to somebody else, to an earlier cluster of the name, or to nobody.
func (w *disorder) disown(o metav1.Object) {
	earlier := w.Cluster.DeepCopy()
	earlier.UID = "earlier"
	owner := metav1.NewControllerRef(earlier, v1alpha1.SchemeGroupVersion.WithKind("KubeDirectorCluster"))
	if w.yes() {
		owner.Name, owner.Kind = "somebody", "Deployment"
	}
	o.SetOwnerReferences(pick(w.dice, nil, []metav1.OwnerReference{*owner}))
}

// spoil is what can happen to any object.
func (w *disorder) spoil(o metav1.Object) {
	switch w.throw(5) {
	case 0:
		w.disown(o)
	case 1:
		o.SetDeletionTimestamp(w.timePointer(w.Now))
		o.SetDeletionGracePeriodSeconds(pick(w.dice, nil, ptr.To[int64](0), ptr.To[int64](30)))
	case 2:
		o.SetUID(w.uid())
	case 3:
		o.SetLabels(map[string]string{names.LabelRole: w.text(), names.LabelCluster: w.text()})
	case 4:
		annotations := maps.Clone(o.GetAnnotations())
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[pick(w.dice, names.AnnotationNodeIDs, names.AnnotationMetadataGeneration, names.AnnotationInputsHash, names.AnnotationBuilderVersion,
			names.AnnotationPendingEvents, names.AnnotationFirstReady, names.AnnotationLastNodeID)] = w.journalOrText()
		o.SetAnnotations(annotations)
	}
}

func (w *disorder) journalOrText() string {
	if w.throw(3) < 2 {
		return w.text()
	}
	return fmt.Sprintf(`{"last":%d,"events":[{"number":%d,"event":%q,"role":%q,"members":["c-worker-0"],"nodeIDs":[%d],"open":%t}]}`,
		w.number(), w.number(), pick(w.dice, scriptEvents...), pick(w.dice, "worker", "controller", "other", ""), w.number(), w.yes())
}

func (w *disorder) service() {
	name, service := anyOf(w.dice, w.Services)
	if service == nil || w.throw(6) == 0 {
		service = &corev1.Service{}
		service.Name, service.Namespace, service.UID = pick(w.dice, "c", "c-worker-0-svc", "c-controller-0-svc", "c-other"), "ns", w.uid()
		w.Services[service.Name] = service
		return
	}
	switch w.throw(4) {
	case 0:
		delete(w.Services, name)
	case 1:
		service.Spec.Type = pick(w.dice, corev1.ServiceTypeClusterIP, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName)
	case 2:
		service.Spec.Ports, service.Spec.Selector = nil, nil
	default:
		w.spoil(service)
	}
}

func (w *disorder) set() {
	name, set := anyOf(w.dice, w.Sets)
	if set == nil || w.throw(8) == 0 {
		set = &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr.To(int32(w.throw(4)))}}
		set.Name, set.Namespace, set.UID = pick(w.dice, "c-worker", "c-controller", "c-other"), "ns", w.uid()
		set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(w.Cluster, v1alpha1.SchemeGroupVersion.WithKind("KubeDirectorCluster"))}
		w.Sets[set.Name] = set
		return
	}
	switch w.throw(7) {
	case 0:
		delete(w.Sets, name)
	case 1:
		set.Spec.Replicas = ptr.To(int32(w.throw(6)))
	case 2:
		set.Status.ObservedGeneration, set.Generation = int64(w.throw(3)), int64(w.throw(3))
	case 3:
		set.Spec.Template.Annotations = map[string]string{names.AnnotationInputsHash: w.text()}
	case 4:
		set.Spec.VolumeClaimTemplates = pick(w.dice, nil, []corev1.PersistentVolumeClaim{{}})
	default:
		w.spoil(set)
	}
}

func (w *disorder) claims() {
	name, claim := anyOf(w.dice, w.Claims)
	if claim == nil || w.throw(3) == 0 {
		w.claim(pick(w.dice, "persist-c-worker-0", "persist-c-worker-1", "persist-c-worker-2", "persist-c-controller-0", "persist-c-other"), pick(w.dice, "c", "d"))
		return
	}
	switch w.throw(4) {
	case 0:
		delete(w.Claims, name)
	case 1:
		claim.Status.Phase, claim.Spec.VolumeName = pick(w.dice, corev1.ClaimPending, corev1.ClaimBound, corev1.ClaimLost), pick(w.dice, "", "pv")
	default:
		w.spoil(claim)
	}
}

func (w *disorder) pod() {
	name, pod := anyOf(w.dice, w.Pods)
	if pod == nil || w.throw(4) == 0 {
		if set, of := anyOf(w.dice, w.Sets); of != nil {
			w.start(names.Pod(set, w.throw(4)), w.throw(3))
		}
		return
	}
	status := &pod.Status
	switch w.throw(7) {
	case 0:
		delete(w.Pods, name)
	case 1:
		status.ContainerStatuses = []corev1.ContainerStatus{w.containerStatus(names.ContainerName)}
	case 2:
		status.InitContainerStatuses = []corev1.ContainerStatus{w.containerStatus(pick(w.dice, names.PersistContainer, names.InstallContainer))}
	case 3:
		status.Phase, status.ContainerStatuses = pick(w.dice, corev1.PodPending, corev1.PodRunning, corev1.PodFailed, corev1.PodSucceeded, corev1.PodUnknown), nil
	case 4:
		status.Conditions = []corev1.PodCondition{{
			Type:               pick(w.dice, corev1.PodReady, corev1.PodScheduled),
			Status:             pick(w.dice, corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown),
			Reason:             pick(w.dice, corev1.PodReasonUnschedulable, w.text()),
			Message:            w.text(),
			LastTransitionTime: metav1.NewTime(w.moment(w.Now)),
		}}
	case 5:
		pod.CreationTimestamp, pod.Spec.NodeName = metav1.NewTime(w.moment(w.Now)), w.text()
	default:
		w.spoil(pod)
	}
}

func (w *disorder) containerStatus(name string) corev1.ContainerStatus {
	c := corev1.ContainerStatus{Name: name, Ready: w.yes(), Image: w.text(),
		ContainerID: pick(w.dice, "containerd://001-c-worker-0-0123456789", "", "docker://short", "no-scheme", "://", w.text())}
	ended := &corev1.ContainerStateTerminated{ExitCode: int32(w.throw(200)), Reason: pick(w.dice, "Error", "OOMKilled", ""), Message: w.text()}
	switch w.throw(4) {
	case 0:
		c.State.Running = &corev1.ContainerStateRunning{}
	case 1:
		c.State.Terminated = ended
	case 2:
		c.State.Waiting = &corev1.ContainerStateWaiting{Message: w.text(), Reason: pick(w.dice, "CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff",
			"CreateContainerConfigError", "PodInitializing", "", w.text())}
	}
	if w.yes() {
		c.LastTerminationState.Terminated = ended
	}
	return c
}

// outcomes is what is known, or believed, of the visits to a pod.
func (w *disorder) outcomes() {
	_, pod := anyOf(w.dice, w.Pods)
	if pod == nil {
		return
	}
	outcome, known := w.Outcomes[pod.UID]
	if !known || w.throw(4) == 0 {
		outcome.Key = StepKey{PodUID: pod.UID, MetadataGeneration: w.Cluster.Status.MetadataGeneration}
		if len(pod.Status.ContainerStatuses) > 0 {
			outcome.Key.ContainerID = pod.Status.ContainerStatuses[0].ContainerID
		}
		if w.yes() {
			outcome.Key.Event, outcome.Key.Attempt = pick(w.dice, scriptEvents...), int32(w.throw(4))
			outcome.Key.EventGeneration = pick(w.dice, w.Cluster.Status.MetadataGeneration, w.Cluster.Status.LastEvent, w.number())
		}
	}
	switch w.throw(5) {
	case 0:
		delete(w.Outcomes, pod.UID)
		return
	case 1:
		outcome.Key.MetadataGeneration, outcome.MetadataGeneration = w.number(), w.number()
	case 2:
		outcome.Configured = !outcome.Configured
	default:
		w.end(&outcome)
	}
	w.Outcomes[pod.UID] = outcome
}

func (w *disorder) end(outcome *Outcome) {
	outcome.Phase = pick(w.dice, PhaseDone, PhaseUnderway, PhaseRunning, PhaseFaulted, PhaseWaiting, PhaseRefused, PhaseUnreachable)
	outcome.At, outcome.Tries, outcome.PackageVersion = w.moment(w.Now), int(w.number()), w.text()
	outcome.Reason, outcome.Message, outcome.Event = "", "", nil
	switch outcome.Phase {
	case PhaseWaiting:
		outcome.Reason = v1alpha1.ReasonWaitingForConfigMap
	case PhaseFaulted, PhaseRefused, PhaseUnreachable:
		outcome.Reason, outcome.Message = pick(w.dice, "PackageNotFound", w.text()), w.text()
	case PhaseDone, PhaseRunning:
		if outcome.Key.Event == "" {
			return
		}
		outcome.Event = &EventResult{
			State:   pick(w.dice, EventSucceeded, v1alpha1.EventFailed, v1alpha1.EventTimedOut, v1alpha1.EventLost),
			Attempt: int32(w.throw(4)), Here: w.yes(), ExitCode: pick(w.dice, nil, ptr.To[int32](0), ptr.To[int32](3), ptr.To[int32](1)),
			StartedAt: w.moment(w.Now), FinishedAt: w.moment(w.Now), Deadline: w.moment(w.Now), OutputTail: w.text(),
		}
		if outcome.Phase == PhaseRunning {
			outcome.Event.State = v1alpha1.EventRunning
		}
	}
}

// answers is what else the API server and its Events tell.
func (w *disorder) answers() {
	warning := Warning{Reason: pick(w.dice, "FailedCreate", "ProvisioningFailed", w.text()), Message: w.text(), At: w.moment(w.Now)}
	_, set := anyOf(w.dice, w.Sets)
	_, claim := anyOf(w.dice, w.Claims)
	switch w.throw(4) {
	case 0:
		w.refused = append(w.refused, pick(w.dice, "create service", "create statefulset", "patch statefulset", "patch service", "delete", "create revision", "add finalizer", "visit"))
	case 1:
		if set != nil {
			w.Warnings[set.UID] = warning
		}
	case 2:
		if claim != nil {
			w.Warnings[claim.UID] = warning
		}
	case 3:
		w.Packages[catalog.ConfigMapKey{Namespace: "ns", Name: "setup", Key: "setup.tgz"}] = PackageCheck{Version: w.text(), At: w.moment(w.Now)}
	}
}

func (w *disorder) settings() {
	switch w.throw(4) {
	case 0:
		w.StorageClasses = nil
	case 1:
		w.StorageClasses = &validate.StorageClasses{}
	case 2:
		w.Settings.DefaultServiceType = pick(w.dice, "", corev1.ServiceTypeNodePort)
	case 3:
		w.Settings.DefaultStorageClassName = w.text()
	}
}

// run lets a little of what was planned be done, before the next strike.
func (w *disorder) run() {
	w.after(pick(w.dice, 0, time.Second, time.Minute, 15*time.Minute))
	w.act()
}
