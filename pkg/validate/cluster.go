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
	"slices"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

// Input is what a cluster is judged by.
type Input struct {
	Cluster *v1alpha1.KubeDirectorCluster
	// App is the valid app that the cluster uses or would use.
	App *catalog.App
	// StorageClasses are those there are; nil where they can't be seen, and then nothing is said of them.
	StorageClasses *StorageClasses
	// ClusterDomain is the DNS domain of Kubernetes, "cluster.local".
	ClusterDomain string
	// DefaultStorageClassName is the class for a role that names none; empty: Kubernetes' own default.
	DefaultStorageClassName string
}

// StorageClasses are the storage classes there are.
type StorageClasses struct {
	Names sets.Set[string]
	// Default is the default class; empty if there is none.
	Default string
}

// clusterRules look at the roles together.
var clusterRules = []func(*Input, *field.Path) field.ErrorList{
	unknownRoles,
	missingRoles,
	unknownElasticRole,
	tooManyMembers,
	collidingNames,
	overlongNames,
}

// roleRules look at one role of the cluster and the app's role of that id.
var roleRules = []func(*pair) field.ErrorList{
	membersAgainstCardinality,
	resourcesBelowMinimum,
	unusableResources,
	requestsAboveLimits,
	missingStorage,
	storageTooSmall,
	unknownStorageClass,
	persistenceWithoutRoot,
	unusableEnvironment,
}

// pair is a role as the cluster asks for it and as the app has it.
type pair struct {
	in      *Input
	asked   *v1alpha1.ClusterRole
	offered *catalog.Role
	at      *field.Path
}

// Cluster finds the faults of a cluster.
func Cluster(in Input) field.ErrorList {
	spec := field.NewPath("spec")
	var faults field.ErrorList
	for _, rule := range clusterRules {
		faults = append(faults, rule(&in, spec)...)
	}
	for i := range in.Cluster.Spec.Roles {
		asked := &in.Cluster.Spec.Roles[i]
		offered, known := in.App.Role(asked.ID)
		if !known {
			continue // unknownRoles has said so
		}
		for _, rule := range roleRules {
			faults = append(faults, rule(&pair{&in, asked, offered, spec.Child("roles").Index(i)})...)
		}
	}
	return faults
}

func unknownRoles(in *Input, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	ids := offeredIDs(in.App)
	for i, asked := range in.Cluster.Spec.Roles {
		if _, known := in.App.Role(asked.ID); !known {
			faults = append(faults, notFound(spec.Child("roles").Index(i).Child("id"), asked.ID,
				fmt.Sprintf("app %q has no such role: %s", in.App.Name, useOneOf(ids))))
		}
	}
	return faults
}

func offeredIDs(app *catalog.App) []string {
	var ids []string
	for _, role := range app.Roles() {
		ids = append(ids, role.ID)
	}
	return ids
}

// missingRoles finds roles that need members and that the cluster leaves out.
func missingRoles(in *Input, spec *field.Path) field.ErrorList {
	present := askedIDs(in.Cluster)
	var faults field.ErrorList
	for _, role := range in.App.Roles() {
		if role.Cardinality.Number > 0 && !slices.Contains(present, role.ID) {
			faults = append(faults, field.Required(spec.Child("roles"),
				fmt.Sprintf("role %q is left out: add it, the app asks for %s", role.ID, describe(role.Cardinality))))
		}
	}
	return faults
}

func askedIDs(cluster *v1alpha1.KubeDirectorCluster) []string {
	var ids []string
	for _, asked := range cluster.Spec.Roles {
		ids = append(ids, asked.ID)
	}
	return ids
}

func unknownElasticRole(in *Input, spec *field.Path) field.ErrorList {
	elastic := in.Cluster.Spec.Elastic
	if elastic == nil {
		return nil
	}
	at := spec.Child("elastic", "role")
	if _, known := in.App.Role(elastic.Role); !known {
		return field.ErrorList{notFound(at, elastic.Role, fmt.Sprintf("app %q has no such role: %s", in.App.Name, useOneOf(offeredIDs(in.App))))}
	}
	if present := askedIDs(in.Cluster); !slices.Contains(present, elastic.Role) {
		return field.ErrorList{notFound(at, elastic.Role, "spec.roles has no such role: add it there, or "+useOneOf(present))}
	}
	return nil
}

// tooManyMembers counts as many of the elastic role as its cardinality demands
// at least; with more it is only brought down to what there is room for.
func tooManyMembers(in *Input, spec *field.Path) field.ErrorList {
	var total int32
	for _, members := range in.App.Members(&in.Cluster.Spec) {
		total += members
	}
	if total <= catalog.MaxMembers {
		return nil
	}
	return field.ErrorList{field.Invalid(spec.Child("roles"), total,
		fmt.Sprintf("a cluster can have %d members in all: lower the members of some role", catalog.MaxMembers))}
}

// membersAgainstCardinality leaves the elastic role alone: its members are overridden.
func membersAgainstCardinality(role *pair) field.ErrorList {
	cardinality, asked := role.offered.Cardinality, role.asked.Members
	elastic := role.in.Cluster.Spec.Elastic
	if asked == nil || cardinality.Allows(*asked) || elastic != nil && elastic.Role == role.asked.ID {
		return nil
	}
	return field.ErrorList{field.Invalid(role.at.Child("members"), *asked,
		fmt.Sprintf("the app asks for %s: set it to %d or leave it out", describe(cardinality), cardinality.Number))}
}

func describe(c catalog.Cardinality) string {
	if c.OrMore {
		return fmt.Sprintf("at least %d", c.Number)
	}
	return fmt.Sprintf("exactly %d", c.Number)
}
