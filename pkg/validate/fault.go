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

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// notFound is field.NotFound with a sentence that says what there is.
func notFound(at *field.Path, value any, remedy string) *field.Error {
	fault := field.NotFound(at, value)
	fault.Detail = remedy
	return fault
}

func useOneOf(choices []string) string {
	if len(choices) == 0 {
		return "there are none to choose from"
	}
	return "use one of: " + strings.Join(choices, ", ")
}
