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
	"sync"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/configmeta"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// metadataFor gives the document as one member reads it: the members that stay
// or, to one that leaves, all there are. What members share is built once per
// plan, and only when a visit is really made.
func (d *draft) metadataFor(m *member) func() ([]byte, error) {
	if d.documents == nil {
		d.documents = map[bool]func() (*configmeta.Document, error){
			true:  sync.OnceValues(func() (*configmeta.Document, error) { return d.buildDocument(d.isWanted) }),
			false: sync.OnceValues(func() (*configmeta.Document, error) { return d.buildDocument(everybody) }),
		}
	}
	build, nodeID := d.documents[m.wanted], m.status.NodeID
	return func() ([]byte, error) {
		document, err := build()
		if err != nil {
			return nil, err
		}
		return document.ForMember(nodeID)
	}
}

func everybody(*v1alpha1.MemberStatus) bool { return true }

func (d *draft) buildDocument(named func(*v1alpha1.MemberStatus) bool) (*configmeta.Document, error) {
	cluster := d.seen.Cluster
	in := configmeta.Input{
		Cluster: configmeta.Cluster{Name: cluster.Name, Namespace: cluster.Namespace, UID: cluster.UID},
		App:     d.app,
		Domain:  names.Domain(names.HeadlessService(cluster.Name), cluster.Namespace, d.seen.Settings.ClusterDomain),
	}
	for i := range d.status.Roles {
		in.Roles = append(in.Roles, roleMembers(cluster, &d.status.Roles[i], named))
	}
	return configmeta.Build(in)
}

func roleMembers(cluster *v1alpha1.KubeDirectorCluster, role *v1alpha1.RoleStatus, named func(*v1alpha1.MemberStatus) bool) configmeta.RoleMembers {
	members := configmeta.RoleMembers{RoleID: role.ID}
	if spec := roleSpec(cluster, role.ID); spec != nil {
		members.Resources = spec.Resources
	}
	for i := range role.Members {
		if m := &role.Members[i]; named(m) {
			members.Members = append(members.Members, configmeta.Member{Pod: m.Pod, NodeID: m.NodeID})
		}
	}
	return members
}
