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

	"github.com/bluek8s/kubedirector/pkg/names"
)

// collidingNames finds roles whose ids differ and whose objects' names would not.
func collidingNames(in *Input, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	holder := map[string]string{}
	for i, asked := range in.Cluster.Spec.Roles {
		set := names.StatefulSet(in.Cluster.Name, asked.ID)
		if first, taken := holder[set]; taken {
			faults = append(faults, field.Invalid(spec.Child("roles").Index(i).Child("id"), asked.ID,
				fmt.Sprintf("its objects would be named %q as are those of role %q: leave one of the two roles out", set, first)))
			continue
		}
		holder[set] = asked.ID
	}
	return faults
}

// overlongNames judges the two names that can be too long. Every other one is
// legal if the StatefulSet's is: with 1000 members it leaves room for an
// ordinal and a suffix.
func overlongNames(in *Input, _ *field.Path) field.ErrorList {
	var faults field.ErrorList
	name := in.Cluster.Name
	at := field.NewPath("metadata", "name")
	domain := names.Domain(names.HeadlessService(name), in.Cluster.Namespace, in.ClusterDomain)
	members := in.App.Members(&in.Cluster.Spec)
	for i := range in.Cluster.Spec.Roles {
		asked := &in.Cluster.Spec.Roles[i]
		if _, known := in.App.Role(asked.ID); !known {
			continue // unknownRoles has said so
		}
		set := names.StatefulSet(name, asked.ID)
		if excess := len(set) - names.MaxStatefulSet; excess > 0 {
			faults = append(faults, tooLong(at, name, excess, 1, fmt.Sprintf("with role %q it makes the StatefulSet's name %q, which has", asked.ID, set)))
			continue
		}
		last := int(max(members[asked.ID], 1)) - 1
		fqdn := names.FQDN(names.Pod(set, last), domain)
		if excess := len(fqdn) - names.MaxFQDN; excess > 0 {
			faults = append(faults, tooLong(at, name, excess, 2, fmt.Sprintf("with role %q it makes the domain name %q, which has", asked.ID, fqdn)))
		}
	}
	return faults
}

// tooLong says by how much a name must be shorter that stands so many times in what is too long.
func tooLong(at *field.Path, name string, excess, times int, what string) *field.Error {
	shorter := (excess + times - 1) / times
	remedy := fmt.Sprintf("use a name of at most %d characters", len(name)-shorter)
	if shorter >= len(name) {
		remedy = "no name is short enough, so the app needs a shorter role id, or the cluster a shorter namespace"
	}
	return field.Invalid(at, name, fmt.Sprintf("%s %d characters too many: %s", what, excess, remedy))
}
