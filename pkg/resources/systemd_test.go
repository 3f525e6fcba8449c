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
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
)

// TestSystemdLeavesPersistentDirectories holds that a directory the app keeps is
// not hidden, for the API server refuses two mounts at one path.
func TestSystemdLeavesPersistentDirectories(t *testing.T) {
	in := testInput(t, "Worker_1", withSystemd, withStorage, func(in *RoleInput) {
		in.Role.PersistDirs = []string{"/tmp", "/var"}
	})
	paths := sets.New[string]()
	for _, mount := range StatefulSet(in).Spec.Template.Spec.Containers[0].VolumeMounts {
		if paths.Has(mount.MountPath) {
			t.Errorf("two mounts at %s", mount.MountPath)
		}
		paths.Insert(mount.MountPath)
	}
	if missing := sets.New("/run", "/run/lock", "/tmp", "/var", systemdHierarchy).Difference(paths); missing.Len() > 0 {
		t.Errorf("no mount at %v", sets.List(missing))
	}
}
