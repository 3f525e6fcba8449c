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
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// guestProgram is the guest as the application container sees it.
const guestProgram = protocol.MountBin + "/" + protocol.Binary

// The volumes that live as long as the pod.
const (
	binVolume     = "kubedirector-bin"
	stateVolume   = "kubedirector-state"
	metaVolume    = "kubedirector-meta"
	packageVolume = "kubedirector-package"
)

// guestVolumes are there for every image, for an image's user can't be seen
// from outside, and an image may be read-only: the guest can write here as anybody.
func guestVolumes() []corev1.Volume {
	var volumes []corev1.Volume
	for _, name := range []string{binVolume, stateVolume, metaVolume, packageVolume} {
		volumes = append(volumes, corev1.Volume{
			Name:         name,
			VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		})
	}
	return volumes
}

func guestMounts() []corev1.VolumeMount {
	return []corev1.VolumeMount{
		{Name: binVolume, MountPath: protocol.MountBin, ReadOnly: true},
		{Name: stateVolume, MountPath: protocol.MountState},
		{Name: metaVolume, MountPath: protocol.MountMeta},
		{Name: packageVolume, MountPath: protocol.MountPackage},
	}
}

// volumeMounts lay the member's volume over the persistent directories; the
// persist container has put there what the image has in them.
func volumeMounts(in *RoleInput) []corev1.VolumeMount {
	if !in.keepsDirs() {
		return nil
	}
	mounts := []corev1.VolumeMount{
		{Name: names.ClaimTemplate, MountPath: protocol.MountVolumeState, SubPath: protocol.VolumeStateDir},
	}
	for _, dir := range in.Role.PersistDirs {
		mounts = append(mounts, corev1.VolumeMount{
			Name: names.ClaimTemplate, MountPath: dir, SubPath: strings.TrimPrefix(path.Clean(dir), "/"),
		})
	}
	return mounts
}

// installContainer delivers the guest.
func installContainer(in *RoleInput) corev1.Container {
	return corev1.Container{
		Name:            names.InstallContainer,
		Image:           in.Settings.GuestImage,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         []string{"/" + protocol.Binary, "install"},
		Resources:       smallResources("200m", "128Mi"),
		VolumeMounts:    []corev1.VolumeMount{{Name: binVolume, MountPath: protocol.MountBin}},
		SecurityContext: installSecurity(),
		// What it says last is shown in the cluster's status.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
}

// persistContainer runs in the application's image, as root so that it can read
// and restore every file, and fills the member's volume once.
func persistContainer(in *RoleInput) corev1.Container {
	command := []string{guestProgram, "persist", "--volume", protocol.PersistMount}
	return corev1.Container{
		Name:            names.PersistContainer,
		Image:           in.Role.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         append(command, in.Role.PersistDirs...),
		Resources:       smallResources("1", "256Mi"),
		VolumeMounts: []corev1.VolumeMount{
			{Name: binVolume, MountPath: protocol.MountBin, ReadOnly: true},
			{Name: names.ClaimTemplate, MountPath: protocol.PersistMount},
		},
		SecurityContext:          persistSecurity(),
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
}

// smallResources let our containers run where a quota or a LimitRange wants
// requests and limits of everybody. They run before the application and so
// count only where the application asks for less.
func smallResources(cpu, memory string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi"),
		},
		Limits: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
		},
	}
}
