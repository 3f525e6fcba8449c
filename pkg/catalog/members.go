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

package catalog

import (
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// Members is how many members a spec asks for of each of its roles, by id, roles
// that the app lacks left out. The number of the elastic role, which autoscalers
// set without knowing the app, is brought within what its cardinality and
// MaxMembers allow.
func (a *App) Members(spec *v1alpha1.KubeDirectorClusterSpec) map[string]int32 {
	members := map[string]int32{}
	var elastic *Role
	room := int32(MaxMembers)
	for i := range spec.Roles {
		role, known := a.Role(spec.Roles[i].ID)
		switch {
		case !known:
		case spec.Elastic != nil && spec.Elastic.Role == role.ID:
			elastic = role
		default:
			members[role.ID] = role.Cardinality.Desired(spec.Roles[i].Members)
			room -= members[role.ID]
		}
	}
	if elastic != nil {
		members[elastic.ID] = elastic.Cardinality.clamp(spec.Elastic.Members, room)
	}
	return members
}

// clamp is the number of members nearest to n that the cardinality and the room left allow; the cardinality wins.
func (c Cardinality) clamp(n, room int32) int32 {
	if !c.OrMore {
		return c.Number
	}
	return max(min(n, room), c.Number)
}
