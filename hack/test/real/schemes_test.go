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
	"slices"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestPackageSchemes configures a member from each kind of place that a package
// can come from.
func TestPackageSchemes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "schemes")
	content := startscript(t, recordingScript)
	f.apply(packageMap("setup", content))
	open, secure := f.servePackage(content), f.servePackageTLS(content, trusted)
	schemes := map[string]string{
		"configmap": "configmap://setup/" + packageKey,
		"file":      "file:///opt/testapp/testsetup.tgz",
		"http":      open.url(),
		"https":     secure.url(),
	}
	for name, url := range schemes {
		f.apply(newApp(name, func(app *v1alpha1.KubeDirectorAppSpec) {
			app.DefaultConfigPackage = &v1alpha1.ConfigPackage{PackageURL: url}
		}), newCluster(name, name))
	}
	for name := range schemes {
		f.untilReady(name)
		if got, want := lines(f.exec(name+"-node-0", "cat", eventsFile)), []string{"node 1 --configure"}; !slices.Equal(got, want) {
			t.Errorf("%s: the script was called for %q, want %q", name, got, want)
		}
	}
	for name, server := range map[string]*packageServer{"http": open, "https": secure} {
		if n := server.fetched.Load(); n != 1 {
			t.Errorf("%s: the package was fetched %d times", name, n)
		}
	}
}
