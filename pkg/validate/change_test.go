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
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// claims is of the claim template of members that have 10Gi each.
func claims(class *string) *corev1.PersistentVolumeClaimSpec {
	return &corev1.PersistentVolumeClaimSpec{
		StorageClassName: class,
		Resources:        corev1.VolumeResourceRequirements{Requests: list("storage", "10Gi")},
	}
}

func TestChange(t *testing.T) {
	const (
		worker = `spec.roles[1].storage: Forbidden: changing the storage of role "worker", whose members exist, is not supported yet: `
		or     = `, or create another cluster`
	)
	fast := claims(ptr.To("fast"))
	for _, c := range []struct {
		name string
		// storage is what the members of role worker have; those of role controller have none.
		storage *corev1.PersistentVolumeClaimSpec
		change  func(*situation)
		want    string
	}{
		{"nothing", claims(nil), func(*situation) {}, ""},
		{"the same size in other words", claims(nil), func(s *situation) { s.role(1).Storage.Size = resource.MustParse("10240Mi") }, ""},
		{"the same class", fast, func(s *situation) { s.role(1).Storage.StorageClassName = ptr.To("fast") }, ""},
		{"no class named, whatever it was", fast, func(*situation) {}, ""},
		{"no class named before or now", claims(nil), func(*situation) {}, ""},
		{"members, env, resources and securityContext", claims(nil), func(s *situation) {
			s.role(1).Members = ptr.To[int32](5)
			s.role(1).Env = []corev1.EnvVar{{Name: "A", Value: "b"}}
			s.role(1).Resources.Requests["cpu"] = resource.MustParse("2")
			s.role(1).SecurityContext = nil
		}, ""},
		{"another role", claims(nil), func(s *situation) {
			s.cluster.Spec.Roles = append(s.cluster.Spec.Roles, v1alpha1.ClusterRole{ID: "jupyter", Storage: &v1alpha1.Storage{Size: resource.MustParse("1Gi")}})
		}, ""},
		{"a role less", fast, func(s *situation) { s.cluster.Spec.Roles = s.cluster.Spec.Roles[:1] }, ""},
		{"the order of the roles", claims(nil), func(s *situation) { roles := s.cluster.Spec.Roles; roles[0], roles[1] = roles[1], roles[0] }, ""},

		{"a larger size", fast, func(s *situation) {
			s.role(1).Storage = &v1alpha1.Storage{Size: resource.MustParse("20Gi"), StorageClassName: ptr.To("fast")}
		}, worker + `set it back to size 10Gi and storageClassName "fast"` + or},
		{"another class", fast, func(s *situation) { s.role(1).Storage.StorageClassName = ptr.To("slow") },
			worker + `set it back to size 10Gi and storageClassName "fast"` + or},
		{"a class where there was none", claims(nil), func(s *situation) { s.role(1).Storage.StorageClassName = ptr.To("fast") },
			worker + `set it back to size 10Gi and no storageClassName` + or},
		{"no storage where there was some", claims(nil), func(s *situation) { s.role(1).Storage = nil },
			worker + `set it back to size 10Gi and no storageClassName` + or},
		{"storage where there was none", nil, func(*situation) {}, worker + `leave it out` + or},
		{"size and class at once, of two roles", fast, func(s *situation) {
			s.role(0).Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi")}
			s.role(1).Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi"), StorageClassName: ptr.To("slow")}
		}, `spec.roles[0].storage: Forbidden: changing the storage of role "controller", whose members exist, is not supported yet: leave it out` + or + "\n" +
			worker + `set it back to size 10Gi and storageClassName "fast"` + or},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := validSituation()
			c.change(s)
			recorded := []RecordedRole{{ID: "controller"}, {ID: "worker", Storage: c.storage}}
			if diff := cmp.Diff(c.want, lines(Change(recorded, s.cluster))); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
