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
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// slowScript takes a while, and writes down when it begins and when it ends.
const slowScript = `#!/bin/sh
set -eu
echo "begun $*" >>/var/lib/testapp/events
sleep 15
echo "ended $*" >>/var/lib/testapp/events
`

// TestStop asks the controller to stop while a script runs: it ends in seconds,
// with exit code 0, gives back its Lease, and lets the script run on.
func TestStop(t *testing.T) {
	f := newFixture(t, "stop")
	f.startSlowScript("slow")
	if err := subject.stop(); err != nil {
		t.Error(err)
	}
	lease, err := server.kube.CoordinationV1().Leases(systemNamespace).Get(t.Context(), "kubedirector", metav1.GetOptions{})
	if err != nil {
		t.Error(err)
	} else if holder := lease.Spec.HolderIdentity; holder != nil && *holder != "" {
		t.Errorf("the Lease is still held by %q", *holder)
	}
	if err := subject.start(); err != nil {
		t.Fatal(err)
	}
	f.wantOneRun("slow")
}

// crash kills the controller and starts the next one, which finds the Lease ended, as later it would have.
func (f *fixture) crash() {
	f.Helper()
	subject.kill()
	leases := server.kube.CoordinationV1().Leases(systemNamespace)
	_, err := leases.Patch(f.Context(), "kubedirector", types.MergePatchType, []byte(`{"spec":{"holderIdentity":""}}`), metav1.PatchOptions{})
	f.must(err)
	f.must(subject.start())
}

// TestCrash kills the controller in the middle of a script that it follows. The
// next one finds the script running, and does not run it again.
func TestCrash(t *testing.T) {
	f := newFixture(t, "crash")
	f.startSlowScript("slow")
	f.crash()
	f.wantOneRun("slow")
}

// TestCrashAfterWrites kills the controller again and again while it makes a
// cluster, each time a few writes further on. Nothing is made or run twice.
func TestCrashAfterWrites(t *testing.T) {
	f := newFixture(t, "writes")
	f.applyGoodPackage()
	f.apply(lifeApp())
	f.untilAppValid("testapp")
	start := audit.now(t)
	f.apply(newCluster("life", "testapp", func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker", Members: ptr.To[int32](2)}}
	}))
	for _, writes := range []int{1, 3, 6, 9, 11} {
		f.untilWrites(start, writes)
		f.crash()
	}
	f.untilReady("life")

	// A request whose sender died is logged as failed, and may have been done.
	made := map[string]int{}
	for _, r := range writes(audit.byController(t, start), f.namespace) {
		if r.ResponseStatus.Code == http.StatusCreated {
			made[r.what()]++
		}
		if r.Verb == "delete" {
			t.Errorf("something was deleted: %s", r)
		}
	}
	for what, n := range objectsMade {
		if made[what] > n {
			t.Errorf("%d times %s, want %d", made[what], what, n)
		}
	}
	var want []string
	var got []string
	for i, pod := range []string{"life-controller-0", "life-worker-0", "life-worker-1"} {
		want = append(want, fmt.Sprintf("%s %d --configure", lifeMembers[pod], i+1))
		got = append(got, lines(f.exec(pod, "cat", eventsFile))...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the calls of the scripts, member by member (-want +got):\n%s", diff)
	}
}

// untilWrites waits until the controller has made so many writes in the namespace.
func (f *fixture) untilWrites(since mark, least int) {
	f.Helper()
	var made int
	err := wait.PollUntilContextTimeout(f.Context(), time.Millisecond, patience, true, func(context.Context) (bool, error) {
		made = len(writes(audit.byController(f.T, since), f.namespace))
		return made >= least, nil
	})
	if err != nil {
		f.Fatalf("the controller made %d writes, want %d: %v", made, least, err)
	}
}

// startSlowScript makes a cluster and returns when its script runs.
func (f *fixture) startSlowScript(name string) {
	f.Helper()
	f.apply(packageMap("setup", startscript(f.T, slowScript)), newApp("testapp"), newCluster(name, "testapp"))
	f.until(name, "its script runs", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		if memberOf(cluster, name+"-node-0").State != v1alpha1.MemberConfiguring {
			return false
		}
		out, err := f.tryExec(f.Context(), name+"-node-0", "cat", eventsFile)
		return err == nil && strings.HasPrefix(out, "begun")
	})
}

// wantOneRun waits until the cluster is ready and tells whether its script ran once.
func (f *fixture) wantOneRun(name string) {
	f.Helper()
	f.untilReady(name)
	if got, want := lines(f.exec(name+"-node-0", "cat", eventsFile)), []string{"begun --configure", "ended --configure"}; !slices.Equal(got, want) {
		f.Errorf("the script left %q, want %q", got, want)
	}
}
