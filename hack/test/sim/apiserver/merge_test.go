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

package apiserver

import (
	"encoding/json"
	"reflect"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestMergeIsThatOfJSON demands that a patch of an object in Go does what the
// patch of its JSON does.
func TestMergeIsThatOfJSON(t *testing.T) {
	for _, patch := range []string{
		`{}`,
		`{"metadata":{"labels":{"set":null,"a":"b"},"annotations":{"c":"d"},"finalizers":["example.com/held"],"ownerReferences":null}}`,
		`{"metadata":{"labels":null}}`,
		`{"spec":{"replicas":null,"minReadySeconds":3}}`,
		`{"spec":{"template":{"spec":{"securityContext":{"fsGroup":1,"seccompProfile":{"type":"RuntimeDefault","localhostProfile":null}}}}}}`,
		`{"spec":{"template":{"spec":{"containers":[{"name":"other","image":"o","resources":{"limits":{"cpu":"1"}}}],"nodeSelector":{"a":null}}}}}`,
		`{"spec":{"selector":{"matchLabels":null,"matchExpressions":[{"key":"k","operator":"Exists"}]}}}`,
		`{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`,
		`{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":"10%","partition":2}}}}`,
		`{"spec":{"volumeClaimTemplates":null}}`,
		`{"spec":{"template":{"metadata":{"creationTimestamp":null,"annotations":{"x":null}}}},"status":{"replicas":4,"conditions":[]}}`,
		`{"spec":null}`,
	} {
		before := set("s")
		setDefaults(before)
		untouched := before.DeepCopy()
		shared := *before
		if err := merge(reflect.ValueOf(&shared).Elem(), []byte(patch)); err != nil {
			t.Fatalf("%s: %v", patch, err)
		}
		text, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		if text, err = jsonpatch.MergePatch(text, []byte(patch)); err != nil {
			t.Fatal(err)
		}
		want := &appsv1.StatefulSet{}
		if err := json.Unmarshal(text, want); err != nil {
			t.Fatal(err)
		}
		if !equality.Semantic.DeepEqual(&shared, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", patch, &shared, want)
		}
		if !equality.Semantic.DeepEqual(before, untouched) {
			t.Errorf("%s has changed what it patched: %v", patch, before)
		}
	}
}

func TestMergeOfMapsOfObjects(t *testing.T) {
	cluster := v1alpha1.KubeDirectorCluster{}
	for _, patch := range []string{
		`{"spec":{"connections":{"secrets":["a"]},"roles":[{"id":"a","members":1}]}}`,
		`{"spec":{"elastic":{"role":"a"},"nothing":{"a":1}}}`,
		`{"spec":{"elastic":{"members":4},"connections":null}}`,
	} {
		if err := merge(reflect.ValueOf(&cluster).Elem(), []byte(patch)); err != nil {
			t.Fatal(err)
		}
	}
	if e := cluster.Spec.Elastic; e == nil || e.Role != "a" || e.Members != 4 || len(cluster.Spec.Roles) != 1 || *cluster.Spec.Roles[0].Members != 1 {
		t.Errorf("merged: %+v", cluster.Spec)
	}
}
