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

package cluster

import (
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/controller"
)

// Name is the controller's name in metrics and logs.
const Name = "cluster"

// Sources are the informers whose events concern clusters.
type Sources struct {
	Clusters cache.TypedSharedIndexInformer[*v1alpha1.KubeDirectorCluster]
	// Apps are the informers of apps, those of the system catalog among them.
	Apps     []cache.TypedSharedIndexInformer[*v1alpha1.KubeDirectorApp]
	Services cache.TypedSharedIndexInformer[*corev1.Service]
	Sets     cache.TypedSharedIndexInformer[*appsv1.StatefulSet]
	Claims   cache.TypedSharedIndexInformer[*corev1.PersistentVolumeClaim]
	Pods     cache.TypedSharedIndexInformer[*corev1.Pod]
	Pins     cache.TypedSharedIndexInformer[*appsv1.ControllerRevision]
	// StorageClasses is nil where they can't be seen.
	StorageClasses cache.TypedSharedIndexInformer[*storagev1.StorageClass]
}

// Subscribe makes events of what clusters consist of, and of what they wait
// for, into their keys.
func Subscribe(c *controller.Controller, from Sources) error {
	if err := from.Clusters.AddIndexers(cache.Indexers{ByApp: IndexByApp}); err != nil {
		return err
	}
	clusters := from.Clusters.GetIndexer()
	errs := []error{
		controller.Enqueue(c, from.Clusters, controller.Itself),
		controller.Enqueue(c, from.Services, owner[*corev1.Service]),
		controller.Enqueue(c, from.Sets, owner[*appsv1.StatefulSet]),
		controller.Enqueue(c, from.Claims, owner[*corev1.PersistentVolumeClaim]),
		controller.Enqueue(c, from.Pods, owner[*corev1.Pod]),
		controller.Enqueue(c, from.Pins, owner[*appsv1.ControllerRevision]),
	}
	for _, apps := range from.Apps {
		errs = append(errs, controller.Enqueue(c, apps, usersOf(clusters)))
	}
	if from.StorageClasses != nil {
		errs = append(errs, controller.Enqueue(c, from.StorageClasses, everyone[*storagev1.StorageClass](clusters)))
	}
	return errors.Join(errs...)
}
