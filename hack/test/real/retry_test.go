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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// mendableScript fails until somebody mends something in its container.
const mendableScript = `#!/bin/sh
echo "$*" >>/var/lib/testapp/events
test -e /var/lib/testapp/mended
`

// TestRetry asks for another attempt at scripts whose retries are used up, and at
// one whose next attempt is ten minutes away.
func TestRetry(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "retry")
	f.apply(packageMap("setup", startscript(t, mendableScript)),
		newApp("once", hooks(60, 0, 1)), newApp("patient", hooks(60, 3, 600)),
		newCluster("c", "once"), newCluster("waiting", "patient"))
	f.until("c", "its retries are used up", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		degraded := condition(cluster, v1alpha1.ConditionDegraded)
		return degraded.Status == metav1.ConditionTrue && degraded.Reason == v1alpha1.ReasonScriptFailed
	})
	f.until("waiting", "its script has failed", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		return memberOf(cluster, "waiting-node-0").State == v1alpha1.MemberError
	})

	for _, cluster := range []string{"c", "waiting"} {
		// Nothing is mended yet: it fails once more, and once for each new value.
		f.annotate(cluster, names.AnnotationRetry, "first")
		f.untilAttempt(cluster, 2, "first")
		f.exec(cluster+"-node-0", "touch", "/var/lib/testapp/mended")
		f.annotate(cluster, names.AnnotationRetry, "second")
		if now := f.untilReady(cluster); now.Status.ObservedRetry != "second" {
			t.Errorf("cluster %s: observedRetry is %q", cluster, now.Status.ObservedRetry)
		}
		if got := lines(f.exec(cluster+"-node-0", "cat", eventsFile)); len(got) != 3 {
			t.Errorf("cluster %s: the script was called for %q", cluster, got)
		}
	}
}

// untilAttempt waits until an attempt has failed that was asked for by a value of the annotation.
func (f *fixture) untilAttempt(cluster string, attempt int32, asked string) {
	f.Helper()
	f.until(cluster, "the attempt that was asked for has failed", func(now *v1alpha1.KubeDirectorCluster) bool {
		event := memberOf(now, cluster+"-node-0").Event
		return event != nil && event.Attempt == attempt && event.State == v1alpha1.EventFailed && now.Status.ObservedRetry == asked
	})
}

// TestRetryOfNews asks for another attempt at telling a member of a new one.
func TestRetryOfNews(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "retrynews")
	app := directedApp("testapp")
	hooks(60, 0, 1)(&app.Spec)
	f.apply(packageMap("setup", startscript(t, recordingScript)), app, newCluster("c", "testapp"))
	f.untilPodsReady("c")
	f.direct("c-node-0", v1alpha1.EventAddNodes, "exit", 7)
	f.apply(newCluster("c", "testapp", members(2)))
	f.until("c", "it could not be told", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		event, degraded := memberOf(cluster, "c-node-0").Event, condition(cluster, v1alpha1.ConditionDegraded)
		return memberOf(cluster, "c-node-0").State == v1alpha1.MemberError && event != nil && event.Name == v1alpha1.EventAddNodes &&
			ptr.Deref(event.ExitCode, 0) == 7 && degraded.Status == metav1.ConditionTrue && !isReady(cluster)
	})
	f.direct("c-node-0", v1alpha1.EventAddNodes, "exit", 0)
	f.annotate("c", names.AnnotationRetry, "now")
	f.untilReady("c")
	news := f.told(v1alpha1.EventAddNodes, "c", "c-node-1")
	f.wantCalls("c-node-0", "--configure", news, news)
	f.wantCalls("c-node-1", "--configure")
}
