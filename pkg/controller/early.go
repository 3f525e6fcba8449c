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

package controller

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluek8s/kubedirector/pkg/freshness"
)

// tooEarly is true for an error that says nothing but that a cache was behind:
// a stale cache, a conflict, or several of them.
func tooEarly(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			if !tooEarly(one) {
				return false
			}
		}
		return true
	}
	if stale := (*freshness.StaleError)(nil); errors.As(err, &stale) {
		return true
	}
	return apierrors.IsConflict(err)
}
