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

package validate_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

const (
	anApp = `{"label":{"name":"Spark"},"defaultImageRepoTag":"example/spark:1","defaultPersistDirs":["/data"],"defaultConfigPackage":{"packageURL":"configmap://a/b.tgz"},
		"services":[{"id":"web","endpoint":{"port":8080}}],"roles":[{"id":"controller","cardinality":"1","minResources":{"memory":"1Gi"}},{"id":"worker","cardinality":"1+","configureAfter":["controller"]}],
		"config":{"roleServices":[{"roleID":"controller","serviceIDs":["web"]}],"selectedRoles":["controller","worker"]}}`
	aWrongApp = `{"roles":[{"id":"a","cardinality":"x","configureAfter":["b"]},{"id":"b","cardinality":"-1","configureAfter":["a"],"imageRepoTag":"::"},{}],"defaultPersistDirs":["/","relative","/opt/guestconfig"],
		"defaultConfigPackage":{"packageURL":"ftp://x"},"services":[{"id":"A_"},{"id":"p","endpoint":{"port":-1}}],"config":{"roleServices":[{"roleID":"a","serviceIDs":["none","p","p"]}],"selectedRoles":["z"]}}`
	aCluster = `{"app":"spark","roles":[{"id":"controller","storage":{"size":"1Gi","storageClassName":"fast"},"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]},
		{"id":"worker","members":2,"resources":{"requests":{"memory":"1Gi","nvidia.com/gpu":"1"},"limits":{"memory":"2Gi"}}}],"elastic":{"role":"worker","members":3}}`
	aWrongCluster = `{"roles":[{"id":"worker","members":-1,"storage":{"size":"-1"},"env":[{"name":"KUBEDIRECTOR_X"},{"name":"","valueFrom":{}}],"resources":{"requests":{"cpu":"2","x":"1","memory":"1m"},"limits":{"cpu":"1"}},
		"securityContext":{"runAsNonRoot":true}},{"id":"none"},{"id":"Worker"}],"elastic":{"role":"none","members":2000}}`
)

// FuzzApp looks for apps that validation cannot judge.
func FuzzApp(f *testing.F) {
	f.Add(anApp)
	f.Add(aWrongApp)
	f.Add("{}")
	f.Fuzz(func(t *testing.T, text string) {
		app := &v1alpha1.KubeDirectorApp{}
		if json.Unmarshal([]byte(text), &app.Spec) != nil {
			return
		}
		before := app.DeepCopy()
		faults := validate.App(app)
		judge(t, faults, validate.App(app))
		if !reflect.DeepEqual(before, app) {
			t.Error("validation changed the app")
		}
		if len(faults) > 0 {
			return
		}
		for _, role := range catalog.New("spark", &app.Spec).Roles() {
			if role.Package == nil {
				continue
			}
			if _, err := catalog.ParsePackage(role.Package.PackageURL, "apps"); err != nil {
				t.Errorf("a valid app has the package %q: %v", role.Package.PackageURL, err)
			}
		}
	})
}

// FuzzCluster looks for clusters of any app that validation cannot judge.
func FuzzCluster(f *testing.F) {
	for _, app := range []string{anApp, aWrongApp, "{}"} {
		for _, cluster := range []string{aCluster, aWrongCluster, "{}"} {
			f.Add(app, cluster, "spark", "fast")
		}
	}
	f.Add(anApp, aCluster, "a-name-of-exactly-that-many-letters-that-is-so-long", "")
	f.Fuzz(func(t *testing.T, appText, clusterText, name, class string) {
		app, cluster := &v1alpha1.KubeDirectorAppSpec{}, &v1alpha1.KubeDirectorCluster{}
		if json.Unmarshal([]byte(appText), app) != nil || json.Unmarshal([]byte(clusterText), &cluster.Spec) != nil {
			return
		}
		cluster.Name, cluster.Namespace = name, "ml"
		in := validate.Input{Cluster: cluster, App: catalog.New("spark", app), ClusterDomain: "cluster.local", DefaultStorageClassName: class}
		if class != "" {
			in.StorageClasses = &validate.StorageClasses{Names: sets.New("fast")}
		}
		before := cluster.DeepCopy()
		judge(t, validate.Cluster(in), validate.Cluster(in))
		if !reflect.DeepEqual(before, cluster) {
			t.Error("validation changed the cluster")
		}
	})
}

// FuzzChange looks for edits of storage that are not told from none.
func FuzzChange(f *testing.F) {
	f.Add(aCluster, aCluster, `{"resources":{"requests":{"storage":"1Gi"}}}`)
	f.Add(aCluster, aWrongCluster, `{"storageClassName":"fast"}`)
	f.Add(aWrongCluster, "{}", "{}")
	f.Fuzz(func(t *testing.T, was, is, claim string) {
		old, edited, template := &v1alpha1.KubeDirectorCluster{}, &v1alpha1.KubeDirectorCluster{}, &corev1.PersistentVolumeClaimSpec{}
		if json.Unmarshal([]byte(was), &old.Spec) != nil || json.Unmarshal([]byte(is), &edited.Spec) != nil || json.Unmarshal([]byte(claim), template) != nil {
			return
		}
		var same, other []validate.RecordedRole
		seen := map[string]bool{}
		for _, role := range old.Spec.Roles {
			if seen[role.ID] {
				return // the schema has IDs as keys
			}
			seen[role.ID] = true
			recorded := validate.RecordedRole{ID: role.ID}
			if role.Storage != nil {
				recorded.Storage = &corev1.PersistentVolumeClaimSpec{StorageClassName: role.Storage.StorageClassName,
					Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: role.Storage.Size}}}
			}
			same = append(same, recorded)
			other = append(other, validate.RecordedRole{ID: role.ID, Storage: template})
		}
		if faults := validate.Change(same, old); len(faults) > 0 {
			t.Errorf("what has not changed is forbidden: %v", faults)
		}
		judge(t, validate.Change(same, edited), validate.Change(same, edited))
		judge(t, validate.Change(other, edited), validate.Change(other, edited))
	})
}

// judge fails for faults that name no field or say nothing, and for a second look that finds others.
func judge(t *testing.T, faults, again field.ErrorList) {
	t.Helper()
	if !reflect.DeepEqual(texts(faults), texts(again)) {
		t.Errorf("at a second look %v is %v", faults, again)
	}
	for _, fault := range faults {
		if fault.Field == "" || fault.Field == "<nil>" || fault.Detail == "" || fault.Error() == "" || !utf8.ValidString(fault.Error()) {
			t.Errorf("fault %#v", fault)
		}
	}
}

func texts(faults field.ErrorList) []string {
	var all []string
	for _, fault := range faults {
		all = append(all, fault.Error())
	}
	return all
}
