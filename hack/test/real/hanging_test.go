//go:build real

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

package real

import (
	"testing"
	"time"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// hangingMembers are several times as many as the controller's guest concurrency.
const hangingMembers = 30

// TestHangingScripts has a cluster become ready while more scripts hang than
// the controller may work in containers at a time.
func TestHangingScripts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "hanging")
	f.apply(
		packageMap("setup", startscript(t, recordingScript)),
		packageMap("hanging", startscript(t, "#!/bin/sh\nexec sleep 3600\n")),
		newApp("testapp"),
		newApp("hanging", func(app *v1alpha1.KubeDirectorAppSpec) {
			app.DefaultConfigPackage = &v1alpha1.ConfigPackage{PackageURL: "configmap://hanging/" + packageKey}
		}),
		newCluster("hanging", "hanging", members(hangingMembers)),
	)
	f.until("hanging", "all scripts run", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		running := 0
		for _, role := range cluster.Status.Roles {
			for _, m := range role.Members {
				if m.Event != nil && m.Event.State == v1alpha1.EventRunning {
					running++
				}
			}
		}
		return running >= min(hangingMembers, 20) // status shows no more events than that
	})
	begun := time.Now()
	f.apply(newCluster("other", "testapp", members(2)))
	f.untilReady("other")
	t.Logf("with %d hanging scripts and a guest concurrency of %d, another cluster was ready after %s", hangingMembers, guestConcurrency, time.Since(begun).Round(time.Millisecond))
	if state := f.get("hanging").Status.State; state != v1alpha1.ClusterConfiguring {
		t.Errorf("the cluster whose scripts hang is %q", state)
	}
}
