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
	"k8s.io/utils/ptr"
)

// nobody is the user our own container runs as, the usual number of an image without users.
const nobody int64 = 65532

func podSecurity(in *RoleInput) *corev1.PodSecurityContext {
	security := in.Spec.SecurityContext.DeepCopy()
	if in.Spec.Storage == nil {
		return security
	}
	if security == nil {
		security = &corev1.PodSecurityContext{}
	}
	if security.FSGroupChangePolicy == nil {
		// Otherwise every start of a pod would walk the whole volume.
		security.FSGroupChangePolicy = ptr.To(corev1.FSGroupChangeOnRootMismatch)
	}
	return security
}

// appSecurity adds the app's capabilities. For a role that runs as non-root
// and needs none, it sets what the restricted pod security level demands of
// containers, so that such a role runs in a namespace that enforces it. Any other role
// would break by that: its image may rely on root's capabilities.
func appSecurity(in *RoleInput) *corev1.SecurityContext {
	if added := in.App.Capabilities; len(added) > 0 {
		return &corev1.SecurityContext{Capabilities: &corev1.Capabilities{
			Add: slices.Sorted(slices.Values(added)),
		}}
	}
	pod := in.Spec.SecurityContext
	if pod == nil || !ptr.Deref(pod.RunAsNonRoot, false) {
		return nil
	}
	security := restricted()
	if pod.SeccompProfile != nil {
		security.SeccompProfile = nil // the user's own holds for all containers
	}
	return security
}

func installSecurity() *corev1.SecurityContext {
	security := restricted()
	security.RunAsUser = ptr.To(nobody)
	security.RunAsGroup = ptr.To(nobody)
	security.RunAsNonRoot = ptr.To(true)
	security.ReadOnlyRootFilesystem = ptr.To(true)
	return security
}

// persistSecurity is root with just what it takes to restore a file with its
// owner, mode, set-ID bits and capabilities. The baseline level allows all of it.
func persistSecurity() *corev1.SecurityContext {
	security := restricted()
	security.RunAsUser = ptr.To[int64](0)
	security.RunAsGroup = ptr.To[int64](0)
	security.RunAsNonRoot = ptr.To(false)
	security.Capabilities.Add = []corev1.Capability{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"}
	return security
}

// restricted is what the restricted pod security level demands of a container, the user apart.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}
