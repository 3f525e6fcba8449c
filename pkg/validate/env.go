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
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/names"
)

func unusableEnvironment(role *pair) field.ErrorList {
	var faults field.ErrorList
	for i := range role.asked.Env {
		variable, at := &role.asked.Env[i], role.at.Child("env").Index(i)
		for _, fault := range validation.IsEnvVarName(variable.Name) {
			faults = append(faults, field.Invalid(at.Child("name"), variable.Name, fault))
		}
		if strings.HasPrefix(variable.Name, names.ReservedEnvPrefix) {
			faults = append(faults, field.Invalid(at.Child("name"), variable.Name, "names with "+names.ReservedEnvPrefix+" are KubeDirector's own: use another name"))
		}
		if variable.ValueFrom == nil {
			continue
		}
		if variable.Value != "" {
			// The value is not shown: it may be what valueFrom was to keep out of sight.
			faults = append(faults, field.Forbidden(at.Child("value"), "there is valueFrom too: leave one of them out"))
		}
		if sources(variable.ValueFrom) != 1 {
			faults = append(faults, field.Required(at.Child("valueFrom"), "set exactly one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef"))
		}
	}
	return faults
}

// sources counts where a value comes from, of what a member's container can have.
func sources(from *corev1.EnvVarSource) int {
	count := 0
	for _, set := range []bool{from.FieldRef != nil, from.ResourceFieldRef != nil, from.ConfigMapKeyRef != nil, from.SecretKeyRef != nil} {
		if set {
			count++
		}
	}
	return count
}
