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

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// RecordedRole is a role whose members exist.
type RecordedRole struct {
	ID      string
	Members int32
	// InputsHash is the hash of what its pods were rendered from; empty: they may be rendered anew.
	InputsHash string
}

// Change finds edits to the roles of a valid cluster that are not carried out
// on members that exist. The function hash gives the hash of what the pods of a
// role would be rendered from.
func Change(recorded []RecordedRole, cluster *v1alpha1.KubeDirectorCluster, app *catalog.App, hash func(roleID string) string) field.ErrorList {
	roles := field.NewPath("spec", "roles")
	existing := make(map[string]RecordedRole, len(recorded))
	for _, role := range recorded {
		existing[role.ID] = role
	}
	var faults field.ErrorList
	for i := range cluster.Spec.Roles {
		asked, at := &cluster.Spec.Roles[i], roles.Index(i)
		was, exists := existing[asked.ID]
		delete(existing, asked.ID)
		if !exists {
			faults = append(faults, field.Forbidden(at,
				fmt.Sprintf("adding role %q to a cluster whose members exist is not supported yet: remove it, or create another cluster", asked.ID)))
			continue
		}
		if offered, known := app.Role(asked.ID); known {
			if members := offered.Cardinality.Desired(asked.Members); members != was.Members {
				faults = append(faults, membersChanged(at.Child("members"), was.Members, members))
			}
		}
		if was.InputsHash != "" && hash(asked.ID) != was.InputsHash {
			faults = append(faults, field.Forbidden(at,
				fmt.Sprintf("changing the resources, storage, env or securityContext of role %q, whose members exist, is not supported yet: set them back, or create another cluster", asked.ID)))
		}
	}
	for _, was := range recorded {
		if _, left := existing[was.ID]; left {
			faults = append(faults, field.Forbidden(roles,
				fmt.Sprintf("removing role %q, of which %d members exist, is not supported yet: put it back, or create another cluster", was.ID, was.Members)))
		}
	}
	return faults
}

func membersChanged(at *field.Path, was, asked int32) *field.Error {
	return field.Forbidden(at, fmt.Sprintf("%d -> %d: changing the number of members of a cluster whose members exist is not supported yet: set it back to %d, or create another cluster", was, asked, was))
}
