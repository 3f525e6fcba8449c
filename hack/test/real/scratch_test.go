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
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestScratch runs an app whose image is one static binary, as an ordinary user
// in a namespace that enforces restricted pod security. The package's
// startscript is that binary, too: it writes into a directory of the image.
func TestScratch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "scratch", "pod-security.kubernetes.io/enforce", "restricted")
	f.applyFile("_output/linux_" + runtime.GOARCH + "/testapp-scratch/package.yaml")
	f.apply(newApp("scratch", func(app *v1alpha1.KubeDirectorAppSpec) {
		app.DefaultImageRepoTag = scratchImage
		app.DefaultConfigPackage = &v1alpha1.ConfigPackage{PackageURL: "configmap://testapp-scratch-setup/" + packageKey}
	}))
	f.apply(newCluster("tiny", "scratch", members(2), restricted))
	f.untilReady("tiny")
	for _, pod := range []string{"tiny-node-0", "tiny-node-1"} {
		if got := f.configcli(pod, "node.role_id"); got != "node" {
			f.Errorf("%s: its role is %q", pod, got)
		}
	}
}

// restricted has the role's members run as the restricted pod security level demands.
func restricted(cluster *v1alpha1.KubeDirectorClusterSpec) {
	cluster.Roles[0].SecurityContext = &corev1.PodSecurityContext{
		RunAsNonRoot:   ptr.To(true),
		RunAsUser:      ptr.To[int64](65532),
		RunAsGroup:     ptr.To[int64](65532),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}
