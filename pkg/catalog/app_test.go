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

package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// sparkApp uses a default or an exception for everything that has one.
func sparkApp() *v1alpha1.KubeDirectorAppSpec {
	return &v1alpha1.KubeDirectorAppSpec{
		DefaultImageRepoTag:   "example/spark:1",
		DefaultConfigPackage:  &v1alpha1.ConfigPackage{PackageURL: "configmap://spark-setup/setup.tgz"},
		DefaultPersistDirs:    []v1alpha1.Directory{"/var/lib/spark", "/etc", "/var", "/etc"},
		DefaultMaxLogSizeDump: ptr.To[int32](100),
		Services: []v1alpha1.Service{
			{ID: "spark-master", Label: &v1alpha1.Label{Name: "Spark master"}, Endpoint: &v1alpha1.Endpoint{Port: 7077, URLScheme: "spark"}},
			{ID: "ssh", Endpoint: &v1alpha1.Endpoint{Port: 22}},
			{ID: "agent"},
		},
		Roles: []v1alpha1.Role{
			{ID: "controller", Cardinality: "1"},
			{ID: "worker", Cardinality: "1+", ImageRepoTag: "example/worker:2", PersistDirs: []v1alpha1.Directory{"/data"},
				EventList: []v1alpha1.LifecycleEvent{v1alpha1.EventConfigure, v1alpha1.EventRestart, v1alpha1.EventDecommission}, MaxLogSizeDump: ptr.To[int32](5000)},
			{ID: "edge", Cardinality: "0+", ConfigPackage: &v1alpha1.ConfigPackage{None: true}, ConfigureAfter: []string{"worker"},
				PersistDirs: []v1alpha1.Directory{}, ContainerSpec: &v1alpha1.ContainerSpec{Stdin: true}},
			{ID: "unused", Cardinality: "1"},
		},
		Config: v1alpha1.AppConfig{
			RoleServices: []v1alpha1.RoleServices{
				{RoleID: "controller", ServiceIDs: []v1alpha1.ServiceID{"ssh", "spark-master"}},
				{RoleID: "edge", ServiceIDs: []v1alpha1.ServiceID{"agent"}},
			},
			SelectedRoles: []v1alpha1.RoleID{"edge", "worker", "controller"},
		},
		Hooks: &v1alpha1.Hooks{
			HookPolicy: v1alpha1.HookPolicy{TimeoutSeconds: ptr.To[int32](60)},
			Events: []v1alpha1.EventHook{{Event: v1alpha1.EventRestart,
				HookPolicy: v1alpha1.HookPolicy{Retries: ptr.To[int32](0), BackoffSeconds: ptr.To[int32](1)}}},
		},
	}
}

func mustRole(t *testing.T, app *App, id string) *Role {
	t.Helper()
	role, ok := app.Role(id)
	if !ok {
		t.Fatalf("the app has no role %q", id)
	}
	return role
}

func TestDefaultsOfAnApp(t *testing.T) {
	app := New("spark", sparkApp())
	if app.Name != "spark" || app.DistroID != "spark" || app.Version != "0" || app.ConfigSchemaVersion != 7 {
		t.Errorf("got %q, %q, %q, %d", app.Name, app.DistroID, app.Version, app.ConfigSchemaVersion)
	}
	spec := sparkApp()
	spec.DistroID, spec.Version, spec.ConfigSchemaVersion = "bluedata/spark", "4.1", 8
	app = New("spark", spec)
	if app.DistroID != "bluedata/spark" || app.Version != "4.1" || app.ConfigSchemaVersion != 8 {
		t.Errorf("got %q, %q, %d", app.DistroID, app.Version, app.ConfigSchemaVersion)
	}
}

func TestSelectedRolesKeepTheOrderOfTheSpec(t *testing.T) {
	ids := func(app *App) (ids []string) {
		for _, role := range app.Roles() {
			ids = append(ids, role.ID)
		}
		return ids
	}
	spec := sparkApp()
	app := New("spark", spec)
	if diff := cmp.Diff([]string{"controller", "worker", "edge"}, ids(app)); diff != "" {
		t.Errorf("selected roles (-want +got):\n%s", diff)
	}
	if _, ok := app.Role("unused"); ok {
		t.Error("a role that is not selected is found")
	}
	spec.Config.SelectedRoles = nil
	if diff := cmp.Diff([]string{"controller", "worker", "edge", "unused"}, ids(New("spark", spec))); diff != "" {
		t.Errorf("all roles (-want +got):\n%s", diff)
	}
}

func TestARoleTakesDefaultsAndExceptions(t *testing.T) {
	app := New("spark", sparkApp())
	controller, worker, edge := mustRole(t, app, "controller"), mustRole(t, app, "worker"), mustRole(t, app, "edge")

	for _, c := range []struct {
		what      string
		want, got any
	}{
		{"default image", "example/spark:1", controller.Image},
		{"own image", "example/worker:2", worker.Image},
		{"cardinality", Cardinality{Number: 1, OrMore: true}, worker.Cardinality},
		{"default package", &v1alpha1.ConfigPackage{PackageURL: "configmap://spark-setup/setup.tgz"}, controller.Package},
		{"no package although there is a default", (*v1alpha1.ConfigPackage)(nil), edge.Package},
		{"default directories, folded", []string{"/etc", "/var"}, controller.PersistDirs},
		{"own directories", []string{"/data"}, worker.PersistDirs},
		{"no directories although there are defaults", []string(nil), edge.PersistDirs},
		{"default output size", int32(100), controller.MaxLogSizeDump},
		{"output size beyond the most that is kept", int32(256), worker.MaxLogSizeDump},
		{"no container settings", v1alpha1.ContainerSpec{}, controller.ContainerSpec},
		{"container settings", v1alpha1.ContainerSpec{Stdin: true}, edge.ContainerSpec},
		{"services in the app's order", []string{"spark-master:Spark master", "ssh:ssh"}, serviceLabels(controller)},
		{"roles configured before", []string{"worker"}, edge.ConfigureAfter},
		{"no services", []string(nil), serviceLabels(worker)},
		{"ports", []bool{true, false, false}, []bool{controller.HasPorts(), worker.HasPorts(), edge.HasPorts()}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}

	spec := sparkApp()
	spec.DefaultMaxLogSizeDump = nil
	if got := mustRole(t, New("spark", spec), "controller").MaxLogSizeDump; got != 256 {
		t.Errorf("output size without any setting: got %d, want 256", got)
	}
}

func serviceLabels(role *Role) (labels []string) {
	for _, service := range role.Services {
		labels = append(labels, service.ID+":"+service.Label.Name)
	}
	return labels
}

func TestTakes(t *testing.T) {
	app := New("spark", sparkApp())
	for _, c := range []struct {
		role  string
		event v1alpha1.LifecycleEvent
		want  bool
	}{
		{"controller", v1alpha1.EventConfigure, true},
		{"controller", v1alpha1.EventAddNodes, true},
		{"controller", v1alpha1.EventDelNodes, true},
		{"controller", v1alpha1.EventReconnect, true},
		{"controller", v1alpha1.EventRestart, false},
		{"worker", v1alpha1.EventConfigure, true},
		{"worker", v1alpha1.EventAddNodes, false},
		{"controller", v1alpha1.EventDecommission, false},
		{"controller", v1alpha1.EventStop, false},
		{"controller", v1alpha1.EventStart, false},
		{"controller", v1alpha1.EventDelete, false},
		{"worker", v1alpha1.EventRestart, true},
		{"worker", v1alpha1.EventDecommission, true},
		{"edge", v1alpha1.EventConfigure, false},
	} {
		if got := mustRole(t, app, c.role).Takes(c.event); got != c.want {
			t.Errorf("%s takes %s: %t, want %t", c.role, c.event, got, c.want)
		}
	}
}

func TestFoldDirs(t *testing.T) {
	for _, c := range []struct {
		in   []v1alpha1.Directory
		want []string
	}{
		{nil, nil},
		{[]v1alpha1.Directory{"/opt/a", "/opt", "/opt"}, []string{"/opt"}},
		{[]v1alpha1.Directory{"/optional", "/opt"}, []string{"/opt", "/optional"}},
		// "-" sorts before "/", so what lies within /a does not follow it at once.
		{[]v1alpha1.Directory{"/a/b", "/a-c", "/a"}, []string{"/a", "/a-c"}},
	} {
		if diff := cmp.Diff(c.want, foldDirs(c.in)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestNewLeavesTheSpecAlone(t *testing.T) {
	spec := sparkApp()
	app := New("spark", spec)
	app.Roles()[0] = nil
	mustRole(t, app, "controller").Package.PackageURL = "changed"
	mustRole(t, app, "controller").Services[0].Label.Name = "changed"
	mustRole(t, app, "worker").PersistDirs[0] = "changed"
	mustRole(t, app, "edge").ConfigureAfter[0] = "changed"
	if diff := cmp.Diff(sparkApp(), spec); diff != "" {
		t.Errorf("the spec changed (-before +after):\n%s", diff)
	}
	if app.Roles()[0] == nil {
		t.Error("the app changed through the list that Roles returned")
	}
}
