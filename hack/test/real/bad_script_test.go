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
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// badScripts are startscripts that do not do their work.
func badScripts() []badInput {
	failing := func(f *fixture) {
		f.apply(packageMap("setup", startscript(f.T, "#!/bin/sh\necho no such disk >&2\nexit 7\n")),
			newApp("testapp", hooks(60, 1, 1)), newCluster("c", "testapp"))
	}
	hanging := func(timeout int32) func(*fixture) {
		return func(f *fixture) {
			f.apply(packageMap("setup", startscript(f.T, "#!/bin/sh\nexec sleep 3600\n")),
				newApp("testapp", hooks(timeout, 0, 1)), newCluster("c", "testapp"))
		}
	}
	progressing := stuck("a script that hangs", v1alpha1.ReasonConfiguring, "c-node-0", "--configure", "since 20", "until 20").when(hanging(25))
	return []badInput{
		stuck("exit code 7", v1alpha1.ReasonScriptFailed, "c-node-0", "--configure", "exit code 7", "attempt 2 of 2", "no such disk", "correct the package").
			when(failing).
			mended((*fixture).applyGoodPackage),

		// What runs is not disturbed by a better package: its time has to end first.
		progressing.mended((*fixture).applyGoodPackage),

		stuck("a script past its deadline", v1alpha1.ReasonScriptFailed, "c-node-0", "--configure", "started 20", "deadline of 3s", "attempt 1 of 1").
			when(hanging(3)).
			mended(func(f *fixture) {
				f.apply(packageMap("better", startscript(f.T, recordingScript)))
				f.apply(newApp("testapp", from("configmap://better/"+packageKey)))
			}),
	}
}
