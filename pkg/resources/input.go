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
	"crypto/sha256"
	"encoding/hex"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// BuilderVersion is the version of the pod template that this package renders;
// it grows with every change of it, and then testdata gets another directory.
const BuilderVersion = "2"

// Settings are the controller's own settings that objects are built from.
type Settings struct {
	// GuestImage is KubeDirector's own image, from which pods take the guest.
	GuestImage string
}

// Member is one recorded member of a role.
type Member struct {
	Pod    string
	NodeID int64
}

// RoleInput is all that the objects of a role are built from.
type RoleInput struct {
	Cluster *v1alpha1.KubeDirectorCluster
	App     *catalog.App
	Role    *catalog.Role
	Spec    *v1alpha1.ClusterRole

	// Members by ordinal, and the generation of what they are told.
	Members            []Member
	MetadataGeneration int64
	// Replicas is how many of them have pods, from ordinal 0 on; nil: all. The
	// others keep their node IDs: they are suspended, or the last of them is not gone yet.
	Replicas *int32

	ClusterDomain string
	// DefaultStorageClassName is the class of volumes where Spec says none; empty is Kubernetes' own default.
	DefaultStorageClassName string
	Settings                Settings
}

// keepsDirs is true for a role whose directories are on its members' volumes.
func (in *RoleInput) keepsDirs() bool {
	return in.Spec.Storage != nil && len(in.Role.PersistDirs) > 0
}

// hashed are the parts of app and spec that a role's members are made of. A
// field added here must be left out of the JSON when it is zero, or every
// running cluster would count as changed.
type hashed struct {
	Cluster         string                      `json:"cluster"`
	Namespace       string                      `json:"namespace"`
	App             string                      `json:"app"`
	Role            string                      `json:"role"`
	Image           string                      `json:"image"`
	Capabilities    []corev1.Capability         `json:"capabilities,omitempty"`
	SystemdRequired bool                        `json:"systemdRequired,omitempty"`
	PersistDirs     []string                    `json:"persistDirs,omitempty"`
	ContainerSpec   v1alpha1.ContainerSpec      `json:"containerSpec,omitzero"`
	Ports           []int32                     `json:"ports,omitempty"`
	Resources       corev1.ResourceRequirements `json:"resources,omitzero"`
	Storage         *v1alpha1.Storage           `json:"storage,omitempty"`
	Env             []corev1.EnvVar             `json:"env,omitempty"`
	SecurityContext *corev1.PodSecurityContext  `json:"securityContext,omitempty"`
	// RescheduleAfter is in seconds; 0: pods wait for their node, as they do where nothing is said.
	RescheduleAfter int64 `json:"rescheduleAfter,omitempty"`
}

// InputsHash identifies what the user and the app ask of a role's members,
// their number apart. The controller's own settings are not in it: changing them
// or upgrading the controller touches no member that exists.
func InputsHash(in RoleInput) string {
	sum := sha256.Sum256(toJSON(hashed{
		Cluster:         in.Cluster.Name,
		Namespace:       in.Cluster.Namespace,
		App:             in.App.Name,
		Role:            in.Role.ID,
		Image:           in.Role.Image,
		Capabilities:    slices.Sorted(slices.Values(in.App.Capabilities)),
		SystemdRequired: in.App.SystemdRequired,
		PersistDirs:     in.Role.PersistDirs,
		ContainerSpec:   in.Role.ContainerSpec,
		Ports:           portNumbers(in.Role),
		Resources:       in.Spec.Resources,
		Storage:         in.Spec.Storage,
		Env:             in.Spec.Env,
		SecurityContext: in.Spec.SecurityContext,
		RescheduleAfter: rescheduleSeconds(in.Cluster),
	}))
	return hex.EncodeToString(sum[:])[:16]
}

func portNumbers(role *catalog.Role) []int32 {
	var numbers []int32
	for _, service := range listening(role) {
		numbers = append(numbers, service.Endpoint.Port)
	}
	slices.Sort(numbers)
	return numbers
}

// listening are the role's services that have a port. Of several on one port
// the first stands for all, for a port is opened once.
func listening(role *catalog.Role) []v1alpha1.Service {
	taken := map[int32]bool{}
	var services []v1alpha1.Service
	for _, service := range role.Services {
		if service.Endpoint == nil || taken[service.Endpoint.Port] {
			continue
		}
		taken[service.Endpoint.Port] = true
		services = append(services, service)
	}
	return services
}
