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
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// situation is all that a case can change of what a cluster is judged by.
type situation struct {
	app     *v1alpha1.KubeDirectorApp
	cluster *v1alpha1.KubeDirectorCluster
	classes *StorageClasses
	domain  string
	class   string
}

func (s *situation) role(i int) *v1alpha1.ClusterRole { return &s.cluster.Spec.Roles[i] }

func (s *situation) input() Input {
	return Input{
		Cluster:                 s.cluster,
		App:                     catalog.New(s.app.Name, &s.app.Spec),
		StorageClasses:          s.classes,
		ClusterDomain:           s.domain,
		DefaultStorageClassName: s.class,
	}
}

func list(pairs ...string) corev1.ResourceList {
	amounts := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		amounts[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return amounts
}

// validSituation uses all that a rule looks at.
func validSituation() *situation {
	app := validApp()
	app.Spec.Roles[1].MinResources = list("cpu", "500m", "memory", "1Gi")
	app.Spec.Roles[1].MinStorage = &v1alpha1.MinStorage{Size: resource.MustParse("10Gi")}
	return &situation{
		app: app,
		cluster: &v1alpha1.KubeDirectorCluster{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ml", Name: "spark"},
			Spec: v1alpha1.KubeDirectorClusterSpec{
				App: "spark41",
				Roles: []v1alpha1.ClusterRole{
					{ID: "controller", Env: []corev1.EnvVar{
						{Name: "SPARK_OPTS", Value: "-v"},
						{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: "token"}}},
					}},
					{ID: "worker", Members: ptr.To[int32](2),
						Resources: corev1.ResourceRequirements{
							Requests: list("cpu", "500m", "memory", "1Gi", "nvidia.com/gpu", "1"),
							Limits:   list("memory", "2Gi", "nvidia.com/gpu", "1", "hugepages-2Mi", "2Mi"),
						},
						Storage:         &v1alpha1.Storage{Size: resource.MustParse("10Gi")},
						SecurityContext: &corev1.PodSecurityContext{FSGroup: ptr.To[int64](100)},
					},
				},
			},
		},
		classes: &StorageClasses{Names: sets.New("standard", "fast"), Default: "standard"},
		domain:  "cluster.local",
	}
}

var acceptedClusters = []struct {
	name   string
	change func(*situation)
}{
	{"as it is", func(*situation) {}},
	{"a limit stands for a request", func(s *situation) {
		s.role(1).Resources = corev1.ResourceRequirements{Limits: list("cpu", "0.5", "memory", "1024Mi")}
	}},
	{"a role that needs no members", func(s *situation) {
		s.cluster.Spec.Roles = append(s.cluster.Spec.Roles, v1alpha1.ClusterRole{ID: "jupyter"})
	}},
	{"as many members as there can be", func(s *situation) { s.role(1).Members = ptr.To[int32](999) }},
	{"more elastic members than there can be", func(s *situation) {
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "worker", Members: 1000}
	}},
	{"fewer elastic members than the role needs", func(s *situation) {
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "worker", Members: 0}
	}},
	{"members that the elastic ones override", func(s *situation) {
		s.cluster.Spec.Elastic = &v1alpha1.Elastic{Role: "controller", Members: 7}
		s.role(0).Members = ptr.To[int32](1000)
	}},
	{"the app runs without storage too", func(s *situation) {
		s.app.Spec.Roles[1].MinStorage.EphemeralModeSupported = true
		s.role(1).Storage = nil
	}},
	{"a named class", func(s *situation) { s.role(1).Storage.StorageClassName = ptr.To("fast") }},
	{"the configured class", func(s *situation) { s.class, s.classes.Default = "fast", "" }},
	{"classes that can't be seen", func(s *situation) {
		s.classes = nil
		s.role(1).Storage.StorageClassName = ptr.To("unseen")
	}},
	{"not root and no persistent directories", func(s *situation) {
		s.app.Spec.DefaultPersistDirs = nil
		s.role(1).SecurityContext.RunAsNonRoot = ptr.To(true)
	}},
	{"not root and no storage", func(s *situation) {
		s.role(0).SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true)}
	}},
	{"the longest names", func(s *situation) { s.cluster.Name = strings.Repeat("s", 52-len("-controller")) }},
}

func TestAcceptedClusters(t *testing.T) {
	for _, c := range acceptedClusters {
		t.Run(c.name, func(t *testing.T) {
			s := validSituation()
			c.change(s)
			before := s.cluster.DeepCopy()
			if faults := Cluster(s.input()); len(faults) > 0 {
				t.Error(lines(faults))
			}
			if diff := cmp.Diff(before, s.cluster); diff != "" {
				t.Errorf("the cluster changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestRefusedClusters(t *testing.T) {
	for _, c := range refusedClusters {
		t.Run(c.name, func(t *testing.T) {
			s := validSituation()
			c.change(s)
			if diff := cmp.Diff(strings.Join(c.want, "\n"), lines(Cluster(s.input()))); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
