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

package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// view is all objects of a kind, as of the last refresh. It is listed anew only when one of them has changed.
type view[O apiserver.Object] struct {
	api      *apiserver.Server
	resource schema.GroupResource
	version  int64
	items    []O // by namespace and name
	byUID    map[types.UID]O
}

func newView[O apiserver.Object](api *apiserver.Server, resource schema.GroupResource) *view[O] {
	return &view[O]{api: api, resource: resource, version: -1}
}

func resourceOf(version schema.GroupVersion, resource string) schema.GroupResource {
	return version.WithResource(resource).GroupResource()
}

func (v *view[O]) refresh() {
	version := v.api.Version()
	if v.version >= 0 {
		if changes, err := v.api.Since(v.resource, v.version); err == nil && len(changes) == 0 {
			v.version = version
			return
		}
	}
	v.version = version
	v.items = apiserver.List[O](v.api, metav1.NamespaceAll)
	v.byUID = make(map[types.UID]O, len(v.items))
	for _, o := range v.items {
		v.byUID[o.GetUID()] = o
	}
}

// find is the object of a name, as the API server has it now.
func (v *view[O]) find(namespace, name string) (O, bool) {
	return apiserver.Get[O](v.api, namespace, name)
}
