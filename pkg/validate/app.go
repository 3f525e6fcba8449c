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
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// appRules are all that an app is held to.
var appRules = []func(*v1alpha1.KubeDirectorApp, *field.Path) field.ErrorList{
	malformedImages,
	malformedPackages,
	reservedPersistDirs,
	unusableServiceIDs,
	malformedCardinalities,
	unknownServices,
	portsTaken,
	unknownSelectedRoles,
	unknownEarlierRoles,
	rolesWaitingInCircles,
}

// App finds the faults of an app.
func App(app *v1alpha1.KubeDirectorApp) field.ErrorList {
	var faults field.ErrorList
	for _, rule := range appRules {
		faults = append(faults, rule(app, field.NewPath("spec"))...)
	}
	return faults
}

func malformedImages(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	check := func(at *field.Path, image string) {
		if !isImageReference(image) {
			faults = append(faults, field.Invalid(at, image, "not an image reference: use [host[:port]/]name[:tag][@digest], in lower case but for host and tag"))
		}
	}
	if image := app.Spec.DefaultImageRepoTag; image != "" {
		check(spec.Child("defaultImageRepoTag"), image)
	}
	for i, role := range app.Spec.Roles {
		at := spec.Child("roles").Index(i).Child("imageRepoTag")
		switch {
		case role.ImageRepoTag != "":
			check(at, role.ImageRepoTag)
		case app.Spec.DefaultImageRepoTag == "":
			faults = append(faults, field.Required(at, fmt.Sprintf("role %q has no image: set it, or spec.defaultImageRepoTag", role.ID)))
		}
	}
	return faults
}

func malformedPackages(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	check := func(at *field.Path, pkg *v1alpha1.ConfigPackage) {
		if pkg == nil || pkg.None {
			return
		}
		if _, err := catalog.ParsePackage(pkg.PackageURL, app.Namespace); err != nil {
			faults = append(faults, field.Invalid(at.Child("packageURL"), pkg.PackageURL, err.Error()))
		}
	}
	check(spec.Child("defaultConfigPackage"), app.Spec.DefaultConfigPackage)
	for i, role := range app.Spec.Roles {
		check(spec.Child("roles").Index(i).Child("configPackage"), role.ConfigPackage)
	}
	return faults
}

// reservedDirs belong to the kernel, the kubelet or KubeDirector itself in
// every container. A directory that contains one of them can be kept, for each
// of them is a mount of its own; one of them, or what lies below, can't.
var reservedDirs = []string{
	"/dev", "/proc", "/sys",
	"/etc/hostname", "/etc/hosts", "/etc/resolv.conf",
	protocol.MountBin, protocol.MountState, protocol.MountVolumeState,
	protocol.MountMeta, protocol.MountPackage, protocol.PersistMount,
}

func reservedPersistDirs(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	check := func(at *field.Path, dirs []v1alpha1.Directory) {
		for i, dir := range dirs {
			clean := path.Clean(string(dir))
			if clean == "/" {
				faults = append(faults, field.Invalid(at.Index(i), dir, "the whole root directory can't be kept: list the directories that hold state"))
			}
			for _, reserved := range reservedDirs {
				if catalog.Within(clean, reserved) {
					faults = append(faults, field.Invalid(at.Index(i), dir, reserved+" is a mount of its own in every container and can't be kept: remove this entry"))
				}
			}
		}
	}
	check(spec.Child("defaultPersistDirs"), app.Spec.DefaultPersistDirs)
	for i, role := range app.Spec.Roles {
		check(spec.Child("roles").Index(i).Child("persistDirs"), role.PersistDirs)
	}
	return faults
}

// unusableServiceIDs finds ids that are DNS labels and yet can't name a container's port.
func unusableServiceIDs(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	for i, service := range app.Spec.Services {
		if service.Endpoint == nil {
			continue
		}
		for _, fault := range validation.IsValidPortName(service.ID) {
			faults = append(faults, field.Invalid(spec.Child("services").Index(i).Child("id"), service.ID, "it names a port and so "+fault))
		}
	}
	return faults
}

func malformedCardinalities(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	for i, role := range app.Spec.Roles {
		if _, err := catalog.ParseCardinality(role.Cardinality); err != nil {
			faults = append(faults, field.Invalid(spec.Child("roles").Index(i).Child("cardinality"), role.Cardinality, err.Error()))
		}
	}
	return faults
}

func unknownServices(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	services := make([]string, 0, len(app.Spec.Services))
	for _, service := range app.Spec.Services {
		services = append(services, service.ID)
	}
	for i, entry := range app.Spec.Config.RoleServices {
		at := spec.Child("config", "roleServices").Index(i)
		if roles := roleIDs(app); !slices.Contains(roles, entry.RoleID) {
			faults = append(faults, notFound(at.Child("roleID"), entry.RoleID, useOneOf(roles)))
		}
		for j, id := range entry.ServiceIDs {
			if !slices.Contains(services, string(id)) {
				faults = append(faults, notFound(at.Child("serviceIDs").Index(j), id, useOneOf(services)))
			}
		}
	}
	return faults
}

// portsTaken finds two services of one role on one port: a member has one network address.
func portsTaken(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	ports := map[v1alpha1.ServiceID]int32{}
	for _, service := range app.Spec.Services {
		if service.Endpoint != nil {
			ports[v1alpha1.ServiceID(service.ID)] = service.Endpoint.Port
		}
	}
	for i, entry := range app.Spec.Config.RoleServices {
		holder := map[int32]v1alpha1.ServiceID{}
		for j, id := range entry.ServiceIDs {
			port, listens := ports[id]
			if !listens {
				continue
			}
			if first, taken := holder[port]; taken {
				at := spec.Child("config", "roleServices").Index(i).Child("serviceIDs").Index(j)
				faults = append(faults, field.Invalid(at, id, fmt.Sprintf("service %q of this role listens on port %d too: give one of them another port, or leave one out", first, port)))
				continue
			}
			holder[port] = id
		}
	}
	return faults
}

func unknownSelectedRoles(app *v1alpha1.KubeDirectorApp, spec *field.Path) field.ErrorList {
	var faults field.ErrorList
	roles := roleIDs(app)
	for i, id := range app.Spec.Config.SelectedRoles {
		if !slices.Contains(roles, string(id)) {
			faults = append(faults, notFound(spec.Child("config", "selectedRoles").Index(i), id, useOneOf(roles)))
		}
	}
	return faults
}

func roleIDs(app *v1alpha1.KubeDirectorApp) []string {
	ids := make([]string, 0, len(app.Spec.Roles))
	for _, role := range app.Spec.Roles {
		ids = append(ids, role.ID)
	}
	return ids
}
