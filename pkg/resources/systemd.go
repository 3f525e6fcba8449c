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
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

// systemdHierarchy is where systemd keeps account of its services on a node with
// cgroup v1. A container sees it read-only, and systemd ends at once when it
// can't write there; it needs none of the hierarchies that limit resources.
const (
	systemdHierarchy = "/sys/fs/cgroup/systemd"
	systemdVolume    = "kubedirector-systemd"
)

// systemdScratch are the directories that systemd expects to be empty at boot.
var systemdScratch = []struct{ volume, path, size string }{
	{"kubedirector-run", "/run", "256Mi"},
	{"kubedirector-run-lock", "/run/lock", "16Mi"},
	{"kubedirector-tmp", "/tmp", "1Gi"},
}

// systemdVolumes are what an image that boots systemd needs beside the guest's.
// A node with cgroup v2 has no such directory: the pod then waits for its mount
// and says so, where a directory made on the spot would be a cgroup of the node.
func systemdVolumes(in *RoleInput) []corev1.Volume {
	if !in.App.SystemdRequired {
		return nil
	}
	var volumes []corev1.Volume
	for _, scratch := range systemdScratch {
		volumes = append(volumes, corev1.Volume{
			Name: scratch.volume,
			VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
				Medium: corev1.StorageMediumMemory, SizeLimit: ptr.To(resource.MustParse(scratch.size)),
			}},
		})
	}
	return append(volumes, corev1.Volume{
		Name: systemdVolume,
		VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
			Path: systemdHierarchy, Type: ptr.To(corev1.HostPathDirectory),
		}},
	})
}

// systemdMounts leave a directory that the app keeps on the member's volume there.
func systemdMounts(in *RoleInput) []corev1.VolumeMount {
	if !in.App.SystemdRequired {
		return nil
	}
	var mounts []corev1.VolumeMount
	for _, scratch := range systemdScratch {
		if !in.keepsDirs() || !slices.Contains(in.Role.PersistDirs, scratch.path) {
			mounts = append(mounts, corev1.VolumeMount{Name: scratch.volume, MountPath: scratch.path})
		}
	}
	return append(mounts, corev1.VolumeMount{Name: systemdVolume, MountPath: systemdHierarchy})
}
