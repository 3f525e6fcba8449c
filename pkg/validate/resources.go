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
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// resourcesBelowMinimum compares what a member is promised. Kubernetes takes a
// limit for the request where there is no request.
func resourcesBelowMinimum(role *pair) field.ErrorList {
	var faults field.ErrorList
	asked, at := role.asked.Resources, role.at.Child("resources", "requests")
	for _, name := range sortedNames(role.offered.MinResources) {
		least := role.offered.MinResources[name]
		promised, ok := asked.Requests[name]
		at := at.Key(string(name))
		if !ok {
			promised, ok = asked.Limits[name]
			at = role.at.Child("resources", "limits").Key(string(name))
		}
		switch {
		case !ok:
			faults = append(faults, field.Required(role.at.Child("resources", "requests").Key(string(name)),
				fmt.Sprintf("the app asks for at least %s: set it to that or more", least.String())))
		case promised.Cmp(least) < 0:
			faults = append(faults, field.Invalid(at, promised.String(), fmt.Sprintf("the app asks for at least %s: raise it", least.String())))
		}
	}
	return faults
}

// unusableResources finds what the API server would refuse in the pods.
func unusableResources(role *pair) field.ErrorList {
	var faults field.ErrorList
	at := role.at.Child("resources")
	for _, list := range []struct {
		at      *field.Path
		amounts corev1.ResourceList
	}{{at.Child("requests"), role.asked.Resources.Requests}, {at.Child("limits"), role.asked.Resources.Limits}} {
		for _, name := range sortedNames(list.amounts) {
			amount, at := list.amounts[name], list.at.Key(string(name))
			if !isContainerResource(name) {
				faults = append(faults, field.Invalid(at, name, "no resource of a container: use cpu, memory, ephemeral-storage, hugepages-<size>, or a name with a domain such as nvidia.com/gpu"))
			}
			if amount.Sign() < 0 {
				faults = append(faults, field.Invalid(at, amount.String(), "less than 0: use 0 or more"))
			}
		}
	}
	if len(role.asked.Resources.Claims) > 0 {
		faults = append(faults, field.Forbidden(at.Child("claims"), "the pods have no resource claims: ask for an extended resource in limits"))
	}
	return faults
}

func requestsAboveLimits(role *pair) field.ErrorList {
	var faults field.ErrorList
	asked, at := role.asked.Resources, role.at.Child("resources")
	for _, name := range sortedNames(asked.Requests) {
		request := asked.Requests[name]
		limit, limited := asked.Limits[name]
		switch {
		case !limited && !isOvercommitted(name):
			faults = append(faults, field.Required(at.Child("limits").Key(string(name)),
				fmt.Sprintf("this resource is not shared: set the limit to the request, %s", request.String())))
		case limited && limit.Cmp(request) < 0:
			faults = append(faults, field.Invalid(at.Child("limits").Key(string(name)), limit.String(),
				fmt.Sprintf("less than the request of %s: raise it, or lower the request", request.String())))
		case limited && limit.Cmp(request) > 0 && !isOvercommitted(name):
			faults = append(faults, field.Invalid(at.Child("limits").Key(string(name)), limit.String(),
				fmt.Sprintf("this resource is not shared: set the limit to the request, %s", request.String())))
		}
	}
	return faults
}

// isOvercommitted is true for resources whose limit may exceed the request.
func isOvercommitted(name corev1.ResourceName) bool {
	return name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage
}

func isContainerResource(name corev1.ResourceName) bool {
	return isOvercommitted(name) || strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix) || strings.Contains(string(name), "/")
}

func sortedNames(list corev1.ResourceList) []corev1.ResourceName {
	return slices.Sorted(maps.Keys(list))
}
