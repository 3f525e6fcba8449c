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

package resources

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// TestInputsHash holds that the hash differs with everything a user or an app
// can say about a member, and with nothing else.
func TestInputsHash(t *testing.T) {
	base := InputsHash(testInput(t, "Worker_1", withStorage))
	for name, test := range map[string]struct {
		edit    func(*RoleInput)
		differs bool
	}{
		"image":         {func(in *RoleInput) { in.Role.Image = "other" }, true},
		"capabilities":  {withCapability, true},
		"systemd":       {withSystemd, true},
		"persistDirs":   {func(in *RoleInput) { in.Role.PersistDirs = []string{"/etc"} }, true},
		"command":       {func(in *RoleInput) { in.Role.ContainerSpec.Command = []string{"/run"} }, true},
		"terminal":      {func(in *RoleInput) { in.Role.ContainerSpec.Stdin = true }, true},
		"port":          {func(in *RoleInput) { in.Role.Services[1].Endpoint.Port = 9999 }, true},
		"resources":     {withGPU, true},
		"storage size":  {func(in *RoleInput) { in.Spec.Storage.Size = resource.MustParse("11Gi") }, true},
		"storage class": {func(in *RoleInput) { in.Spec.Storage.StorageClassName = nil }, true},
		"storage":       {func(in *RoleInput) { in.Spec.Storage = nil }, true},
		"env":           {withEnv, true},
		"security":      {asNonRoot, true},
		"reschedule":    {withReschedule, true},

		"other spelling of a size":      {func(in *RoleInput) { in.Spec.Storage.Size = resource.MustParse("10240Mi") }, false},
		"members":                       {func(in *RoleInput) { in.Members = nil }, false},
		"replicas":                      {func(in *RoleInput) { in.Replicas = new(int32) }, false},
		"metadata generation":           {func(in *RoleInput) { in.MetadataGeneration = 9 }, false},
		"guest image":                   {func(in *RoleInput) { in.Settings.GuestImage = "newer" }, false},
		"cluster domain":                {func(in *RoleInput) { in.ClusterDomain = "example.org" }, false},
		"default storage class":         {func(in *RoleInput) { in.DefaultStorageClassName = "slow" }, false},
		"package":                       {func(in *RoleInput) { in.Role.Package = nil }, false},
		"members in the cluster's spec": {func(in *RoleInput) { in.Spec.Members = new(int32) }, false},
		"wait, said in so many words": {func(in *RoleInput) {
			in.Cluster.Spec.Recovery = &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownWait}}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := InputsHash(testInput(t, "Worker_1", withStorage, test.edit)) != base; got != test.differs {
				t.Errorf("the hash differs: %t, want %t", got, test.differs)
			}
		})
	}
}

// TestTimeToRescheduleIsHashed: the time by default is hashed as if it were said.
func TestTimeToRescheduleIsHashed(t *testing.T) {
	after := func(duration time.Duration) string {
		return InputsHash(testInput(t, "Worker_1", withReschedule, func(in *RoleInput) {
			in.Cluster.Spec.Recovery.NodeDown.After = &metav1.Duration{Duration: duration}
		}))
	}
	byDefault := InputsHash(testInput(t, "Worker_1", withReschedule))
	if byDefault != after(DefaultRescheduleAfter) {
		t.Errorf("the hash differs for %s and nothing said", DefaultRescheduleAfter)
	}
	if byDefault == after(time.Minute) {
		t.Error("the hash is the same for one minute and nothing said")
	}
}

func TestOrderOfCapabilitiesIsIndifferent(t *testing.T) {
	one := testInput(t, "shell", withCapability)
	other := testInput(t, "shell", withCapability)
	other.App.Capabilities = []corev1.Capability{"NET_ADMIN", "SYS_PTRACE"}
	if InputsHash(one) != InputsHash(other) {
		t.Error("the hash depends on the order of capabilities")
	}
	if !equality.Semantic.DeepEqual(StatefulSet(one), StatefulSet(other)) {
		t.Error("the StatefulSet depends on the order of capabilities")
	}
}
