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
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func unknownEarlierRoles(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	roles := roleIDs(app)
	for i, role := range app.Spec.Roles {
		for j, id := range role.ConfigureAfter {
			if !slices.Contains(roles, id) {
				faults = append(faults, notFound(configureAfter(spec, i, j), id, useOneOf(roles)))
			}
		}
	}
	return faults
}

// rolesWaitingInCircles finds the entries that close a circle: without them
// some role is configured first.
func rolesWaitingInCircles(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	index := map[string]int{}
	for i, role := range app.Spec.Roles {
		index[role.ID] = i
	}
	var chain []string // each role waits for the next
	followed := map[string]bool{}
	var follow func(id string)
	follow = func(id string) {
		chain = append(chain, id)
		for j, earlier := range app.Spec.Roles[index[id]].ConfigureAfter {
			_, known := index[earlier]
			switch from := slices.Index(chain, earlier); {
			case from >= 0:
				faults = append(faults, field.Invalid(configureAfter(spec, index[id], j), earlier, circle(chain[from:])))
			case known && !followed[earlier]:
				follow(earlier)
			}
		}
		chain = chain[:len(chain)-1]
		followed[id] = true
	}
	for _, role := range app.Spec.Roles {
		if !followed[role.ID] {
			follow(role.ID)
		}
	}
	return faults
}

// circle says what is wrong with roles of which each waits for the next and the last for the first.
func circle(ids []string) string {
	if len(ids) == 1 {
		return "a role can't wait for itself: remove this entry"
	}
	waits := strings.Join(append(slices.Clone(ids), ids[0]), " waits for ")
	return waits + ", so none is ever configured: remove this entry, or another of them"
}

func configureAfter(spec *field.Path, role, entry int) *field.Path {
	return spec.Child("roles").Index(role).Child("configureAfter").Index(entry)
}
