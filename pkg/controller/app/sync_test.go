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

package app

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/fake"
	listers "github.com/bluek8s/kubedirector/pkg/generated/listers/kubedirector/v1alpha1"
)

func sparkApp() *v1alpha1.KubeDirectorApp {
	return &v1alpha1.KubeDirectorApp{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "spark", Generation: 2},
		Spec: v1alpha1.KubeDirectorAppSpec{
			DefaultImageRepoTag: "example/spark:1",
			Roles:               []v1alpha1.Role{{ID: "worker", Cardinality: "1+"}},
		},
	}
}

// sync makes a pass over an app as a cache holds it; nil: it holds none. It
// returns the status that was written, nil when none was.
func sync(t *testing.T, app *v1alpha1.KubeDirectorApp) *v1alpha1.KubeDirectorAppStatus {
	t.Helper()
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	client := fake.NewSimpleClientset()
	if app != nil {
		if err := store.Add(app); err != nil {
			t.Fatal(err)
		}
		client = fake.NewSimpleClientset(app.DeepCopy())
	}
	s := &Syncer{Client: client.KubedirectorV1alpha1(), Lister: listers.NewKubeDirectorAppLister(store)}
	if again, err := s.Sync(t.Context(), cache.ObjectName{Namespace: "ns", Name: "spark"}); err != nil || again != 0 {
		t.Fatalf("again in %s, error %v", again, err)
	}
	switch actions := client.Actions(); {
	case len(actions) == 0:
		return nil
	case len(actions) > 1 || !actions[0].Matches("update", "kubedirectorapps") || actions[0].GetSubresource() != "status":
		t.Fatalf("requests: %v", actions)
	}
	return &client.Actions()[0].(clienttesting.UpdateAction).GetObject().(*v1alpha1.KubeDirectorApp).Status
}

func TestAnAppIsJudgedOncePerGeneration(t *testing.T) {
	app := sparkApp()
	status := sync(t, app)
	if status == nil || status.ObservedGeneration != 2 || !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionValid) {
		t.Fatalf("status %+v", status)
	}
	app.Status = *status
	if again := sync(t, app); again != nil {
		t.Errorf("the same verdict is written again: %+v", again)
	}
}

func TestEveryFaultOfAnAppIsNamed(t *testing.T) {
	app := sparkApp()
	app.Spec.DefaultImageRepoTag = "UPPER CASE"
	app.Spec.Config.SelectedRoles = []v1alpha1.RoleID{"boss"}
	status := sync(t, app)
	if status == nil {
		t.Fatal("no verdict")
	}
	valid := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionValid)
	if valid.Status != metav1.ConditionFalse || !strings.Contains(valid.Message, "spec.defaultImageRepoTag") || !strings.Contains(valid.Message, "spec.config.selectedRoles[0]") {
		t.Errorf("Valid is %s: %s", valid.Status, valid.Message)
	}
}

func TestAVerdictFitsIntoItsCondition(t *testing.T) {
	app := sparkApp()
	for range 1000 {
		app.Spec.Config.SelectedRoles = append(app.Spec.Config.SelectedRoles, "a-role-that-this-app-does-not-have")
	}
	status := sync(t, app)
	if got := len(status.Conditions[0].Message); got > 32768 {
		t.Errorf("the message has %d bytes, and a condition takes 32768", got)
	}
}

func TestNoVerdictOnAnAppThatGoes(t *testing.T) {
	app := sparkApp()
	now := metav1.Now()
	app.DeletionTimestamp = &now
	if sync(t, app) != nil || sync(t, nil) != nil {
		t.Error("there is one")
	}
}
