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
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/resources"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

// world is the least that carries plans out: objects appear as asked for, and
// the test moves pods and scripts. The simulated world of a later tier has real
// semantics; this one only has to let a plan see its own consequences.
type world struct {
	t *testing.T
	*Observed
	uids  int
	lines []string
	steps map[types.UID]Step
	// marked are the containers that count as configured.
	marked map[string]bool
	// ledger is what the members' volumes hold.
	ledger map[string]bool
	// down is a pod that can't start for now.
	down string
	// crashAfter is how many more actions are carried out before the controller
	// ends and another, which remembers nothing, goes on; negative: it does not end.
	crashAfter int
	// calls are the scripts that ran.
	calls []string
	// refuse is the API server's objection to an action; empty: none.
	refuse func(Action) string
}

func newWorld(t *testing.T, cluster *v1alpha1.KubeDirectorCluster, app *v1alpha1.KubeDirectorApp) *world {
	return &world{t: t, crashAfter: -1, steps: map[types.UID]Step{}, marked: map[string]bool{}, ledger: map[string]bool{}, refuse: func(Action) string { return "" }, Observed: &Observed{
		Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Settings: Settings{
			ClusterDomain:      "cluster.local",
			DefaultServiceType: corev1.ServiceTypeClusterIP,
			Render:             resources.Settings{GuestImage: "kubedirector/kubedirector:test"},
		},
		Cluster:        cluster,
		App:            app,
		Services:       map[string]*corev1.Service{},
		Sets:           map[string]*appsv1.StatefulSet{},
		Claims:         map[string]*corev1.PersistentVolumeClaim{},
		Pods:           map[string]*corev1.Pod{},
		StorageClasses: &validate.StorageClasses{Names: sets.New("standard"), Default: "standard"},
		Outcomes:       map[types.UID]Outcome{},
		Warnings:       map[types.UID]Warning{},
		Packages:       map[catalog.ConfigMapKey]PackageCheck{},
	}}
}

func (w *world) uid() types.UID {
	w.uids++
	return types.UID(fmt.Sprintf("uid-%d", w.uids))
}

// pass makes one plan and carries it out; it returns whether anything was asked for.
func (w *world) pass() bool {
	w.t.Helper()
	before := w.Cluster.DeepCopy()
	p := Make(w.Observed)
	if !slices.Equal(verdicts(&before.Status), verdicts(&w.Cluster.Status)) {
		w.t.Fatal("Make changed its observation")
	}
	for _, err := range p.Impossible {
		w.t.Errorf("impossible: %v", err)
	}
	w.lines = append(w.lines, w.describe(p))
	if p.Status != nil {
		w.Cluster.Status = *p.Status.DeepCopy()
	}
	if p.Record == "" {
		w.Refusals = map[string]string{}
		for _, action := range p.Actions {
			if w.crashes() {
				break
			}
			if words := w.refuse(action); words != "" {
				w.Refusals[action.String()] = words
				continue
			}
			w.do(action)
		}
	}
	return p.Status != nil || len(p.Actions) > 0
}

func (w *world) describe(p *Plan) string {
	text := p.String()
	if p.Status != nil {
		ready := ""
		for _, c := range p.Status.Conditions {
			if c.Type == v1alpha1.ConditionReady {
				ready = fmt.Sprintf(" Ready=%s/%s", c.Status, c.Reason)
			}
		}
		text += fmt.Sprintf("status %q %s%s\n", p.Status.State, p.Status.Membership, ready)
	}
	return text
}

// settle makes passes until nothing is asked for, which must be soon.
func (w *world) settle() {
	w.t.Helper()
	for range 20 {
		if !w.pass() {
			w.lines = w.lines[:len(w.lines)-1]
			return
		}
	}
	w.t.Fatalf("no fixpoint after 20 passes:\n%s", strings.Join(w.lines, "--\n"))
}

func (w *world) do(action Action) {
	switch a := action.(type) {
	case AddFinalizer:
		w.Cluster.Finalizers = append(w.Cluster.Finalizers, names.Finalizer)
	case RemoveFinalizer:
		w.Cluster.Finalizers = nil
	case CreateRevision:
		w.Revisions = append(w.Revisions, a.Revision)
	case DeleteRevision:
		w.Revisions = slices.DeleteFunc(w.Revisions, func(r *appsv1.ControllerRevision) bool { return r.Name == a.Revision.Name })
	case CreateService:
		w.Services[a.Service.Name] = a.Service
	case DeleteService:
		delete(w.Services, a.Service.Name)
	case CreateSet:
		set := a.Set.DeepCopy()
		set.UID, set.Generation = w.uid(), 1
		set.Status.ObservedGeneration = 1
		w.Sets[set.Name] = set
	case PatchService:
		w.Services[a.Service.Name] = patched(w.t, w.Services[a.Service.Name], a.Patch)
	case PatchSet:
		set := patched(w.t, w.Sets[a.Set.Name], a.Patch)
		set.Generation++
		set.Status.ObservedGeneration = set.Generation
		w.Sets[a.Set.Name] = set
		for name := range w.Pods {
			if of, ordinal, _ := names.ParsePod(name); of == a.Set.Name && ordinal >= int(*set.Spec.Replicas) {
				delete(w.Pods, name)
			}
		}
	case DeleteSet:
		delete(w.Sets, a.Set.Name)
		for name := range w.Pods {
			if set, _, _ := names.ParsePod(name); set == a.Set.Name {
				delete(w.Pods, name)
			}
		}
	case DeletePod:
		delete(w.Pods, a.Pod.Name)
	case DeleteClaim:
		delete(w.Claims, a.Claim.Name)
	case VisitGuest:
		w.steps[a.Step.Container.PodUID] = a.Step
		w.Outcomes[a.Step.Container.PodUID] = Outcome{Key: a.Step.Key(), Phase: PhaseUnderway, At: w.Now, Configured: a.Step.Configured == ConfiguredNever}
	case CheckPackage:
		w.Packages[a.ConfigMap] = PackageCheck{At: w.Now}
	default:
		w.t.Fatalf("the test's world can't %T", action)
	}
}

// patched is an object after a merge patch, without the preconditions that only an API server can judge.
func patched[O any](t *testing.T, object *O, patch resources.Patch) *O {
	t.Helper()
	body, err := patch.MergePatch("", "")
	if err != nil {
		t.Fatal(err)
	}
	var before, change map[string]any
	raw, _ := json.Marshal(object)
	if err := errors.Join(json.Unmarshal(raw, &before), json.Unmarshal(body, &change)); err != nil {
		t.Fatal(err)
	}
	keep := before["metadata"].(map[string]any)["uid"]
	merge(before, change)
	before["metadata"].(map[string]any)["uid"] = keep
	raw, _ = json.Marshal(before)
	after := new(O)
	if err := json.Unmarshal(raw, after); err != nil {
		t.Fatal(err)
	}
	return after
}

// merge is RFC 7386 on what JSON decodes to.
func merge(into, change map[string]any) {
	for field, value := range change {
		inner, isMap := value.(map[string]any)
		old, wasMap := into[field].(map[string]any)
		switch {
		case value == nil:
			delete(into, field)
		case isMap && wasMap:
			merge(old, inner)
		case isMap:
			fresh := map[string]any{}
			merge(fresh, inner)
			into[field] = fresh
		default:
			into[field] = value
		}
	}
}

// start makes a pod of its StatefulSet, with its container running as incarnation n of the pod.
func (w *world) start(pod string, n int) {
	w.t.Helper()
	name, _, _ := names.ParsePod(pod)
	set := w.Sets[name]
	if set == nil {
		w.t.Fatalf("no StatefulSet for pod %s", pod)
	}
	p := w.Pods[pod]
	if p == nil {
		p = &corev1.Pod{ObjectMeta: *set.Spec.Template.ObjectMeta.DeepCopy()}
		p.Name, p.Namespace, p.UID = pod, set.Namespace, w.uid()
		p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))}
	} else {
		p = p.DeepCopy()
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name:        names.ContainerName,
		ContainerID: fmt.Sprintf("containerd://%03d-%s-0123456789", n, pod),
		State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}
	if n == 2 {
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}
	}
	w.Pods[pod] = p
}

func (w *world) startAll() {
	for _, role := range w.Cluster.Status.Roles {
		for _, m := range role.Members {
			w.start(m.Pod, 1)
		}
	}
}

// answer gives the visit under way its result.
func (w *world) answer(pod string, phase Phase, result *EventResult) {
	w.t.Helper()
	uid := w.Pods[pod].UID
	outcome, asked := w.Outcomes[uid]
	if !asked {
		w.t.Fatalf("pod %s was not visited", pod)
	}
	tries := outcome.Tries + 1
	step := w.steps[uid]
	if outcome.Configured || phase == PhaseDone && (result == nil || result.State == EventSucceeded && (step.Configured == ConfiguredAlways || step.Configured == ConfiguredHere && result.Here)) {
		w.marked[outcome.Key.ContainerID] = true
	}
	var holds int64
	if phase == PhaseDone || phase == PhaseRunning {
		holds = outcome.Key.MetadataGeneration
	}
	w.Outcomes[uid] = Outcome{MetadataGeneration: holds, Configured: w.marked[outcome.Key.ContainerID], Key: outcome.Key, Phase: phase, At: w.Now, Tries: tries, Event: result, PackageVersion: "0123456789abcdef"}
}

func (w *world) succeed(pods ...string) {
	for _, pod := range pods {
		if w.Outcomes[w.Pods[pod].UID].Key.Event == "" {
			w.answer(pod, PhaseDone, nil)
			continue
		}
		w.answer(pod, PhaseDone, &EventResult{State: EventSucceeded, Attempt: 1, Here: true, StartedAt: w.Now, FinishedAt: w.Now})
	}
}

func (w *world) fail(pod string, code int32) {
	w.answer(pod, PhaseDone, &EventResult{State: v1alpha1.EventFailed, Attempt: 1, Here: true, ExitCode: &code, StartedAt: w.Now, FinishedAt: w.Now, OutputTail: "no such disk"})
}

func (w *world) after(d time.Duration) { w.Now = w.Now.Add(d) }

func (w *world) member(pod string) *v1alpha1.MemberStatus {
	w.t.Helper()
	for _, role := range w.Cluster.Status.Roles {
		for i := range role.Members {
			if role.Members[i].Pod == pod {
				return &role.Members[i]
			}
		}
	}
	w.t.Fatalf("no member %s in status", pod)
	return nil
}

func (w *world) condition(kind string) metav1.Condition {
	for _, c := range w.Cluster.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

// expect compares state and the Ready condition's reason.
func (w *world) expect(state v1alpha1.ClusterState, reason string) {
	w.t.Helper()
	if ready := w.condition(v1alpha1.ConditionReady); w.Cluster.Status.State != state || ready.Reason != reason {
		w.t.Fatalf("state %q, Ready=%s/%s (%s); want %q, %s\n%s", w.Cluster.Status.State, ready.Status, ready.Reason, ready.Message, state, reason, strings.Join(w.lines, "--\n"))
	}
}

func testApp() *v1alpha1.KubeDirectorApp {
	return &v1alpha1.KubeDirectorApp{
		ObjectMeta: metav1.ObjectMeta{Name: "app", Namespace: "ns", Generation: 1},
		Spec: v1alpha1.KubeDirectorAppSpec{
			Label:                v1alpha1.Label{Name: "App"},
			DefaultImageRepoTag:  "example/app:1",
			DefaultConfigPackage: &v1alpha1.ConfigPackage{PackageURL: "configmap://setup/setup.tgz"},
			DefaultPersistDirs:   []v1alpha1.Directory{"/data"},
			DefaultEventList:     []v1alpha1.LifecycleEvent{"configure", "restart"},
			Services:             []v1alpha1.Service{{ID: "web", Endpoint: &v1alpha1.Endpoint{Port: 8080, URLScheme: "http", Path: "/", IsDashboard: true}}},
			Roles: []v1alpha1.Role{
				{ID: "controller", Cardinality: "1"},
				{ID: "worker", Cardinality: "1+"},
			},
			Config: v1alpha1.AppConfig{RoleServices: []v1alpha1.RoleServices{{RoleID: "controller", ServiceIDs: []v1alpha1.ServiceID{"web"}}}},
		},
	}
}

func testCluster() *v1alpha1.KubeDirectorCluster {
	return &v1alpha1.KubeDirectorCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "ns", UID: "cluster-uid", Generation: 1},
		Spec: v1alpha1.KubeDirectorClusterSpec{
			App:   "app",
			Roles: []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker", Members: ptr.To[int32](2)}},
		},
	}
}

func withStorage(c *v1alpha1.KubeDirectorCluster) *v1alpha1.KubeDirectorCluster {
	for i := range c.Spec.Roles {
		c.Spec.Roles[i].Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi")}
	}
	return c
}

// readyWorld is a cluster whose three members are configured.
func readyWorld(t *testing.T, cluster *v1alpha1.KubeDirectorCluster) *world {
	w := newWorld(t, cluster, testApp())
	w.settle()
	w.startAll()
	w.settle()
	w.succeed("c-controller-0", "c-worker-0", "c-worker-1")
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
	return w
}

// rosterOf is a text that is equal for statuses with equal members.
func rosterOf(status *v1alpha1.KubeDirectorClusterStatus) string {
	return (&draft{status: status}).rosterText()
}
