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

package protocol

// Where the guest's things are mounted in the application container. Every
// path is absolute in the container; tests prefix another root directory.
const (
	// MountBin holds the guest binary and its links, read-only.
	MountBin = "/opt/kubedirector"
	// MountState holds the ledger of events; it lives as long as the pod.
	MountState = "/var/lib/kubedirector"
	// MountVolumeState holds the copy of the ledger that lives as long as the
	// member: subPath VolumeStateDir of its volume. Only roles with storage.
	MountVolumeState = "/var/lib/kubedirector-volume"
	// MountMeta holds the metadata document.
	MountMeta = "/etc/guestconfig"
	// MountPackage holds the unpacked package and the output of its script.
	MountPackage = "/opt/guestconfig"
	// PersistMount is where the persist init container sees the whole volume.
	PersistMount = "/mnt/kubedirector-volume"

	// VolumeStateDir is the directory on the member's volume that is mounted
	// at MountVolumeState; "kdguest persist" makes it.
	VolumeStateDir = ".kubedirector"
	// MetadataFile is the metadata document's name in MountMeta.
	MetadataFile = "configmeta.json"
	// StartScript is the one program of a package, in its top directory.
	StartScript = "startscript"
	// Binary is the guest's file name in MountBin.
	Binary = "kdguest"

	// EnvPodUID is set by the downward API in the application container; it
	// tells the guest which pod it is in.
	EnvPodUID = "KUBEDIRECTOR_POD_UID"
)

// ToolNames are the names under which applications call the guest to read
// the metadata document; "kdguest install" links each of them.
var ToolNames = []string{"configcli", "ccli", "bdvcli", "bd_vcli", "configmacro"}
