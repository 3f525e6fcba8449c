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

package catalog

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// Defaults of an app that says nothing else.
const (
	DefaultVersion             = "0"
	DefaultConfigSchemaVersion = 7
	DefaultMaxLogSizeDump      = 256
)

// App is an application type with its defaults resolved.
type App struct {
	Name                string
	DistroID            string
	Version             string
	ConfigSchemaVersion int32
	ConfigMeta          map[string]string
	Capabilities        []corev1.Capability
	SystemdRequired     bool

	roles []*Role
}

// New resolves the app of the given name.
func New(name string, spec *v1alpha1.KubeDirectorAppSpec) *App {
	spec = spec.DeepCopy()
	app := &App{
		Name:                name,
		DistroID:            orDefault(spec.DistroID, name),
		Version:             orDefault(spec.Version, DefaultVersion),
		ConfigSchemaVersion: orDefault(spec.ConfigSchemaVersion, DefaultConfigSchemaVersion),
		ConfigMeta:          spec.Config.ConfigMeta,
		Capabilities:        spec.Capabilities,
		SystemdRequired:     spec.SystemdRequired,
	}
	for i := range spec.Roles {
		if isSelected(spec, spec.Roles[i].ID) {
			app.roles = append(app.roles, newRole(spec, &spec.Roles[i]))
		}
	}
	return app
}

// Roles are the roles that an instance has, in the order of the app's spec.
func (a *App) Roles() []*Role { return slices.Clone(a.roles) }

// Role finds a role that an instance has.
func (a *App) Role(id string) (*Role, bool) {
	for _, role := range a.roles {
		if role.ID == id {
			return role, true
		}
	}
	return nil, false
}

func isSelected(spec *v1alpha1.KubeDirectorAppSpec, roleID string) bool {
	selected := spec.Config.SelectedRoles
	return len(selected) == 0 || slices.Contains(selected, v1alpha1.RoleID(roleID))
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
