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

package configmeta

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// FuzzBuild looks for apps and roles of which no document can be made, or one that is no JSON.
func FuzzBuild(f *testing.F) {
	f.Add(`{"roles":[{"id":"worker","cardinality":"1+"}],"services":[{"id":"web","endpoint":{"port":80,"urlScheme":"http","path":"/","isDashboard":true}},{"id":"none"}],
		"config":{"roleServices":[{"roleID":"worker","serviceIDs":["web","none","missing"]}],"configMeta":{"a":"b\u0000"}}}`, "worker", "domain", int64(1))
	f.Add(`{"roles":[{"id":""},{"id":""}],"configSchemaVersion":-7,"distroID":"\"}","config":{"configMeta":{"":""}}}`, "", "", int64(0))
	f.Add(`{}`, "none", ".", int64(-1))
	f.Fuzz(func(t *testing.T, appText, role, domain string, id int64) {
		app := &v1alpha1.KubeDirectorAppSpec{}
		if json.Unmarshal([]byte(appText), app) != nil {
			return
		}
		in := Input{Cluster: Cluster{Namespace: "ml", Name: "spark", UID: "6f1c"}, App: catalog.New("spark41", app), Domain: domain,
			Roles: []RoleMembers{{RoleID: role, Members: []Member{{Pod: "spark-" + role + "-0", NodeID: id}}}}}
		_, known := in.App.Role(role)
		document, err := Build(in)
		if known != (err == nil) {
			t.Fatalf("role %q known: %t, error %v", role, known, err)
		}
		if err != nil {
			return
		}
		own, err := document.ForMember(id)
		if err != nil || !json.Valid(own) {
			t.Fatalf("%s, %v", own, err)
		}
		if other, err := document.ForMember(id ^ 1); err == nil {
			t.Errorf("who is no member reads %s", other)
		}
		twin, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := twin.ForMember(id); !bytes.Equal(own, again) {
			t.Errorf("the same is once %s and once %s", own, again)
		}
	})
}
