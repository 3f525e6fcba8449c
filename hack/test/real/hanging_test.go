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
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

const (
	// hangingMembers are as many as the controller follows scripts at a time, and many times its guest concurrency.
	hangingMembers = 100
	// crowdPatience is how long two nodes may take to start or to end so many pods.
	crowdPatience = 5 * time.Minute
)

// hangingScript tells that it runs.
const hangingScript = `#!/bin/sh
echo "$*" >>/var/lib/testapp/events
exec sleep 3600
`

// TestHangingScripts has a cluster become ready while all scripts of another
// hang. It is not parallel: so many pods would keep other tests waiting.
func TestHangingScripts(t *testing.T) {
	f := newFixture(t, "hanging")
	f.apply(
		packageMap("setup", startscript(t, recordingScript)),
		packageMap("hanging", startscript(t, hangingScript)),
		newApp("testapp"),
		newApp("hanging", from("configmap://hanging/"+packageKey)),
		newCluster("hanging", "hanging", members(hangingMembers)),
	)
	begun := time.Now()
	f.within(crowdPatience, "hanging", "all members are configuring", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		configuring := 0
		for _, role := range cluster.Status.Roles {
			for _, m := range role.Members {
				if m.State == v1alpha1.MemberConfiguring {
					configuring++
				}
			}
		}
		return configuring == hangingMembers
	})
	for i := range hangingMembers {
		pod := fmt.Sprintf("hanging-node-%d", i)
		f.eventually(patience, "the script of "+pod+" runs", func(ctx context.Context) (bool, string) {
			out, err := f.tryExec(ctx, pod, "cat", eventsFile)
			return err == nil && out == "--configure\n", fmt.Sprint(out, err)
		})
	}
	t.Logf("%d scripts hang after %s", hangingMembers, time.Since(begun).Round(time.Second))

	begun = time.Now()
	f.apply(newCluster("other", "testapp", members(2)))
	f.untilReady("other")
	t.Logf("with %d hanging scripts and a guest concurrency of %d, another cluster was ready after %s", hangingMembers, guestConcurrency, time.Since(begun).Round(time.Millisecond))
	if state := f.get("hanging").Status.State; state != v1alpha1.ClusterConfiguring {
		t.Errorf("the cluster whose scripts hang is %q", state)
	}

	begun = time.Now()
	f.deleteCluster("hanging")
	f.eventually(crowdPatience, "the cluster is gone", func(ctx context.Context) (bool, string) {
		left := f.childrenOf(ctx, "hanging")
		return len(left) == 0, fmt.Sprint(left)
	})
	t.Logf("it was gone after %s", time.Since(begun).Round(time.Second))
}
