//go:build real

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

package real

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// childResources are the kinds of objects that are made for a cluster.
var childResources = []schema.GroupVersionResource{
	{Version: "v1", Resource: "services"},
	{Version: "v1", Resource: "pods"},
	{Version: "v1", Resource: "persistentvolumeclaims"},
	{Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "apps", Version: "v1", Resource: "controllerrevisions"},
}

// untilGone waits until the cluster itself is gone.
func (f *fixture) untilGone(name string) {
	f.Helper()
	f.eventually(patience, "cluster "+name+" is gone", func(ctx context.Context) (bool, string) {
		cluster, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(f.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return apierrors.IsNotFound(err), err.Error()
		}
		return false, describe(cluster)
	})
}

// childrenOf are the objects that were made for a cluster.
func (f *fixture) childrenOf(ctx context.Context, cluster string) []string {
	f.Helper()
	var found []string
	for _, resource := range childResources {
		objects, err := server.objects.Resource(resource).Namespace(f.namespace).List(ctx, metav1.ListOptions{LabelSelector: names.LabelCluster + "=" + cluster})
		if err != nil {
			f.Fatal(err)
		}
		for _, object := range objects.Items {
			found = append(found, resource.Resource+"/"+object.GetName())
		}
	}
	slices.Sort(found)
	return found
}
