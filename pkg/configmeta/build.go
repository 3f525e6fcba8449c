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

package configmeta

import (
	"encoding/json"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// Input is what a document is built from.
type Input struct {
	Cluster Cluster
	App     *catalog.App
	// Domain is the DNS domain of the members.
	Domain string
	// Roles are the cluster's roles and their members; one without members is left out of the document.
	Roles []RoleMembers
}

// Cluster identifies the cluster.
type Cluster struct {
	Namespace string
	Name      string
	UID       types.UID
}

// RoleMembers are the members of a role of the app.
type RoleMembers struct {
	RoleID    string
	Resources corev1.ResourceRequirements
	Members   []Member
}

// Member is a member as its peers know it.
type Member struct {
	Pod    string
	NodeID int64
}

// Document is a metadata document without the section that differs from member to member.
type Document struct {
	shared []byte
	nodes  map[int64]node
}

// Build makes the part that all members share. It fails for a role that the app does not have.
func Build(in Input) (*Document, error) {
	nodes := map[int64]node{}
	roles := map[string]role{}
	services := map[string]map[string]map[string]reference{}
	for _, members := range in.Roles {
		if len(members.Members) == 0 {
			continue
		}
		appRole, ok := in.App.Role(members.RoleID)
		if !ok {
			return nil, fmt.Errorf("metadata of cluster %s/%s: app %s has no role %q", in.Cluster.Namespace, in.Cluster.Name, in.App.Name, members.RoleID)
		}
		roles[appRole.ID] = newRole(in.Domain, appRole, members)
		for _, s := range appRole.Services {
			if services[s.ID] == nil {
				services[s.ID] = map[string]map[string]reference{nodeGroup: {}}
			}
			services[s.ID][nodeGroup][appRole.ID] = refer("nodegroups", nodeGroup, "roles", appRole.ID, "services", s.ID)
		}
		for _, member := range members.Members {
			nodes[member.NodeID] = newNode(in, appRole.ID, member)
		}
	}
	shared, err := json.Marshal(newDocument(in, roles, services))
	if err != nil {
		return nil, fmt.Errorf("metadata of cluster %s/%s: %w", in.Cluster.Namespace, in.Cluster.Name, err)
	}
	return &Document{shared: shared, nodes: nodes}, nil
}

// ForMember is the document as the member with the given node ID reads it.
func (d *Document) ForMember(nodeID int64) ([]byte, error) {
	member, ok := d.nodes[nodeID]
	if !ok {
		return nil, fmt.Errorf("the metadata has no member with node ID %d", nodeID)
	}
	own, err := json.Marshal(member)
	if err != nil {
		return nil, fmt.Errorf("metadata of the member with node ID %d: %w", nodeID, err)
	}
	// The shared part is an object with members, so its last byte gives way to one more.
	const key = `,"node":`
	document := make([]byte, 0, len(d.shared)+len(key)+len(own)+1)
	document = append(document, d.shared[:len(d.shared)-1]...)
	document = append(document, key...)
	document = append(document, own...)
	return append(document, '}'), nil
}

func newDocument(in Input, roles map[string]role, services map[string]map[string]map[string]reference) document {
	return document{
		Version:  strconv.Itoa(int(in.App.ConfigSchemaVersion)),
		Services: services,
		NodeGroups: map[string]group{nodeGroup: {
			Roles:               roles,
			DistroID:            in.App.DistroID,
			CatalogEntryVersion: in.App.Version,
			ConfigMetadata:      orEmpty(in.App.ConfigMeta),
		}},
		Distros: map[string]map[string]reference{in.App.DistroID: {nodeGroup: refer("nodegroups", nodeGroup)}},
		Cluster: cluster{
			Name:           in.Cluster.Name,
			ID:             string(in.Cluster.UID),
			ConfigMetadata: map[string]reference{nodeGroup: refer("nodegroups", nodeGroup, "config_metadata")},
		},
		Connections: connections{
			Clusters:   map[string]struct{}{},
			ConfigMaps: map[string]struct{}{},
			Secrets:    map[string]struct{}{},
		},
	}
}

func newRole(domain string, appRole *catalog.Role, members RoleMembers) role {
	built := role{
		Services:     map[string]service{},
		FQDNMappings: map[string]string{},
		Flavor:       newFlavor(members.Resources),
		SecretKeys:   map[string]string{},
	}
	for _, member := range members.Members {
		fqdn, id := names.FQDN(member.Pod, domain), formatNodeID(member.NodeID)
		built.NodeIDs = append(built.NodeIDs, id)
		built.FQDNs = append(built.FQDNs, fqdn)
		built.FQDNMappings[fqdn] = id
	}
	built.Hostnames = built.FQDNs
	for i := range appRole.Services {
		built.Services[appRole.Services[i].ID] = newService(appRole.ID, &appRole.Services[i], built.FQDNs)
	}
	return built
}

func newService(roleID string, s *v1alpha1.Service, fqdns []string) service {
	built := service{
		Qualifiers:      []string{},
		Name:            s.Label.Name,
		ID:              s.ID,
		Hostnames:       refer("nodegroups", nodeGroup, "roles", roleID, "hostnames"),
		GlobalID:        nodeGroup + "_" + roleID + "_" + s.ID,
		FQDNs:           refer("nodegroups", nodeGroup, "roles", roleID, "fqdns"),
		ExportedService: s.ExportedService,
	}
	if s.Endpoint == nil {
		return built
	}
	for _, fqdn := range fqdns {
		// Packages that exist expect "://host:port" where the app names no scheme.
		built.Endpoints = append(built.Endpoints, fmt.Sprintf("%s://%s:%d", s.Endpoint.URLScheme, fqdn, s.Endpoint.Port))
	}
	return built
}

func newNode(in Input, roleID string, member Member) node {
	fqdn := names.FQDN(member.Pod, in.Domain)
	return node{
		RoleID:           roleID,
		NodeGroupID:      nodeGroup,
		ID:               formatNodeID(member.NodeID),
		Hostname:         fqdn,
		FQDN:             fqdn,
		Domain:           in.Domain,
		DistroID:         in.App.DistroID,
		DependsOn:        map[string]struct{}{},
		BlockDevicePaths: []string{},
	}
}

// newFlavor tells the size a member may reach: its limits, and where one is
// not set, what it is promised. "0" says that neither is known. Memory is in
// MiB, rounded down so that it is there; cores are rounded up, for half a core
// still needs one thread.
func newFlavor(resources corev1.ResourceRequirements) flavor {
	amount := func(name corev1.ResourceName) int64 {
		quantity, ok := resources.Limits[name]
		if !ok {
			quantity = resources.Requests[name]
		}
		return quantity.Value()
	}
	return flavor{
		Storage:     notAvailable,
		Name:        notAvailable,
		Memory:      strconv.FormatInt(amount(corev1.ResourceMemory)/(1<<20), 10),
		Description: notAvailable,
		Cores:       strconv.FormatInt(amount(corev1.ResourceCPU), 10),
	}
}

func formatNodeID(id int64) string { return strconv.FormatInt(id, 10) }

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
