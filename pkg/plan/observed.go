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
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/resources"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

// Observed is all that a decision about one cluster rests on: a consistent
// value, never written to. What does not exist is nil or missing, never an error.
type Observed struct {
	// Now is the time at which the observation was made.
	Now time.Time
	// Settings are the controller's own, as far as plans depend on them.
	Settings Settings

	Cluster *v1alpha1.KubeDirectorCluster
	// App is the KubeDirectorApp that spec.app names, in the first catalog that has it.
	App *v1alpha1.KubeDirectorApp
	// Revisions are the pinned app specs of this cluster, its own only.
	Revisions []*appsv1.ControllerRevision

	// Services, Sets and Claims are, by name, the objects under names that the
	// cluster uses or would use, whoever owns them, and those it owns under other names.
	Services map[string]*corev1.Service
	Sets     map[string]*appsv1.StatefulSet
	Claims   map[string]*corev1.PersistentVolumeClaim
	// Pods are the pods of this cluster's StatefulSets by name.
	Pods map[string]*corev1.Pod

	// StorageClasses is nil where they can't be seen.
	StorageClasses *validate.StorageClasses

	// Outcomes are the newest steps by the UID of their pod.
	Outcomes map[types.UID]Outcome
	// Warnings are the newest warning Events by the UID of the object they
	// speak of: StatefulSets that miss pods, claims that are not bound. They are asked for only then.
	Warnings map[types.UID]Warning
	// Refusals are what the API server refused of the actions that were carried
	// out last, by the action as a plan shows it, in the server's own words.
	Refusals map[string]string
	// Packages are the present contents of config packages in ConfigMaps, asked
	// for only while a member waits for its user to mend one.
	Packages map[catalog.ConfigMapKey]PackageCheck
}

// PackageCheck is what a look at a config package found.
type PackageCheck struct {
	// Version identifies the content; empty while a first look is under way, or when it could not be read.
	Version string
	At      time.Time
}

// Warning is a warning Event of Kubernetes.
type Warning struct {
	Reason, Message string
	At              time.Time
}

// Settings are the controller's settings that plans depend on.
type Settings struct {
	// ClusterDomain is the DNS domain of Kubernetes, "cluster.local".
	ClusterDomain string
	// DefaultServiceType is the type of member Services where a cluster says none.
	DefaultServiceType corev1.ServiceType
	// DefaultStorageClassName is the class of members' volumes where a cluster says none; empty is Kubernetes' own default.
	DefaultStorageClassName string
	// Render is what the builders of objects need.
	Render resources.Settings
}
