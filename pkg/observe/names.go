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

package observe

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// needed are the names under which a cluster has objects, or would have them.
type needed struct{ services, sets, claims sets.Set[string] }

// neededNames are those of the recorded members and of the members that the spec asks for.
// A name too many costs a look at a cache; whether it is needed, the plan decides.
func neededNames(cluster *v1alpha1.KubeDirectorCluster, app *v1alpha1.KubeDirectorApp) needed {
	n := needed{sets.New(names.HeadlessService(cluster.Name)), sets.New[string](), sets.New[string]()}
	for _, role := range cluster.Status.Roles {
		n.sets.Insert(role.StatefulSet)
		for _, member := range role.Members {
			n.member(member.Pod)
		}
	}
	clamped := membersAllowed(cluster, app)
	for i := range cluster.Spec.Roles {
		role := &cluster.Spec.Roles[i]
		set := names.StatefulSet(cluster.Name, role.ID)
		n.sets.Insert(set)
		for ordinal := range max(clamped[role.ID], membersAsked(cluster, role)) {
			n.member(names.Pod(set, int(ordinal)))
		}
	}
	return n
}

func (n *needed) member(pod string) {
	n.services.Insert(names.MemberService(pod))
	n.claims.Insert(names.Claim(pod))
}

// membersAllowed are the members of each role by the app as it stands now.
func membersAllowed(cluster *v1alpha1.KubeDirectorCluster, app *v1alpha1.KubeDirectorApp) map[string]int32 {
	if app == nil {
		return nil
	}
	return catalog.New(app.Name, &app.Spec).Members(&cluster.Spec)
}

// membersAsked is the number that the spec itself gives to a role; the pinned
// app may allow it where the app as it stands now does not.
func membersAsked(cluster *v1alpha1.KubeDirectorCluster, role *v1alpha1.ClusterRole) int32 {
	if elastic := cluster.Spec.Elastic; elastic != nil && elastic.Role == role.ID {
		return elastic.Members
	}
	return ptr.Deref(role.Members, 0)
}

// gather finds the objects under certain names, whoever owns them, and under
// whatever name those that belong to the cluster.
func gather[T any, O interface {
	*T
	metav1.Object
}](indexer cache.Indexer, cluster *v1alpha1.KubeDirectorCluster, wanted sets.Set[string], belongs func(metav1.Object) bool) (map[string]*T, error) {
	found := map[string]*T{}
	for name := range wanted {
		object, err := get[T](indexer, cluster.Namespace, name)
		if err != nil {
			return nil, err
		}
		if object != nil {
			found[name] = object
		}
	}
	objects, err := belonging[T](indexer, cache.MetaObjectToName(cluster))
	for _, object := range objects {
		if belongs(O(object)) {
			found[O(object).GetName()] = object
		}
	}
	return found, err
}
