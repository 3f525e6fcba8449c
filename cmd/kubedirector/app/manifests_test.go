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

package app

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/bluek8s/kubedirector/pkg/version"
)

const deployed = "../../../artifacts/deploy"

func readManifest(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployed, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestDeployedConfiguration: the Deployment's arguments and configuration file
// are those that this program takes, and its probes ask where it answers.
func TestDeployedConfiguration(t *testing.T) {
	var deployment appsv1.Deployment
	readManifest(t, "deployment.yaml", &deployment)
	container := deployment.Spec.Template.Spec.Containers[0]

	values := strings.NewReplacer("/etc/kubedirector", deployed, "$(POD_NAMESPACE)", "kubedirector", "$(GUEST_IMAGE)", version.Image())
	o := NewOptions()
	var args []string
	for _, arg := range container.Args {
		args = append(args, values.Replace(arg))
	}
	if err := o.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := o.Configuration()
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{"health": c.HealthAddress, "metrics": c.MetricsAddress} {
		if port := portNamed(container, name); port == "" || address != ":"+port {
			t.Errorf("%s is served at %q, the container's port %s is %q", name, address, name, port)
		}
	}
	for path, probe := range map[string]*corev1.Probe{"/healthz": container.LivenessProbe, "/readyz": container.ReadinessProbe} {
		if probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != "health" {
			t.Errorf("a probe asks for %s at port %s, want %s at health", probe.HTTPGet.Path, probe.HTTPGet.Port.String(), path)
		}
	}
	if !c.LeaderElection.LeaderElect || c.LeaderElection.ResourceNamespace != "kubedirector" || c.LeaderElection.ResourceName != "kubedirector" {
		t.Errorf("the Role is for a Lease kubedirector in namespace kubedirector, the election is %+v", c.LeaderElection)
	}
}

func portNamed(container corev1.Container, name string) string {
	for _, port := range container.Ports {
		if port.Name == name {
			return strconv.Itoa(int(port.ContainerPort))
		}
	}
	return ""
}

// TestDeployedImage: the manifests and the program name one version.
func TestDeployedImage(t *testing.T) {
	var kustomization struct {
		Images []struct{ Name, NewTag string }
	}
	text, err := os.ReadFile(filepath.Join(deployed, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		t.Fatal(err)
	}
	if len(kustomization.Images) != 1 || kustomization.Images[0].Name+":"+kustomization.Images[0].NewTag != version.Image() {
		t.Errorf("images are %+v, the program takes %s", kustomization.Images, version.Image())
	}
}
