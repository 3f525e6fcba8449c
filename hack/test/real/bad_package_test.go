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
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// badPackages are config packages that cannot be had or are not what they should be.
func badPackages() []badInput {
	// applied has the app and the cluster follow; the package is what is wrong.
	applied := func(setup func(*fixture)) func(*fixture) {
		return func(f *fixture) { setup(f); f.apply(newApp("testapp"), newCluster("c", "testapp")) }
	}
	return []badInput{
		stuck("a ConfigMap that comes later", v1alpha1.ReasonWaitingForConfigMap, "c-node-0", "/setup", packageKey, "by itself").
			when(applied(func(*fixture) {})).
			mended((*fixture).applyGoodPackage),

		stuck("a ConfigMap without the key", v1alpha1.ReasonPackageFault, string(protocol.PackageNotFound), "/setup", packageKey, "other.tgz").
			when(applied(func(f *fixture) {
				misnamed := packageMap("setup", nil)
				misnamed.BinaryData = map[string][]byte{"other.tgz": startscript(f.T, recordingScript)}
				f.apply(misnamed)
			})).
			mended((*fixture).applyGoodPackage),

		stuck("not a tgz", v1alpha1.ReasonPackageFault, string(protocol.PackageNotTgz), "setup/"+packageKey, "correct the package").
			when(applied(func(f *fixture) { f.apply(packageMap("setup", []byte("#!/bin/sh\n"))) })).
			mended((*fixture).applyGoodPackage),

		stuck("no startscript", v1alpha1.ReasonPackageFault, string(protocol.PackageNoStartscript), "setup/"+packageKey, "holds a file startscript", "correct the package").
			when(applied(func(f *fixture) { f.apply(packageMap("setup", archive(f.T, "testsetup/start", recordingScript))) })).
			mended((*fixture).applyGoodPackage),

		stuck("another sha256", v1alpha1.ReasonPackageFault, string(protocol.PackageChecksumMismatch), noSum, "what the app says of it").
			when(func(f *fixture) {
				f.applyGoodPackage()
				f.apply(newApp("testapp", sum(noSum)), newCluster("c", "testapp"))
			}).
			mended(func(f *fixture) {
				is := sha256.Sum256(startscript(f.T, recordingScript))
				f.apply(newApp("testapp", sum(hex.EncodeToString(is[:]))))
			}),

		stuck("404", v1alpha1.ReasonPackageFault, string(protocol.PackageNotFound), "404", "http://").
			when(func(f *fixture) {
				missing := f.servePackage(nil)
				f.apply(newApp("testapp", from(missing.url())), newCluster("c", "testapp"))
			}).
			mended(func(f *fixture) {
				f.apply(newApp("testapp", from(f.servePackage(startscript(f.T, recordingScript)).url())))
			}),

		stuck("a server that nobody vouches for", v1alpha1.ReasonPackageFault, string(protocol.PackageUnreachable), "https://", "unknown authority").
			when(func(f *fixture) {
				unknown, err := newAuthority()
				f.must(err)
				f.apply(newApp("testapp", from(f.servePackageTLS(startscript(f.T, recordingScript), unknown).url())), newCluster("c", "testapp"))
			}).
			mended(func(f *fixture) {
				f.apply(newApp("testapp", from(f.servePackageTLS(startscript(f.T, recordingScript), trusted).url())))
			}),

		stuck("a file that the image lacks", v1alpha1.ReasonPackageFault, string(protocol.PackageNotFound), "/opt/none.tgz").
			when(func(f *fixture) {
				f.apply(newApp("testapp", from("file:///opt/none.tgz")), newCluster("c", "testapp"))
			}).
			mended(func(f *fixture) { f.apply(newApp("testapp", from("file:///opt/testapp/testsetup.tgz"))) }),
	}
}

// noSum is the sum of nothing that is used here.
var noSum = strings.Repeat("0", 64)

func sum(text string) func(*v1alpha1.KubeDirectorAppSpec) {
	return func(app *v1alpha1.KubeDirectorAppSpec) { app.DefaultConfigPackage.SHA256 = text }
}

func from(url string) func(*v1alpha1.KubeDirectorAppSpec) {
	return func(app *v1alpha1.KubeDirectorAppSpec) { app.DefaultConfigPackage.PackageURL = url }
}
