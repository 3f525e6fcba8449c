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

package resources

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/names"
)

func TestServiceDrift(t *testing.T) {
	tests := map[string]struct {
		edit  func(*corev1.Service)
		want  string // empty: no drift
		patch string
	}{
		"as built": {func(*corev1.Service) {}, "", ""},
		"what others own": {func(s *corev1.Service) {
			s.Labels["team"] = "ml"
			s.Annotations = map[string]string{"note": "x"}
			s.Spec.ClusterIP, s.Spec.SessionAffinity = "10.0.0.7", corev1.ServiceAffinityNone
			s.Spec.Ports[0].NodePort = 30007
		}, "", ""},
		"going away": {func(s *corev1.Service) {
			s.DeletionTimestamp = &metav1.Time{}
			s.Spec.Ports = nil
		}, "", ""},
		"a label of ours": {
			func(s *corev1.Service) { delete(s.Labels, names.LabelRole) },
			"labels",
			`{"metadata":{"labels":{"kubedirector.bluedata.io/role":"Worker_1"},"resourceVersion":"7","uid":"u"}}`,
		},
		"a port, keeping a node port": {
			func(s *corev1.Service) {
				s.Spec.Type = corev1.ServiceTypeNodePort
				s.Spec.Ports[0].NodePort = 30007
				s.Spec.Ports[1].TargetPort = intstr.FromInt32(1)
			},
			"ports",
			`{"metadata":{"resourceVersion":"7","uid":"u"},"spec":{"ports":[` +
				`{"name":"worker","protocol":"TCP","port":7078,"targetPort":7078,"nodePort":30007},` +
				`{"name":"8081","protocol":"TCP","port":8081,"targetPort":8081}]}}`,
		},
		"type and selector": {
			func(s *corev1.Service) {
				s.Spec.Type = corev1.ServiceTypeClusterIP
				s.Spec.Selector = map[string]string{"app": "x"}
			},
			"type ClusterIP -> NodePort, selector",
			`{"metadata":{"resourceVersion":"7","uid":"u"},"spec":{"selector":{"app":null,"statefulset.kubernetes.io/pod-name":"p-0"},"type":"NodePort"}}`,
		},
		"publishNotReadyAddresses": {
			func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true },
			"publishNotReadyAddresses",
			`{"metadata":{"resourceVersion":"7","uid":"u"},"spec":{"publishNotReadyAddresses":false}}`,
		},
	}
	in := testInput(t, "Worker_1")
	want := MemberService(in.Cluster, "spark41", in.Role, "p-0", corev1.ServiceTypeNodePort)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			have := want.DeepCopy()
			test.edit(have)
			patch, drifted := ServiceDrift(have, want)
			comparePatch(t, patch, drifted, test.want, test.patch)
		})
	}
}

func TestSetDrift(t *testing.T) {
	tests := map[string]struct {
		edit  func(have *appsv1.StatefulSet, in *RoleInput)
		want  string
		patch string
	}{
		"as built": {func(*appsv1.StatefulSet, *RoleInput) {}, "", ""},
		"what others own": {func(have *appsv1.StatefulSet, _ *RoleInput) {
			have.Annotations["note"] = "x"
			have.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyAlways
			have.Spec.RevisionHistoryLimit = ptr.To[int32](10)
		}, "", ""},
		"another guest image and builder": {func(have *appsv1.StatefulSet, in *RoleInput) {
			in.Settings.GuestImage = "registry.example/kubedirector:v2"
			for _, annotations := range []map[string]string{have.Annotations, have.Spec.Template.Annotations} {
				annotations[names.AnnotationBuilderVersion] = "0"
			}
		}, "", ""},
		"members and generation": {
			func(_ *appsv1.StatefulSet, in *RoleInput) {
				in.Members = append(in.Members, Member{Pod: "spark-worker-1-2", NodeID: 9})
				in.MetadataGeneration = 3
			},
			"annotations, replicas 2 -> 3",
			`{"metadata":{"annotations":{"kubedirector.bluedata.io/metadata-generation":"3","kubedirector.bluedata.io/node-ids":"3,4,9"},` +
				`"resourceVersion":"7","uid":"u"},"spec":{"replicas":3}}`,
		},
		"members that leave": {
			func(_ *appsv1.StatefulSet, in *RoleInput) { in.Replicas = ptr.To[int32](1) },
			"replicas 2 -> 1",
			`{"metadata":{"resourceVersion":"7","uid":"u"},"spec":{"replicas":1}}`,
		},
		"suspended": {
			func(_ *appsv1.StatefulSet, in *RoleInput) { in.Replicas = ptr.To[int32](0) },
			"replicas 2 -> 0",
			`{"metadata":{"resourceVersion":"7","uid":"u"},"spec":{"replicas":0}}`,
		},
		"replicas that somebody set": {
			func(have *appsv1.StatefulSet, _ *RoleInput) { have.Spec.Replicas = nil },
			"replicas 1 -> 2",
			`{"metadata":{"resourceVersion":"7","uid":"u"},"spec":{"replicas":2}}`,
		},
		"policies": {
			func(have *appsv1.StatefulSet, _ *RoleInput) {
				have.Spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
				have.Spec.PersistentVolumeClaimRetentionPolicy.WhenScaled = appsv1.DeletePersistentVolumeClaimRetentionPolicyType
			},
			"updateStrategy RollingUpdate -> OnDelete, persistentVolumeClaimRetentionPolicy",
			`{"metadata":{"resourceVersion":"7","uid":"u"},"spec":{` +
				`"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},` +
				`"updateStrategy":{"rollingUpdate":null,"type":"OnDelete"}}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := testInput(t, "Worker_1", withStorage)
			have := StatefulSet(in)
			test.edit(have, &in)
			patch, drifted := SetDrift(have, StatefulSet(in))
			comparePatch(t, patch, drifted, test.want, test.patch)
		})
	}
}

// TestTemplateIsReplacedWhole applies a patch of the template as the API server
// does: nothing of the older template may survive in it.
func TestTemplateIsReplacedWhole(t *testing.T) {
	in := testInput(t, "Worker_1", withGPU, asNonRoot)
	have := StatefulSet(in)
	have.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyAlways
	have.Spec.Template.Spec.NodeSelector = map[string]string{"older": "builder"}
	want := StatefulSet(testInput(t, "Worker_1", withEnv))

	patch, drifted := SetDrift(have, want)
	if !drifted || patch.String() != "annotations, template" {
		t.Fatalf("drift is %t %q", drifted, patch)
	}
	text, err := patch.MergePatch("u", "7")
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	got := mergedInto(asMap(have.Spec), body["spec"].(map[string]any))
	if diff := cmp.Diff(asMap(want.Spec), got); diff != "" {
		t.Errorf("spec after the patch (-want +got):\n%s", diff)
	}
}

// mergedInto is RFC 7386.
func mergedInto(target, patch map[string]any) map[string]any {
	for field, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(target, field)
		case map[string]any:
			inner, _ := target[field].(map[string]any)
			if inner == nil {
				inner = map[string]any{}
			}
			target[field] = mergedInto(inner, value)
		default:
			target[field] = value
		}
	}
	return target
}

func TestClaimsDiffer(t *testing.T) {
	base := StatefulSet(testInput(t, "Worker_1", withStorage))
	base.Spec.VolumeClaimTemplates[0].Spec.VolumeMode = ptr.To(corev1.PersistentVolumeFilesystem) // a default of the API server
	for name, test := range map[string]struct {
		edit func(*RoleInput)
		want bool
	}{
		"as built":   {func(*RoleInput) {}, false},
		"image":      {func(in *RoleInput) { in.Role.Image = "other" }, false},
		"class":      {func(in *RoleInput) { in.Spec.Storage.StorageClassName = ptr.To("slow") }, true},
		"size":       {func(in *RoleInput) { in.Spec.Storage.Size.Add(in.Spec.Storage.Size) }, true},
		"no storage": {func(in *RoleInput) { in.Spec.Storage = nil }, true},
		"default class": {func(in *RoleInput) {
			in.Spec.Storage.StorageClassName, in.DefaultStorageClassName = nil, "fast"
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ClaimsDiffer(base, StatefulSet(testInput(t, "Worker_1", withStorage, test.edit))); got != test.want {
				t.Errorf("ClaimsDiffer is %t, want %t", got, test.want)
			}
		})
	}
}

func comparePatch(t *testing.T, patch Patch, drifted bool, want, wantJSON string) {
	t.Helper()
	if drifted != (want != "") {
		t.Fatalf("drifted is %t, want %t: %s", drifted, want != "", patch)
	}
	if patch.String() != want {
		t.Errorf("the patch reads %q, want %q", patch, want)
	}
	if !drifted {
		return
	}
	got, err := patch.MergePatch("u", "7")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantJSON, string(got)); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
}
