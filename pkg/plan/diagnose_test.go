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

package plan

import (
	"testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func TestFaultsNameThePackage(t *testing.T) {
	for _, c := range []struct{ reason, message, want string }{
		{"PackageNotTgz", "invalid header", "member c-worker-0: config package configmap://setup/setup.tgz of role worker: PackageNotTgz: invalid header; correct the package, or what the app says of it: it is fetched again by itself"},
		{"DiskFull", "no space left", "member c-worker-0: DiskFull: no space left"},
	} {
		w := newWorld(t, testCluster(), testApp())
		w.settle()
		w.startAll()
		w.settle()
		uid := w.Pods["c-worker-0"].UID
		outcome := w.Outcomes[uid]
		outcome.Phase, outcome.At, outcome.Tries, outcome.Reason, outcome.Message = PhaseFaulted, w.Now, 1, c.reason, c.message
		w.Outcomes[uid] = outcome
		w.pass()
		w.expect(v1alpha1.ClusterConfiguring, v1alpha1.ReasonPackageFault)
		if got := w.condition(v1alpha1.ConditionReady).Message; got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
