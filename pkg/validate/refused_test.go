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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// Each case makes one thing of a valid situation wrong.
var refusedClusters = []struct {
	name   string
	change func(*situation)
	want   []string
}{
	{"unknown role, and so a missing one", func(s *situation) { s.role(0).ID = "master" }, []string{
		`spec.roles[0].id: Not found: "master": app "spark41" has no such role: use one of: controller, worker, jupyter`,
		`spec.roles: Required value: role "controller" is left out: add it, the app asks for exactly 1`}},
	{"a role that is not selected", func(s *situation) {
		s.app.Spec.Config.SelectedRoles = []v1alpha1.RoleID{"worker"}
	}, []string{`spec.roles[0].id: Not found: "controller": app "spark41" has no such role: use one of: worker`}},
	{"missing role", func(s *situation) { s.cluster.Spec.Roles = s.cluster.Spec.Roles[:1] }, []string{
		`spec.roles: Required value: role "worker" is left out: add it, the app asks for at least 1`}},
	{"more members than exactly so many", func(s *situation) { s.role(0).Members = ptr.To[int32](2) }, []string{
		`spec.roles[0].members: Invalid value: 2: the app asks for exactly 1: set it to 1 or leave it out`}},
	{"fewer members than at least so many", func(s *situation) { s.role(1).Members = ptr.To[int32](0) }, []string{
		`spec.roles[1].members: Invalid value: 0: the app asks for at least 1: set it to 1 or leave it out`}},
	{"too many members in all", func(s *situation) { s.role(1).Members = ptr.To[int32](1000) }, []string{
		`spec.roles: Invalid value: 1001: a cluster can have 1000 members in all: lower the members of some role`}},

	{"an elastic role that the app lacks", func(s *situation) {
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "workers", Members: 1}
	}, []string{`spec.elastic.role: Not found: "workers": app "spark41" has no such role: use one of: controller, worker, jupyter`}},
	{"an elastic role that the cluster lacks", func(s *situation) {
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "jupyter", Members: 1}
	}, []string{`spec.elastic.role: Not found: "jupyter": spec.roles has no such role: add it there, or use one of: controller, worker`}},
	{"members of another role than the elastic one", func(s *situation) {
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "worker", Members: 1}
		s.role(0).Members = ptr.To[int32](2)
	}, []string{`spec.roles[0].members: Invalid value: 2: the app asks for exactly 1: set it to 1 or leave it out`}},
	{"too many members beside the elastic ones", func(s *situation) {
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "worker", Members: 500}
		s.cluster.Spec.Roles = append(s.cluster.Spec.Roles, v1alpha1.ClusterRole{ID: "jupyter", Members: ptr.To[int32](999)})
	}, []string{
		`spec.roles: Invalid value: 1001: a cluster can have 1000 members in all: lower the members of some role`}},

	{"ids that differ by a capital", func(s *situation) {
		s.app.Spec.Roles = append(s.app.Spec.Roles, v1alpha1.Role{ID: "Worker", Cardinality: "0+"})
		s.app.Spec.Config.SelectedRoles = nil
		s.cluster.Spec.Roles = append(s.cluster.Spec.Roles, v1alpha1.ClusterRole{ID: "Worker"})
	}, []string{`spec.roles[2].id: Invalid value: "Worker": its objects would be named "spark-worker" as are those of role "worker": leave one of the two roles out`}},
	{"ids that differ by an underscore", func(s *situation) {
		s.app.Spec.Roles = append(s.app.Spec.Roles, v1alpha1.Role{ID: "a_b", Cardinality: "0+"}, v1alpha1.Role{ID: "a-b", Cardinality: "0+"})
		s.app.Spec.Config.SelectedRoles = nil
		s.cluster.Spec.Roles = append(s.cluster.Spec.Roles, v1alpha1.ClusterRole{ID: "a_b"}, v1alpha1.ClusterRole{ID: "a-b"})
	}, []string{`spec.roles[3].id: Invalid value: "a-b": its objects would be named "spark-a-b" as are those of role "a_b": leave one of the two roles out`}},
	{"a StatefulSet's name too long", func(s *situation) { s.cluster.Name = strings.Repeat("s", 42) }, []string{
		`metadata.name: Invalid value: "` + strings.Repeat("s", 42) + `": with role "controller" it makes the StatefulSet's name "` +
			strings.Repeat("s", 42) + `-controller", which has 1 characters too many: use a name of at most 41 characters`}},
	{"a role id too long for any cluster", func(s *situation) {
		id := strings.Repeat("w", 60)
		s.app.Spec.Roles[1].ID, s.role(1).ID = id, id
		s.app.Spec.Config.SelectedRoles, s.app.Spec.Config.RoleServices = nil, nil
	}, []string{`metadata.name: Invalid value: "spark": with role "` + strings.Repeat("w", 60) + `" it makes the StatefulSet's name "spark-` +
		strings.Repeat("w", 60) + `", which has 14 characters too many: no name is short enough, so the app needs a shorter role id, or the cluster a shorter namespace`}},
	{"domain names too long", func(s *situation) {
		s.domain = strings.Repeat("d", 225)
		s.role(1).Members = ptr.To[int32](1)
	}, []string{`metadata.name: Invalid value: "spark": with role "controller" it makes the domain name "spark-controller-0.spark.ml.svc.` +
		strings.Repeat("d", 225) + `", which has 4 characters too many: use a name of at most 3 characters`}},

	{"domain names too long for the last elastic member", func(s *situation) {
		s.domain = strings.Repeat("d", 253-len("spark-notebooks-99.spark.ml.svc."))
		s.app.Spec.Roles[2].ID, s.app.Spec.Config.SelectedRoles = "notebooks", nil
		s.cluster.Spec.Roles = append(s.cluster.Spec.Roles, v1alpha1.ClusterRole{ID: "notebooks"})
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "notebooks", Members: 101}
	}, []string{`metadata.name: Invalid value: "spark": with role "notebooks" it makes the domain name "spark-notebooks-100.spark.ml.svc.` +
		strings.Repeat("d", 253-len("spark-notebooks-99.spark.ml.svc.")) + `", which has 1 characters too many: use a name of at most 4 characters`}},

	{"a request below the minimum", func(s *situation) { s.role(1).Resources.Requests["cpu"] = resource.MustParse("499m") }, []string{
		`spec.roles[1].resources.requests[cpu]: Invalid value: "499m": the app asks for at least 500m: raise it`}},
	{"a limit in its place below the minimum", func(s *situation) {
		s.role(1).Resources = corev1.ResourceRequirements{Requests: list("cpu", "1"), Limits: list("memory", "1023Mi")}
	}, []string{`spec.roles[1].resources.limits[memory]: Invalid value: "1023Mi": the app asks for at least 1Gi: raise it`}},
	{"neither request nor limit where there is a minimum", func(s *situation) { s.role(1).Resources = corev1.ResourceRequirements{} }, []string{
		`spec.roles[1].resources.requests[cpu]: Required value: the app asks for at least 500m: set it to that or more`,
		`spec.roles[1].resources.requests[memory]: Required value: the app asks for at least 1Gi: set it to that or more`}},
	{"a limit below the request", func(s *situation) { s.role(1).Resources.Limits["memory"] = resource.MustParse("1G") }, []string{
		`spec.roles[1].resources.limits[memory]: Invalid value: "1G": less than the request of 1Gi: raise it, or lower the request`}},
	{"a limit above the request of what is not shared", func(s *situation) {
		s.role(1).Resources.Limits["nvidia.com/gpu"] = resource.MustParse("2")
	}, []string{`spec.roles[1].resources.limits[nvidia.com/gpu]: Invalid value: "2": this resource is not shared: set the limit to the request, 1`}},
	{"no limit of what is not shared", func(s *situation) { delete(s.role(1).Resources.Limits, "nvidia.com/gpu") }, []string{
		`spec.roles[1].resources.limits[nvidia.com/gpu]: Required value: this resource is not shared: set the limit to the request, 1`}},
	{"a resource there is not", func(s *situation) { s.role(0).Resources.Limits = list("gpu", "1") }, []string{
		`spec.roles[0].resources.limits[gpu]: Invalid value: "gpu": no resource of a container: use cpu, memory, ephemeral-storage, hugepages-<size>, or a name with a domain such as nvidia.com/gpu`}},
	{"less than nothing", func(s *situation) { s.role(0).Resources.Requests = list("cpu", "-1") }, []string{
		`spec.roles[0].resources.requests[cpu]: Invalid value: "-1": less than 0: use 0 or more`}},
	{"a resource claim", func(s *situation) { s.role(0).Resources.Claims = []corev1.ResourceClaim{{Name: "gpu"}} }, []string{
		`spec.roles[0].resources.claims: Forbidden: the pods have no resource claims: ask for an extended resource in limits`}},

	{"no storage for an app that needs it", func(s *situation) { s.role(1).Storage = nil }, []string{
		`spec.roles[1].storage: Required value: the app does not run without storage: add it with a size of at least 10Gi`}},
	{"storage below the minimum", func(s *situation) { s.role(1).Storage.Size = resource.MustParse("10G") }, []string{
		`spec.roles[1].storage.size: Invalid value: "10G": the app asks for at least 10Gi: raise it`}},
	{"storage of no size", func(s *situation) { s.role(0).Storage = &v1alpha1.Storage{} }, []string{
		`spec.roles[0].storage.size: Invalid value: "0": not more than 0: set a size such as 10Gi, or leave storage out`}},
	{"unknown class", func(s *situation) { s.role(1).Storage.StorageClassName = ptr.To("slow") }, []string{
		`spec.roles[1].storage.storageClassName: Not found: "slow": no such StorageClass: create it, or use one of: fast, standard`}},
	{"unknown configured class", func(s *situation) { s.class = "slow" }, []string{
		`spec.roles[1].storage.storageClassName: Not found: "slow": the controller's configuration names this default StorageClass, and there is none: create it, or use one of: fast, standard`}},
	{"no default class", func(s *situation) { s.classes.Default = "" }, []string{
		`spec.roles[1].storage.storageClassName: Required value: there is no default StorageClass: make one the default, or use one of: fast, standard`}},
	{"persistent directories and not root", func(s *situation) { s.role(1).SecurityContext.RunAsNonRoot = ptr.To(true) }, []string{
		`spec.roles[1].securityContext.runAsNonRoot: Invalid value: true: copying the app's persistent directories to a member's volume needs root: leave this out (runAsUser decides as whom the application runs), or leave storage out`}},

	{"a variable's name", func(s *situation) { s.role(0).Env[0].Name = "1 a" }, []string{
		`spec.roles[0].env[0].name: Invalid value: "1 a": a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`}},
	{"a reserved variable", func(s *situation) { s.role(0).Env[0].Name = "KUBEDIRECTOR_POD_UID" }, []string{
		`spec.roles[0].env[0].name: Invalid value: "KUBEDIRECTOR_POD_UID": names with KUBEDIRECTOR_ are KubeDirector's own: use another name`}},
	{"a variable with two values", func(s *situation) { s.role(0).Env[1].Value = "not shown" }, []string{
		`spec.roles[0].env[1].value: Forbidden: there is valueFrom too: leave one of them out`}},
	{"a variable from two places", func(s *situation) {
		s.role(0).Env[1].ValueFrom.FieldRef = &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}
	}, []string{
		`spec.roles[0].env[1].valueFrom: Required value: set exactly one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef`}},
}
