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

// nodeGroup is the id of the one node group of a cluster.
const nodeGroup = "1"

// notAvailable stands where the format wants a text that means nothing here.
const notAvailable = "n/a"

// reference stands for what is found under its keys, from the top of the document.
type reference struct {
	Keys []string `json:"bdvlibrefkey"`
}

func refer(keys ...string) reference { return reference{Keys: keys} }

// document is all that the members of a cluster share.
type document struct {
	Version string `json:"version"`
	// Services leads from service id, node group and role id to the service in that role.
	Services    map[string]map[string]map[string]reference `json:"services"`
	NodeGroups  map[string]group                           `json:"nodegroups"`
	Distros     map[string]map[string]reference            `json:"distros"`
	Cluster     cluster                                    `json:"cluster"`
	Connections connections                                `json:"connections"`
}

type group struct {
	Roles               map[string]role   `json:"roles"`
	DistroID            string            `json:"distro_id"`
	CatalogEntryVersion string            `json:"catalog_entry_version"`
	ConfigMetadata      map[string]string `json:"config_metadata"`
}

type role struct {
	Services     map[string]service `json:"services"`
	NodeIDs      []string           `json:"node_ids"`
	Hostnames    []string           `json:"hostnames"`
	FQDNs        []string           `json:"fqdns"`
	FQDNMappings map[string]string  `json:"fqdn_mappings"`
	Flavor       flavor             `json:"flavor"`
	SecretKeys   map[string]string  `json:"secret_keys"`
}

type service struct {
	Qualifiers      []string  `json:"qualifiers"`
	Name            string    `json:"name"`
	ID              string    `json:"id"`
	Hostnames       reference `json:"hostnames"`
	GlobalID        string    `json:"global_id"`
	FQDNs           reference `json:"fqdns"`
	ExportedService string    `json:"exported_service"`
	// Endpoints are one URL per member; null for a service that does not listen.
	Endpoints []string `json:"endpoints"`
	AuthToken string   `json:"authToken"`
}

// flavor tells a package how large each member of the role is.
type flavor struct {
	Storage     string `json:"storage"`
	Name        string `json:"name"`
	Memory      string `json:"memory"`
	Description string `json:"description"`
	Cores       string `json:"cores"`
}

type cluster struct {
	Name           string               `json:"name"`
	Isolated       bool                 `json:"isolated"`
	ID             string               `json:"id"`
	ConfigMetadata map[string]reference `json:"config_metadata"`
}

// connections has a place for each kind of thing a cluster can be connected to.
type connections struct {
	Clusters   map[string]struct{} `json:"clusters"`
	ConfigMaps map[string]struct{} `json:"configmaps"`
	Secrets    map[string]struct{} `json:"secrets"`
}

// node is the member that reads the document.
type node struct {
	RoleID           string              `json:"role_id"`
	NodeGroupID      string              `json:"nodegroup_id"`
	ID               string              `json:"id"`
	Hostname         string              `json:"hostname"`
	FQDN             string              `json:"fqdn"`
	Domain           string              `json:"domain"`
	DistroID         string              `json:"distro_id"`
	DependsOn        map[string]struct{} `json:"depends_on"`
	BlockDevicePaths []string            `json:"block_device_paths"`
}
