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

package validate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// validApp uses all that a rule looks at.
func validApp() *v1alpha1.KubeDirectorApp {
	return &v1alpha1.KubeDirectorApp{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "spark41"},
		Spec: v1alpha1.KubeDirectorAppSpec{
			DefaultImageRepoTag:  "registry.example.com:5000/big-data/spark:4.1",
			DefaultConfigPackage: &v1alpha1.ConfigPackage{PackageURL: "configmap://spark-setup/setup.tgz"},
			// Those of the 2019 talk's example: each contains a reserved one or none.
			DefaultPersistDirs: []v1alpha1.Directory{"/usr", "/opt", "/var", "/etc", "/data"},
			Services: []v1alpha1.Service{
				{ID: "spark-master", Endpoint: &v1alpha1.Endpoint{Port: 7077}},
				{ID: "master-ui", Endpoint: &v1alpha1.Endpoint{Port: 8080}},
				{ID: "worker-ui", Endpoint: &v1alpha1.Endpoint{Port: 8080}},
				{ID: "22"},
			},
			Roles: []v1alpha1.Role{
				{ID: "controller", Cardinality: "1"},
				{ID: "worker", Cardinality: "1+", ConfigPackage: &v1alpha1.ConfigPackage{None: true}, ConfigureAfter: []string{"controller"}},
				{ID: "jupyter", Cardinality: "0+", ImageRepoTag: "jupyter", ConfigureAfter: []string{"worker", "controller"}},
			},
			Config: v1alpha1.AppConfig{
				RoleServices: []v1alpha1.RoleServices{
					{RoleID: "controller", ServiceIDs: []v1alpha1.ServiceID{"spark-master", "master-ui"}},
					{RoleID: "worker", ServiceIDs: []v1alpha1.ServiceID{"worker-ui", "22"}},
				},
				SelectedRoles: []v1alpha1.RoleID{"controller", "worker", "jupyter"},
			},
		},
	}
}

func TestAValidAppHasNoFaults(t *testing.T) {
	app := validApp()
	if faults := App(app); len(faults) > 0 {
		t.Error(lines(faults))
	}
	if diff := cmp.Diff(validApp(), app); diff != "" {
		t.Errorf("the app changed (-before +after):\n%s", diff)
	}
}

// Each case makes one thing of a valid app wrong.
var faultyApps = []struct {
	name string
	spec func(*v1alpha1.KubeDirectorAppSpec)
	want string
}{
	{"image with capitals", func(s *v1alpha1.KubeDirectorAppSpec) { s.DefaultImageRepoTag = "Spark:4.1" },
		`spec.defaultImageRepoTag: Invalid value: "Spark:4.1": not an image reference: use [host[:port]/]name[:tag][@digest], in lower case but for host and tag`},
	{"image of a role with a space", func(s *v1alpha1.KubeDirectorAppSpec) { s.Roles[2].ImageRepoTag = "jupyter :1" },
		`spec.roles[2].imageRepoTag: Invalid value: "jupyter :1": not an image reference: use [host[:port]/]name[:tag][@digest], in lower case but for host and tag`},
	{"no image", func(s *v1alpha1.KubeDirectorAppSpec) { s.DefaultImageRepoTag = ""; s.Roles[0].ImageRepoTag = "spark" },
		`spec.roles[1].imageRepoTag: Required value: role "worker" has no image: set it, or spec.defaultImageRepoTag`},
	{"package of an unknown scheme", func(s *v1alpha1.KubeDirectorAppSpec) { s.DefaultConfigPackage.PackageURL = "ftp://a/b.tgz" },
		`spec.defaultConfigPackage.packageURL: Invalid value: "ftp://a/b.tgz": scheme "ftp" is not known: use http(s)://host/path, file:///path or configmap://name/key`},
	{"package of a role without key", func(s *v1alpha1.KubeDirectorAppSpec) {
		s.Roles[1].ConfigPackage = &v1alpha1.ConfigPackage{PackageURL: "configmap://setup"}
	},
		`spec.roles[1].configPackage.packageURL: Invalid value: "configmap://setup": the key is missing: use configmap://name/key`},
	{"directory of the kernel", func(s *v1alpha1.KubeDirectorAppSpec) {
		s.DefaultPersistDirs = []v1alpha1.Directory{"/data", "/proc/sys"}
	},
		`spec.defaultPersistDirs[1]: Invalid value: "/proc/sys": /proc is a mount of its own in every container and can't be kept: remove this entry`},
	{"the guest's directory", func(s *v1alpha1.KubeDirectorAppSpec) {
		s.Roles[0].PersistDirs = []v1alpha1.Directory{"/opt/guestconfig"}
	},
		`spec.roles[0].persistDirs[0]: Invalid value: "/opt/guestconfig": /opt/guestconfig is a mount of its own in every container and can't be kept: remove this entry`},
	{"the root directory", func(s *v1alpha1.KubeDirectorAppSpec) { s.DefaultPersistDirs = []v1alpha1.Directory{"/"} },
		`spec.defaultPersistDirs[0]: Invalid value: "/": the whole root directory can't be kept: list the directories that hold state`},
	{"service id without letters", func(s *v1alpha1.KubeDirectorAppSpec) { s.Services[3].Endpoint = &v1alpha1.Endpoint{Port: 22} },
		`spec.services[3].id: Invalid value: "22": it names a port and so must contain at least one letter (a-z)`},
	{"cardinality that is none", func(s *v1alpha1.KubeDirectorAppSpec) { s.Roles[0].Cardinality = "one" },
		`spec.roles[0].cardinality: Invalid value: "one": no cardinality: use a number for exactly so many members, as in "3", or a number and a plus sign for at least so many, as in "1+"`},
	{"cardinality beyond any cluster", func(s *v1alpha1.KubeDirectorAppSpec) { s.Roles[0].Cardinality = "1001" },
		`spec.roles[0].cardinality: Invalid value: "1001": more than the 1000 members that a cluster can have: lower it`},
	{"services of an unknown role", func(s *v1alpha1.KubeDirectorAppSpec) { s.Config.RoleServices[1].RoleID = "slave" },
		`spec.config.roleServices[1].roleID: Not found: "slave": use one of: controller, worker, jupyter`},
	{"unknown service", func(s *v1alpha1.KubeDirectorAppSpec) { s.Config.RoleServices[1].ServiceIDs[0] = "ui" },
		`spec.config.roleServices[1].serviceIDs[0]: Not found: "ui": use one of: spark-master, master-ui, worker-ui, 22`},
	{"unknown service where there are none", func(s *v1alpha1.KubeDirectorAppSpec) {
		s.Services = nil
		s.Config.RoleServices = []v1alpha1.RoleServices{{RoleID: "worker", ServiceIDs: []v1alpha1.ServiceID{"ui"}}}
	},
		`spec.config.roleServices[0].serviceIDs[0]: Not found: "ui": there are none to choose from`},
	{"one port twice in a role", func(s *v1alpha1.KubeDirectorAppSpec) {
		s.Config.RoleServices[1].ServiceIDs = []v1alpha1.ServiceID{"worker-ui", "22", "master-ui"}
	},
		`spec.config.roleServices[1].serviceIDs[2]: Invalid value: "master-ui": service "worker-ui" of this role listens on port 8080 too: give one of them another port, or leave one out`},
	{"unknown selected role", func(s *v1alpha1.KubeDirectorAppSpec) { s.Config.SelectedRoles[1] = "edge" },
		`spec.config.selectedRoles[1]: Not found: "edge": use one of: controller, worker, jupyter`},
	{"waiting for an unknown role", func(s *v1alpha1.KubeDirectorAppSpec) {
		s.Roles[1].ConfigureAfter = []string{"controller", "edge"}
	},
		`spec.roles[1].configureAfter[1]: Not found: "edge": use one of: controller, worker, jupyter`},
	{"waiting for itself", func(s *v1alpha1.KubeDirectorAppSpec) { s.Roles[0].ConfigureAfter = []string{"controller"} },
		`spec.roles[0].configureAfter[0]: Invalid value: "controller": a role can't wait for itself: remove this entry`},
	{"waiting for each other", func(s *v1alpha1.KubeDirectorAppSpec) { s.Roles[0].ConfigureAfter = []string{"worker"} },
		`spec.roles[1].configureAfter[0]: Invalid value: "controller": controller waits for worker waits for controller, so none is ever configured: remove this entry, or another of them`},
	{"two circles, of three roles and of two", func(s *v1alpha1.KubeDirectorAppSpec) { s.Roles[0].ConfigureAfter = []string{"jupyter"} },
		`spec.roles[1].configureAfter[0]: Invalid value: "controller": controller waits for jupyter waits for worker waits for controller, so none is ever configured: remove this entry, or another of them` + "\n" +
			`spec.roles[2].configureAfter[1]: Invalid value: "controller": controller waits for jupyter waits for controller, so none is ever configured: remove this entry, or another of them`},
	{"a circle that the first role only waits for", func(s *v1alpha1.KubeDirectorAppSpec) {
		s.Roles[0].ConfigureAfter = []string{"worker"}
		s.Roles[1].ConfigureAfter = []string{"jupyter"}
		s.Roles[2].ConfigureAfter = []string{"worker"}
	},
		`spec.roles[2].configureAfter[0]: Invalid value: "worker": worker waits for jupyter waits for worker, so none is ever configured: remove this entry, or another of them`},
}

func TestFaultyApps(t *testing.T) {
	for _, c := range faultyApps {
		t.Run(c.name, func(t *testing.T) {
			app := validApp()
			c.spec(&app.Spec)
			if diff := cmp.Diff(c.want, lines(App(app))); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func lines(faults field.ErrorList) string {
	var list []string
	for _, fault := range faults {
		list = append(list, fault.Error())
	}
	return strings.Join(list, "\n")
}

func TestIsImageReference(t *testing.T) {
	const digest = "@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for _, image := range []string{
		"spark", "spark:4.1", "bluedata/cdh5142cm:3.0", "localhost:5000/a/b_c/d__e/f--g:T_1.x-y", "spark" + digest, "spark:4.1" + digest,
		"[::1]:5000/spark", "Registry.Example.com/spark",
	} {
		if !isImageReference(image) {
			t.Errorf("%q is refused", image)
		}
	}
	for _, image := range []string{
		"", "Spark", "spark:", "spark:-1", "spark:" + strings.Repeat("a", 129), "/spark", "spark/", "a//b", "a___b", "-a", "spark@sha256:12",
		"https://example.com/spark", "spark:1 ", "spark\n", "example.com:port/spark", "a:1:2",
	} {
		if isImageReference(image) {
			t.Errorf("%q is accepted", image)
		}
	}
}
