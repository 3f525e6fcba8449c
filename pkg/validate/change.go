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

package validate

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// RecordedRole is a role whose StatefulSet exists.
type RecordedRole struct {
	ID string
	// Storage is of the claim template that the StatefulSet has; nil: it makes no claims.
	Storage *corev1.PersistentVolumeClaimSpec
}

// Change finds edits of a cluster that are not carried out once members exist:
// those of a role's storage, for the claim template of a StatefulSet can't be
// changed. A role that is recorded and no longer asked for goes, and so is none.
func Change(recorded []RecordedRole, cluster *v1alpha1.KubeDirectorCluster) field.ErrorList {
	existing := make(map[string]*corev1.PersistentVolumeClaimSpec, len(recorded))
	for _, role := range recorded {
		existing[role.ID] = role.Storage
	}
	var faults field.ErrorList
	for i := range cluster.Spec.Roles {
		asked := &cluster.Spec.Roles[i]
		was, exists := existing[asked.ID]
		if !exists || sameStorage(was, asked.Storage) {
			continue
		}
		faults = append(faults, field.Forbidden(field.NewPath("spec", "roles").Index(i).Child("storage"),
			fmt.Sprintf("changing the storage of role %q, whose members exist, is not supported yet: %s, or create another cluster", asked.ID, setBack(was))))
	}
	return faults
}

func sameStorage(was *corev1.PersistentVolumeClaimSpec, asked *v1alpha1.Storage) bool {
	if was == nil || asked == nil {
		return was == nil && asked == nil
	}
	size := was.Resources.Requests[corev1.ResourceStorage]
	return size.Cmp(asked.Size) == 0 && sameClass(was.StorageClassName, asked.StorageClassName)
}

// sameClass compares with the class that the spec names. Where it names none,
// whatever default there was holds: another default is no edit of this cluster.
func sameClass(was, asked *string) bool { return asked == nil || ptr.Equal(was, asked) }

// setBack says how to ask for the storage that there is.
func setBack(was *corev1.PersistentVolumeClaimSpec) string {
	if was == nil {
		return "leave it out"
	}
	size := was.Resources.Requests[corev1.ResourceStorage]
	if was.StorageClassName == nil {
		return fmt.Sprintf("set it back to size %s and no storageClassName", size.String())
	}
	return fmt.Sprintf("set it back to size %s and storageClassName %q", size.String(), *was.StorageClassName)
}
