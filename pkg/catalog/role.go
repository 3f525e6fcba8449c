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
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// DefaultEvents are the lifecycle events of a role for which the app lists
// none. Any other is opt-in: a package that does not know it is never called for it.
var DefaultEvents = []v1alpha1.LifecycleEvent{
	v1alpha1.EventConfigure, v1alpha1.EventAddNodes, v1alpha1.EventDelNodes, v1alpha1.EventReconnect,
}

// Role is a kind of member with its defaults resolved.
type Role struct {
	ID          string
	Cardinality Cardinality
	Image       string

	// Package is the config package; nil: the role needs no configuration.
	Package *v1alpha1.ConfigPackage

	// PersistDirs are the directories kept on the member's volume, sorted, none within another.
	PersistDirs []string

	// ConfigureAfter are the roles whose members are configured before those of this one.
	ConfigureAfter []string

	// MaxLogSizeDump is how many bytes of a failed script's output status keeps.
	MaxLogSizeDump int32

	MinResources  corev1.ResourceList
	MinStorage    *v1alpha1.MinStorage
	ContainerSpec v1alpha1.ContainerSpec

	// Services are what the members run, in the order of the app's list of services; each has a label.
	Services []v1alpha1.Service

	events []v1alpha1.LifecycleEvent
	hooks  *v1alpha1.Hooks
}

// Takes says whether the role's package is called for an event.
func (r *Role) Takes(event v1alpha1.LifecycleEvent) bool {
	return r.Package != nil && slices.Contains(r.events, event)
}

// HasPorts says whether any service of the role listens, so that its members have Services.
func (r *Role) HasPorts() bool {
	return slices.ContainsFunc(r.Services, func(s v1alpha1.Service) bool { return s.Endpoint != nil })
}

func newRole(spec *v1alpha1.KubeDirectorAppSpec, role *v1alpha1.Role) *Role {
	resolved := &Role{
		ID:             role.ID,
		Image:          orDefault(role.ImageRepoTag, spec.DefaultImageRepoTag),
		Package:        configPackage(spec, role),
		PersistDirs:    foldDirs(listOrDefault(role.PersistDirs, spec.DefaultPersistDirs)),
		ConfigureAfter: role.ConfigureAfter,
		MaxLogSizeDump: maxLogSizeDump(role.MaxLogSizeDump, spec.DefaultMaxLogSizeDump),
		MinResources:   role.MinResources,
		MinStorage:     role.MinStorage,
		Services:       roleServices(spec, role.ID),
		events:         listOrDefault(listOrDefault(role.EventList, spec.DefaultEventList), DefaultEvents),
		hooks:          spec.Hooks,
	}
	resolved.Cardinality, _ = ParseCardinality(role.Cardinality)
	if role.ContainerSpec != nil {
		resolved.ContainerSpec = *role.ContainerSpec
	}
	return resolved
}

func configPackage(spec *v1alpha1.KubeDirectorAppSpec, role *v1alpha1.Role) *v1alpha1.ConfigPackage {
	chosen := orDefault(role.ConfigPackage, spec.DefaultConfigPackage)
	if chosen == nil || chosen.None {
		return nil
	}
	return chosen.DeepCopy()
}

func maxLogSizeDump(role, app *int32) int32 {
	chosen := orDefault(role, app)
	if chosen == nil {
		return DefaultMaxLogSizeDump
	}
	return min(*chosen, DefaultMaxLogSizeDump)
}

// listOrDefault tells a list that is not there from one that is there and empty.
func listOrDefault[T any](list, otherwise []T) []T {
	if list == nil {
		return otherwise
	}
	return list
}

// foldDirs sorts directories and drops each that another one contains.
func foldDirs(dirs []v1alpha1.Directory) []string {
	sorted := make([]string, 0, len(dirs))
	for _, dir := range dirs {
		sorted = append(sorted, path.Clean(string(dir)))
	}
	slices.Sort(sorted)
	var folded []string
	for _, dir := range sorted {
		if !slices.ContainsFunc(folded, func(kept string) bool { return Within(dir, kept) }) {
			folded = append(folded, dir)
		}
	}
	return folded
}

// Within says whether a clean absolute path is dir or lies below it.
func Within(file, dir string) bool {
	return file == dir || strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/")
}

// roleServices keeps the order of the app's services, so that the order in
// which a role names them changes nothing.
func roleServices(spec *v1alpha1.KubeDirectorAppSpec, roleID string) []v1alpha1.Service {
	runs := map[v1alpha1.ServiceID]bool{}
	for _, entry := range spec.Config.RoleServices {
		if entry.RoleID == roleID {
			for _, id := range entry.ServiceIDs {
				runs[id] = true
			}
		}
	}
	var services []v1alpha1.Service
	for i := range spec.Services {
		service := *spec.Services[i].DeepCopy()
		if !runs[v1alpha1.ServiceID(service.ID)] {
			continue
		}
		if service.Label == nil {
			service.Label = &v1alpha1.Label{Name: service.ID}
		}
		services = append(services, service)
	}
	return services
}
