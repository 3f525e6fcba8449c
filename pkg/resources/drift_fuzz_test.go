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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// FuzzDrift builds the objects of apps and clusters that nobody has checked, and
// compares them with objects of any content. What was just built has not drifted,
// and a patch leaves nothing to be patched.
func FuzzDrift(f *testing.F) {
	app, cluster := string(toJSON(testApp())), string(toJSON(&v1alpha1.KubeDirectorClusterSpec{App: "spark41", Roles: []v1alpha1.ClusterRole{{ID: "Worker_1"}, {ID: "shell"}}}))
	for _, have := range []string{
		"{}", `{"metadata":{"labels":{"a":"b"},"annotations":{"a":"b"}},"spec":{"replicas":3,"template":{"spec":{"hostNetwork":true,"nodeSelector":{"a":"b"},"containers":[{"name":"x"}]}}}}`,
		`{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":1}},"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}}`,
		`{"spec":{"type":"NodePort","clusterIP":"10.0.0.1","ports":[{"name":"8081","port":8081,"nodePort":30000}],"selector":{"a":"b"},"externalName":"x"}}`,
		`{"metadata":{"deletionTimestamp":"2026-01-02T03:04:05Z"}}`,
	} {
		f.Add(app, cluster, have)
	}
	f.Add(app, `{"roles":[{"id":"Worker_1","storage":{"size":"1Gi"},"env":[{"name":"A","valueFrom":{}}],"resources":{"limits":{"nvidia.com/gpu":"1"}},"securityContext":{"runAsNonRoot":true}}],"recovery":{"nodeDown":{"action":"Reschedule"}}}`, "{}")
	f.Add(`{"roles":[{"id":"Worker_1","cardinality":"x","containerSpec":{"tty":true}}],"systemdRequired":true,"capabilities":["ALL"],"config":{"selectedRoles":["Worker_1"]}}`, cluster, "{}")
	f.Fuzz(func(t *testing.T, appJSON, clusterJSON, have string) {
		cluster := testCluster()
		spec := &v1alpha1.KubeDirectorAppSpec{}
		if json.Unmarshal([]byte(appJSON), spec) != nil || json.Unmarshal([]byte(clusterJSON), &cluster.Spec) != nil {
			return
		}
		resolved := catalog.New("spark41", spec)
		resolved.Members(&cluster.Spec)
		judgeService(t, HeadlessService(cluster, &cluster.Status, resolved.Name, Journal{}), have)
		for i := range cluster.Spec.Roles {
			role, known := resolved.Role(cluster.Spec.Roles[i].ID)
			if !known {
				continue
			}
			in := RoleInput{Cluster: cluster, App: resolved, Role: role, Spec: &cluster.Spec.Roles[i],
				Members: []Member{{Pod: "spark-worker-1-0", NodeID: 3}}, MetadataGeneration: 2, ClusterDomain: "cluster.local"}
			if first := InputsHash(in); first != InputsHash(in) {
				t.Fatal("one input has two hashes")
			}
			judgeSet(t, StatefulSet(in), have)
			if service := MemberService(cluster, resolved.Name, role, "spark-worker-1-0", cluster.Spec.ServiceType); service != nil {
				judgeService(t, service, have)
			}
		}
	})
}

func judgeService(t *testing.T, want *corev1.Service, other string) {
	t.Helper()
	have := &corev1.Service{}
	if patch, drifted := ServiceDrift(want, want); drifted {
		t.Errorf("what was just built has drifted: %s", patch)
	}
	if json.Unmarshal([]byte(other), have) != nil {
		return
	}
	if patch, drifted := ServiceDrift(have, want); drifted {
		if again, drifted := ServiceDrift(merged(t, have, patch), want); drifted {
			t.Errorf("after %s there is left %s", patch, again)
		}
	}
}

func judgeSet(t *testing.T, want *appsv1.StatefulSet, other string) {
	t.Helper()
	have := &appsv1.StatefulSet{}
	if patch, drifted := SetDrift(want, want); drifted || ClaimsDiffer(want, want) {
		t.Errorf("what was just built has drifted: %s", patch)
	}
	if json.Unmarshal([]byte(other), have) != nil {
		return
	}
	if patch, drifted := SetDrift(have, want); drifted {
		patched := merged(t, have, patch)
		if again, drifted := SetDrift(patched, want); drifted {
			t.Errorf("after %s there is left %s", patch, again)
		}
		if hashOf(patched) == hashOf(want) && hashOf(have) != hashOf(want) && string(toJSON(patched.Spec.Template)) != string(toJSON(want.Spec.Template)) {
			t.Errorf("the template is %s, wanted %s", toJSON(patched.Spec.Template), toJSON(want.Spec.Template))
		}
	}
}

// merged is an object after a patch, as RFC 7386 says.
func merged[O any](t *testing.T, have *O, patch Patch) *O {
	t.Helper()
	body, err := patch.MergePatch("", "")
	if err != nil {
		t.Fatal(err)
	}
	var change map[string]any
	if err := json.Unmarshal(body, &change); err != nil {
		t.Fatal(err)
	}
	before := asMap(have)
	mergeInto(before, change)
	after := new(O)
	if err := json.Unmarshal(toJSON(before), after); err != nil {
		t.Fatal(err)
	}
	return after
}

func mergeInto(into, change map[string]any) {
	for field, value := range change {
		inner, isMap := value.(map[string]any)
		switch {
		case value == nil:
			delete(into, field)
		case isMap:
			old, wasMap := into[field].(map[string]any)
			if !wasMap {
				old = map[string]any{}
			}
			mergeInto(old, inner)
			into[field] = old
		default:
			into[field] = value
		}
	}
}
