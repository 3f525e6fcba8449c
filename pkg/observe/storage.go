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

package observe

import (
	"cmp"
	"slices"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/bluek8s/kubedirector/pkg/plan"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

const isDefaultClass = "storageclass.kubernetes.io/is-default-class"

func (o *Observer) storageClasses(seen *plan.Observed) error {
	if o.Caches.StorageClasses == nil {
		return nil
	}
	classes := &validate.StorageClasses{Names: sets.New[string]()}
	var defaults []*storagev1.StorageClass
	for _, item := range o.Caches.StorageClasses.List() {
		class, err := typed[storagev1.StorageClass](item)
		if err != nil {
			return err
		}
		classes.Names.Insert(class.Name)
		if class.Annotations[isDefaultClass] == "true" {
			defaults = append(defaults, class)
		}
	}
	if len(defaults) > 0 {
		// Of several defaults Kubernetes takes the newest, then the first by name.
		classes.Default = slices.MinFunc(defaults, func(a, b *storagev1.StorageClass) int {
			return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
		}).Name
	}
	seen.StorageClasses = classes
	return nil
}
