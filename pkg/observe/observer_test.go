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

package observe

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/klog/v2/ktesting"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/plan"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

// look observes the fixture's cluster.
func (f *fixture) look(t *testing.T) *plan.Observed {
	t.Helper()
	_, ctx := ktesting.NewTestContext(t)
	seen, err := f.Cluster(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestAbsentClusterIsNil(t *testing.T) {
	if seen := newFixture(t).look(t); seen != nil {
		t.Errorf("saw %+v", seen)
	}
}

func TestChildren(t *testing.T) {
	recorded := cluster()
	recorded.Status.Roles = []v1alpha1.RoleStatus{{
		ID: "gone", StatefulSet: "spark-gone", Members: []v1alpha1.MemberStatus{{Pod: "spark-gone-0"}},
	}}
	f := newFixture(t, recorded, app("ml"),
		service("spark", ours),
		service("spark-controller-0-svc", ours),                                              // by cardinality
		service("spark-worker-1-svc"),                                                        // needed, another's
		service("spark-gone-0-svc", ours),                                                    // of a recorded member
		service("spark-worker-7-svc", ours),                                                  // owned, no longer needed
		service("spark-unlabelled", ownedBy("KubeDirectorCluster", "u-spark")),               // owned, its label taken off
		service("spark-pretender", labelled),                                                 // labelled by somebody else
		service("spark-orphan", labelled, ownedBy("KubeDirectorCluster", "u-earlier-spark")), // of an earlier cluster
		service("elsewhere"),
		set("spark-worker", 1, ours), set("spark-gone", 1, ours), set("spark-controller", 1), set("spark-odd", 1, labelled),
		claim("persist-spark-worker-0", corev1.ClaimBound), claim("persist-spark-worker-8", corev1.ClaimBound, labelled), claim("data", corev1.ClaimBound),
		&appsv1.ControllerRevision{ObjectMeta: meta("spark.app-1", ours)},
		&appsv1.ControllerRevision{ObjectMeta: meta("spark.app-0", labelled)},
		pod("spark-worker-0", "spark-worker"), pod("spark-controller-0", "spark-controller"), pod("stray", "other"),
	)
	seen := f.look(t)
	for what, got := range map[string][2][]string{
		"services": {keys(seen.Services), {"spark", "spark-controller-0-svc", "spark-gone-0-svc", "spark-unlabelled", "spark-worker-1-svc", "spark-worker-7-svc"}},
		"sets":     {keys(seen.Sets), {"spark-controller", "spark-gone", "spark-worker"}},
		"claims":   {keys(seen.Claims), {"persist-spark-worker-0", "persist-spark-worker-8"}},
		"pods":     {keys(seen.Pods), {"spark-worker-0"}},
	} {
		if diff := cmp.Diff(got[1], got[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if len(seen.Revisions) != 1 || seen.Revisions[0].Name != "spark.app-1" {
		t.Errorf("revisions are %v", seen.Revisions)
	}
	if got := seen.Outcomes["u-spark-worker-0"]; got.Phase != plan.PhaseDone || len(seen.Outcomes) != 1 {
		t.Errorf("outcomes are %v", seen.Outcomes)
	}
	if diff := cmp.Diff(map[catalog.ConfigMapKey]plan.PackageCheck{packageKey: {Version: "v1"}}, seen.Packages); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if !seen.Now.Equal(started.Add(time.Hour)) {
		t.Errorf("seen at %s", seen.Now)
	}
}

// TestNamesOfAnElasticRole holds that no name is missed under which a member
// may be made, whichever of the numbers counts in the end.
func TestNamesOfAnElasticRole(t *testing.T) {
	for name, test := range map[string]struct {
		asked       int32
		cardinality string
		app         bool
		want        int
	}{
		"more than the role says":     {3, "1+", true, 3},
		"fewer than the app demands":  {0, "2", true, 2},
		"more than the app allows":    {3, "2", true, 3},
		"of an app that is gone":      {3, "", false, 3},
		"of a role that the app lost": {3, "", true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster()
			c.Spec.Roles = []v1alpha1.ClusterRole{{ID: "worker", Members: ptr.To[int32](1)}}
			c.Spec.Elastic = &v1alpha1.Elastic{Role: "worker", Members: test.asked}
			f := newFixture(t, c)
			if test.app {
				a := app("ml")
				a.Spec.Roles = nil
				if test.cardinality != "" {
					a.Spec.Roles = []v1alpha1.Role{{ID: "worker", Cardinality: test.cardinality}}
				}
				f.add(t, a)
			}
			for ordinal := range 5 {
				f.add(t, service(fmt.Sprintf("spark-worker-%d-svc", ordinal))) // another's
			}
			if got := len(f.look(t).Services); got != test.want {
				t.Errorf("the Services of %d members are seen, want %d", got, test.want)
			}
		})
	}
}

// TestWhatLeavesStaysVisible: a member has left when its pod is gone, not when that was asked for.
func TestWhatLeavesStaysVisible(t *testing.T) {
	c := cluster()
	c.Spec.Roles = c.Spec.Roles[:1]
	c.Status.Roles = []v1alpha1.RoleStatus{{ID: "worker", StatefulSet: "spark-worker", Members: []v1alpha1.MemberStatus{{Pod: "spark-worker-0"}}}}
	going := func(m *metav1.ObjectMeta) { m.DeletionTimestamp = ptr.To(metav1.NewTime(started)) }
	leaving := pod("spark-worker-0", "spark-worker")
	beyond := pod("spark-worker-1", "spark-worker") // its member is recorded no more
	going(&leaving.ObjectMeta)
	going(&beyond.ObjectMeta)
	f := newFixture(t, c, leaving, beyond,
		set("spark-worker", 0, ours, going),
		service("spark-worker-0-svc", ours, going),
		claim("persist-spark-worker-0", corev1.ClaimBound, labelled, going),
		claim("persist-spark-worker-1", corev1.ClaimPending, labelled), // retained, or not yet deleted
	)
	seen := f.look(t)
	for what, got := range map[string][2][]string{
		"pods":     {keys(seen.Pods), {"spark-worker-0", "spark-worker-1"}},
		"sets":     {keys(seen.Sets), {"spark-worker"}},
		"services": {keys(seen.Services), {"spark-worker-0-svc"}},
		"claims":   {keys(seen.Claims), {"persist-spark-worker-0", "persist-spark-worker-1"}},
	} {
		if diff := cmp.Diff(got[1], got[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if asked := len(f.kube.Actions()); asked != 0 {
		t.Errorf("%d requests about objects of which none is stuck", asked)
	}
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func TestApp(t *testing.T) {
	for name, test := range map[string]struct {
		catalog v1alpha1.AppCatalog
		apps    []string // namespaces that have it
		want    string
	}{
		"local first":                {"", []string{"ml", "catalog"}, "ml"},
		"system second":              {"", []string{"catalog"}, "catalog"},
		"local only":                 {v1alpha1.AppCatalogLocal, []string{"catalog"}, ""},
		"system only":                {v1alpha1.AppCatalogSystem, []string{"ml", "catalog"}, "catalog"},
		"in nobody's catalog":        {"", []string{"other"}, ""},
		"system only, but not there": {v1alpha1.AppCatalogSystem, []string{"ml"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster()
			c.Spec.AppCatalog = test.catalog
			f := newFixture(t, c)
			for _, namespace := range test.apps {
				f.add(t, app(namespace))
			}
			got := ""
			if seen := f.look(t); seen.App != nil {
				got = seen.App.Namespace
			}
			if got != test.want {
				t.Errorf("app is taken from %q, want %q", got, test.want)
			}
		})
	}
}

func TestStorageClasses(t *testing.T) {
	class := func(name string, isDefault bool, age time.Duration) *storagev1.StorageClass {
		c := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(started.Add(-age))}}
		if isDefault {
			c.Annotations = map[string]string{isDefaultClass: "true"}
		}
		return c
	}
	for name, test := range map[string]struct {
		classes []*storagev1.StorageClass
		want    validate.StorageClasses
	}{
		"none":               {nil, validate.StorageClasses{Names: sets.New[string]()}},
		"no default":         {[]*storagev1.StorageClass{class("a", false, 0)}, validate.StorageClasses{Names: sets.New("a")}},
		"the newest default": {[]*storagev1.StorageClass{class("a", true, time.Hour), class("b", true, 0)}, validate.StorageClasses{Names: sets.New("a", "b"), Default: "b"}},
		"the first by name":  {[]*storagev1.StorageClass{class("b", true, 0), class("a", true, 0)}, validate.StorageClasses{Names: sets.New("a", "b"), Default: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, cluster())
			for _, c := range test.classes {
				f.add(t, c)
			}
			if diff := cmp.Diff(&test.want, f.look(t).StorageClasses); diff != "" {
				t.Errorf("storage classes (-want +got):\n%s", diff)
			}
		})
	}
	f := newFixture(t, cluster())
	f.Caches.StorageClasses = nil
	if got := f.look(t).StorageClasses; got != nil {
		t.Errorf("where they can't be seen there are %v", got)
	}
}

// TestStuckObjects holds about what Events are asked for: each question is a
// request, and a cluster with nothing amiss must make none.
func TestStuckObjects(t *testing.T) {
	leaving := cluster()
	leaving.DeletionTimestamp = ptr.To(metav1.NewTime(started))
	for name, test := range map[string]struct {
		cluster *v1alpha1.KubeDirectorCluster
		asked   int
	}{"one that runs": {cluster(), 2}, "one that goes": {leaving, 0}} {
		t.Run(name, func(t *testing.T) {
			test.cluster.Status.Roles = []v1alpha1.RoleStatus{{ID: "worker", StatefulSet: "spark-worker", Members: []v1alpha1.MemberStatus{
				{Pod: "spark-worker-0"}, {Pod: "spark-worker-1"}}}}
			f := newFixture(t, test.cluster,
				set("spark-worker", 2, ours), pod("spark-worker-0", "spark-worker"), // misses one
				set("spark-controller", 1, ours), pod("spark-controller-0", "spark-controller"),
				claim("persist-spark-worker-0", corev1.ClaimBound, labelled),
				claim("persist-spark-worker-1", corev1.ClaimPending, labelled),
				claim("persist-spark-controller-0", corev1.ClaimPending),       // not ours
				claim("persist-spark-worker-7", corev1.ClaimPending, labelled), // left by an earlier cluster
			)
			f.look(t)
			if got := len(f.kube.Actions()); got != test.asked {
				t.Errorf("%d requests, want %d: %v", got, test.asked, f.kube.Actions())
			}
		})
	}
}
