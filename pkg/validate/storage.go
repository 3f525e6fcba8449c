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

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func missingStorage(role *pair) field.ErrorList {
	least := role.offered.MinStorage
	if role.asked.Storage != nil || least == nil || least.EphemeralModeSupported {
		return nil
	}
	return field.ErrorList{field.Required(role.at.Child("storage"),
		fmt.Sprintf("the app does not run without storage: add it with a size of at least %s", least.Size.String()))}
}

func storageTooSmall(role *pair) field.ErrorList {
	if role.asked.Storage == nil {
		return nil
	}
	size, at := role.asked.Storage.Size, role.at.Child("storage", "size")
	if size.Sign() <= 0 {
		return field.ErrorList{field.Invalid(at, size.String(), "not more than 0: set a size such as 10Gi, or leave storage out")}
	}
	if least := role.offered.MinStorage; least != nil && size.Cmp(least.Size) < 0 {
		return field.ErrorList{field.Invalid(at, size.String(), fmt.Sprintf("the app asks for at least %s: raise it", least.Size.String()))}
	}
	return nil
}

func unknownStorageClass(role *pair) field.ErrorList {
	classes := role.in.StorageClasses
	if role.asked.Storage == nil || classes == nil {
		return nil
	}
	at := role.at.Child("storage", "storageClassName")
	choices := useOneOf(sets.List(classes.Names))
	configured := role.in.DefaultStorageClassName
	switch named := role.asked.Storage.StorageClassName; {
	case named != nil && !classes.Names.Has(*named):
		return field.ErrorList{notFound(at, *named, "no such StorageClass: create it, or "+choices)}
	case named == nil && configured != "" && !classes.Names.Has(configured):
		return field.ErrorList{notFound(at, configured, "the controller's configuration names this default StorageClass, and there is none: create it, or "+choices)}
	case named == nil && configured == "" && classes.Default == "":
		return field.ErrorList{field.Required(at, "there is no default StorageClass: make one the default, or "+choices)}
	}
	return nil
}

// persistenceWithoutRoot finds pods that may not be root although the files of
// their image are to be copied with owner and mode.
func persistenceWithoutRoot(role *pair) field.ErrorList {
	security := role.asked.SecurityContext
	if security == nil || security.RunAsNonRoot == nil || !*security.RunAsNonRoot {
		return nil
	}
	if role.asked.Storage == nil || len(role.offered.PersistDirs) == 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(role.at.Child("securityContext", "runAsNonRoot"), true,
		"copying the app's persistent directories to a member's volume needs root: leave this out (runAsUser decides as whom the application runs), or leave storage out")}
}
