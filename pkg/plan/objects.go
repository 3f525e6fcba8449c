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

package plan

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sorted are the values of a map in the order of its keys, so that equal observations give equal plans.
func sorted[V any](byName map[string]V) []V {
	values := make([]V, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		values = append(values, byName[name])
	}
	return values
}

// objectOf names an object as it was observed.
func objectOf(o metav1.Object) Object {
	return Object{Name: o.GetName(), UID: o.GetUID(), Version: o.GetResourceVersion()}
}

func nameList[O metav1.Object](objects []O) []string {
	all := make([]string, 0, len(objects))
	for _, o := range objects {
		all = append(all, o.GetName())
	}
	return all
}
