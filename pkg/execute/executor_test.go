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

package execute

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/component-base/metrics/testutil"
	"k8s.io/klog/v2/ktesting"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/freshness"
	"github.com/bluek8s/kubedirector/pkg/plan"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// ours is the UID of the fixture's cluster.
const ours types.UID = "u-spark"

func pod(name string) *corev1.Pod { return &corev1.Pod{ObjectMeta: meta(name, ours)} }

func claim(name string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ml", UID: types.UID("u-" + name)}}
}

func setPatch() resources.Patch {
	drift, _ := resources.SetDrift(statefulSet(ours, 1), statefulSet(ours, 3))
	return drift
}

func servicePatch() resources.Patch {
	want := service(ours)
	want.Spec.PublishNotReadyAddresses = true
	drift, _ := resources.ServiceDrift(service(ours), want)
	return drift
}

// TestActions holds for every action what is requested, under which
// preconditions, and what is noted of it.
func TestActions(t *testing.T) {
	tests := []struct {
		action   plan.Action
		have     []runtime.Object
		requests []string
		noted    []string
	}{
		{
			action:   plan.AddFinalizer{},
			requests: []string{`patch kubedirectorclusters spark {"metadata":{"finalizers":["example.org/backup","kubedirector.bluedata.io/cluster"],"resourceVersion":"40","uid":"u-spark"}}`},
			noted:    []string{"ml/spark wrote kubedirectorclusters.kubedirector.bluedata.io at 40"},
		},
		{
			action:   plan.RemoveFinalizer{},
			requests: []string{`patch kubedirectorclusters spark {"metadata":{"finalizers":["example.org/backup"],"resourceVersion":"40","uid":"u-spark"}}`},
			noted:    []string{"ml/spark wrote kubedirectorclusters.kubedirector.bluedata.io at 40"},
		},
		{
			action:   plan.CreateRevision{Revision: revision(ours)},
			requests: []string{"create controllerrevisions spark.app-1"},
			noted:    []string{"ml/spark wrote controllerrevisions.apps at 7"},
		},
		{
			action:   plan.DeleteRevision{Revision: plan.Object{Name: "spark.app-1", UID: "u-1", Version: "7"}},
			have:     []runtime.Object{revision(ours)},
			requests: []string{"delete controllerrevisions spark.app-1 only uid u-1, Background"},
			noted:    []string{"ml/spark deleted controllerrevisions.apps ml/spark.app-1 u-1"},
		},
		{
			action:   plan.CreateService{Service: service(ours)},
			requests: []string{"create services spark"},
			noted:    []string{"ml/spark wrote services at 7"},
		},
		{
			action:   plan.PatchService{Service: plan.Object{Name: "spark", UID: "u-1", Version: "7"}, Patch: servicePatch()},
			have:     []runtime.Object{service(ours)},
			requests: []string{`patch services spark {"metadata":{"resourceVersion":"7","uid":"u-1"},"spec":{"publishNotReadyAddresses":true}}`},
			noted:    []string{"ml/spark wrote services at 7"},
		},
		{
			action:   plan.DeleteService{Service: plan.Object{Name: "spark", UID: "u-1", Version: "7"}},
			have:     []runtime.Object{service(ours)},
			requests: []string{"delete services spark only uid u-1, Background"},
			noted:    []string{"ml/spark deleted services ml/spark u-1"},
		},
		{
			action:   plan.CreateSet{Set: statefulSet(ours, 2)},
			requests: []string{"create statefulsets spark-worker"},
			noted:    []string{"ml/spark wrote statefulsets.apps at 7"},
		},
		{
			action:   plan.PatchSet{Set: plan.Object{Name: "spark-worker", UID: "u-1", Version: "7"}, Patch: setPatch()},
			have:     []runtime.Object{statefulSet(ours, 1)},
			requests: []string{`patch statefulsets spark-worker {"metadata":{"resourceVersion":"7","uid":"u-1"},"spec":{"replicas":3}}`},
			noted:    []string{"ml/spark wrote statefulsets.apps at 7"},
		},
		{
			action:   plan.DeleteSet{Set: plan.Object{Name: "spark-worker", UID: "u-1", Version: "7"}},
			have:     []runtime.Object{statefulSet(ours, 1)},
			requests: []string{"delete statefulsets spark-worker only uid u-1, Background"},
			noted:    []string{"ml/spark deleted statefulsets.apps ml/spark-worker u-1"},
		},
		{
			action:   plan.DeletePod{Pod: plan.Object{Name: "spark-worker-0", UID: "u-1", Version: "7"}, Why: "its template was corrected"},
			have:     []runtime.Object{pod("spark-worker-0")},
			requests: []string{"delete pods spark-worker-0 only uid u-1, Background"},
			noted:    []string{"ml/spark deleted pods ml/spark-worker-0 u-1"},
		},
		{
			action:   plan.DeletePod{Pod: plan.Object{Name: "spark-worker-0", UID: "u-1", Version: "7"}, Why: "another member takes its place", Force: true},
			have:     []runtime.Object{pod("spark-worker-0")},
			requests: []string{"delete pods spark-worker-0 only uid u-1, Background, in 0 s"},
			noted:    []string{"ml/spark deleted pods ml/spark-worker-0 u-1"},
		},
		{
			action:   plan.DeleteClaim{Claim: plan.Object{Name: "persist-spark-worker-0", UID: "u-1", Version: "7"}},
			have:     []runtime.Object{claim("persist-spark-worker-0")},
			requests: []string{"delete persistentvolumeclaims persist-spark-worker-0 only uid u-1 at 7, Background"},
			noted:    []string{"ml/spark deleted persistentvolumeclaims ml/persist-spark-worker-0 u-1"},
		},
		{
			action: plan.VisitGuest{Step: plan.Step{Container: plan.Container{Pod: types.NamespacedName{Namespace: "ml", Name: "spark-worker-0"}}, MetadataGeneration: 3}},
			noted:  []string{"ml/spark visits spark-worker-0 metadata@3"},
		},
		{
			action: plan.CheckPackage{ConfigMap: catalog.ConfigMapKey{Namespace: "ml", Name: "setup", Key: "spark.tgz"}},
			noted:  []string{"ml/spark checks key spark.tgz of ConfigMap ml/setup"},
		},
	}
	tried := map[string]bool{}
	for _, test := range tests {
		name := strings.TrimPrefix(fmt.Sprintf("%T", test.action), "plan.")
		tried[name] = true
		t.Run(name, func(t *testing.T) {
			_, ctx := ktesting.NewTestContext(t)
			f := newFixture(t, test.have...)
			if err := f.Do(ctx, f.cluster, []plan.Action{test.action}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.requests, f.requests(t)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.noted, f.noted.lines); diff != "" {
				t.Errorf("noted (-want +got):\n%s", diff)
			}
		})
	}
	for _, name := range actionsOfPlan(t) {
		if !tried[name] {
			t.Errorf("action %s of package plan is not in this table", name)
		}
	}
}

// requests are those the fakes have seen, as text.
func (f *fixture) requests(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, action := range append(f.kd.Actions(), f.kube.Actions()...) {
		line := action.GetVerb() + " " + action.GetResource().Resource
		if sub := action.GetSubresource(); sub != "" {
			line += "/" + sub
		}
		switch a := action.(type) {
		case clienttesting.CreateActionImpl:
			line += " " + a.Object.(metav1.Object).GetName()
		case clienttesting.UpdateActionImpl:
			object := a.Object.(metav1.Object)
			line += fmt.Sprintf(" %s at %s", object.GetName(), object.GetResourceVersion())
		case clienttesting.GetActionImpl:
			line += " " + a.Name
		case clienttesting.PatchActionImpl:
			if a.PatchType != types.MergePatchType {
				t.Errorf("%s: the patch is of type %s", line, a.PatchType)
			}
			line += fmt.Sprintf(" %s %s", a.Name, a.Patch)
		case clienttesting.DeleteActionImpl:
			line += fmt.Sprintf(" %s only %s, %s", a.Name, onlyIf(a.DeleteOptions.Preconditions), *a.DeleteOptions.PropagationPolicy)
			if grace := a.DeleteOptions.GracePeriodSeconds; grace != nil {
				line += fmt.Sprintf(", in %d s", *grace)
			}
		default:
			t.Errorf("unexpected request %T", action)
		}
		lines = append(lines, line)
	}
	return lines
}

func onlyIf(p *metav1.Preconditions) string {
	text := "uid " + string(ptr.Deref(p.UID, ""))
	if p.ResourceVersion != nil {
		text += " at " + *p.ResourceVersion
	}
	return text
}

func TestOneFailureDoesNotStopTheRest(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	full := apierrors.NewForbidden(corev1.Resource("services"), "spark", errors.New("exceeded quota"))
	f.kube.PrependReactor("create", "services", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, full })

	err := f.Do(ctx, f.cluster, []plan.Action{plan.CreateService{Service: service(ours)}, plan.CreateSet{Set: statefulSet(ours, 1)}})

	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "create service spark headless: ") {
		t.Errorf("error is %v", err)
	}
	if diff := cmp.Diff([]string{"create services spark", "create statefulsets spark-worker"}, f.requests(t)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestCreateUnderTakenName(t *testing.T) {
	tests := map[string]struct {
		owner types.UID
		taken bool
	}{
		"ours":                   {ours, false},
		"an earlier cluster's":   {"u-older", true},
		"nobody's we know about": {"", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, ctx := ktesting.NewTestContext(t)
			f := newFixture(t, service(test.owner))
			err := f.Do(ctx, f.cluster, []plan.Action{plan.CreateService{Service: service(ours)}})
			var taken *NameTakenError
			if errors.As(err, &taken) != test.taken || (err != nil) != test.taken {
				t.Errorf("error is %v, want a NameTakenError: %t", err, test.taken)
			}
			// The cache must show the other object before anything is planned again.
			if diff := cmp.Diff([]string{"ml/spark wrote services at 7"}, f.noted.lines); diff != "" {
				t.Errorf("noted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCreateInNamespaceThatEnds(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	ends := apierrors.NewForbidden(corev1.Resource("services"), "spark", errors.New("namespace ml is being terminated"))
	ends.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	f.kube.PrependReactor("create", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, ends })
	err := f.Do(ctx, f.cluster, []plan.Action{plan.CreateService{Service: service(ours)}})
	if stale := (*freshness.StaleError)(nil); !errors.As(err, &stale) {
		t.Errorf("error is %v, want one that asks for patience", err)
	}
}

func TestDeletingWhatIsGone(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	if err := f.kd.Tracker().Delete(f.clusterResource(), "ml", "spark"); err != nil {
		t.Fatal(err)
	}
	err := f.Do(ctx, f.cluster, []plan.Action{
		plan.DeleteSet{Set: plan.Object{Name: "spark-worker", UID: "u-1"}},
		plan.RemoveFinalizer{},
	})
	if err != nil {
		t.Errorf("error is %v", err)
	}
}

// TestForceOnAPodThatIsGoing: a pod on a dead node stays terminating until it is deleted by force.
func TestForceOnAPodThatIsGoing(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	going := pod("spark-worker-0")
	going.DeletionTimestamp, going.DeletionGracePeriodSeconds = ptr.To(metav1.Now()), ptr.To[int64](30)
	f := newFixture(t, going)
	action := plan.DeletePod{Pod: plan.Object{Name: going.Name, UID: going.UID}, Why: "its node is down", Force: true}
	if err := f.Do(ctx, f.cluster, []plan.Action{action}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"delete pods spark-worker-0 only uid u-spark-worker-0, Background, in 0 s"}, f.requests(t)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if _, err := f.kube.CoreV1().Pods("ml").Get(ctx, going.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the pod is still there: %v", err)
	}
}

func TestConflictIsReturned(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t, statefulSet(ours, 1))
	f.kube.PrependReactor("patch", "statefulsets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(corev1.Resource("statefulsets"), "spark-worker", errors.New("changed"))
	})
	conflicts := func() float64 {
		value, err := testutil.GetCounterMetricValue(actionsTotal.WithLabelValues("PatchSet", resultConflict))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	before := conflicts()
	err := f.Do(ctx, f.cluster, []plan.Action{plan.PatchSet{Set: plan.Object{Name: "spark-worker", UID: "u-1", Version: "7"}, Patch: setPatch()}})
	if !apierrors.IsConflict(err) {
		t.Errorf("error is %v", err)
	}
	if len(f.noted.lines) > 0 {
		t.Errorf("noted %v", f.noted.lines)
	}
	if got := conflicts() - before; got != 1 {
		t.Errorf("%v conflicts were counted", got)
	}
}

// TestWhatIsGoneIsNoFault: between an observation and an action anything may go, and the event that tells of it is on its way.
func TestWhatIsGoneIsNoFault(t *testing.T) {
	_, ctx := ktesting.NewTestContext(t)
	f := newFixture(t)
	if err := f.kd.Tracker().Delete(v1alpha1.SchemeGroupVersion.WithResource("kubedirectorclusters"), f.cluster.Namespace, f.cluster.Name); err != nil {
		t.Fatal(err)
	}
	gone := plan.Object{Name: "gone", UID: "uid", Version: "1"}
	for _, action := range []plan.Action{
		plan.AddFinalizer{}, plan.RemoveFinalizer{},
		plan.PatchService{Service: gone}, plan.PatchSet{Set: gone},
		plan.DeleteService{Service: gone}, plan.DeletePod{Pod: gone}, plan.DeleteClaim{Claim: gone},
	} {
		if err := f.Do(ctx, f.cluster, []plan.Action{action}); err != nil {
			t.Errorf("%s: %v", action, err)
		}
	}
}
