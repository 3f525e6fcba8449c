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

package names

// ReservedPrefix begins every label and annotation that is KubeDirector's own.
const ReservedPrefix = "kubedirector.bluedata.io/"

// ReservedEnvPrefix begins every environment variable that is KubeDirector's own.
const ReservedEnvPrefix = "KUBEDIRECTOR_"

// Finalizer holds a KubeDirectorCluster until what it must not leave behind is gone.
const Finalizer = ReservedPrefix + "cluster"

// Labels of the objects of a cluster.
const (
	// LabelCluster is the name of the KubeDirectorCluster.
	LabelCluster = ReservedPrefix + "cluster"
	// LabelApp is the name of its KubeDirectorApp.
	LabelApp = ReservedPrefix + "app"
	// LabelRole is the id of the role, as the app spells it.
	LabelRole = ReservedPrefix + "role"
	// LabelMember is the name of the member's pod.
	LabelMember = ReservedPrefix + "member"
)

// Annotations of the objects of a cluster. What they record is also in the
// cluster's status; they are what status is rebuilt from when it is lost.
const (
	// AnnotationNodeIDs lists on a StatefulSet the node IDs of its members by ordinal, see FormatNodeIDs.
	AnnotationNodeIDs = ReservedPrefix + "node-ids"
	// AnnotationMetadataGeneration is on a StatefulSet the generation of the metadata document.
	AnnotationMetadataGeneration = ReservedPrefix + "metadata-generation"
	// AnnotationInputsHash is on StatefulSets and pods the hash of all that the template was rendered from.
	AnnotationInputsHash = ReservedPrefix + "inputs-hash"
	// AnnotationBuilderVersion is on StatefulSets and pods the version of the code that rendered the template.
	AnnotationBuilderVersion = ReservedPrefix + "builder-version"
	// AnnotationPendingEvents is on the headless Service what status.lastEvent and status.pendingEvents say, as JSON.
	AnnotationPendingEvents = ReservedPrefix + "pending-events"
	// AnnotationFirstReady is on the headless Service the time at which the cluster was first ready.
	AnnotationFirstReady = ReservedPrefix + "first-ready-time"
	// AnnotationLastNodeID is on the headless Service the last node ID that was given.
	AnnotationLastNodeID = ReservedPrefix + "last-node-id"
)

// Annotations by which users ask for something once. A controller never sets them.
const (
	// AnnotationReplace names by its node ID a member to be replaced by a new one; "+volume" after it replaces its volume too.
	AnnotationReplace = ReservedPrefix + "replace"
	// AnnotationForceRemove names by its node ID a leaving member that is to go now, whatever holds it.
	AnnotationForceRemove = ReservedPrefix + "force-remove"
	// AnnotationRetry has failed scripts tried again when it has a new value.
	AnnotationRetry = ReservedPrefix + "retry"
)

// ClusterLabels are on every object of a cluster.
func ClusterLabels(cluster, app string) map[string]string {
	return map[string]string{LabelCluster: cluster, LabelApp: app}
}

// RoleLabels are on every object of a role.
func RoleLabels(cluster, app, roleID string) map[string]string {
	return map[string]string{LabelCluster: cluster, LabelApp: app, LabelRole: roleID}
}

// MemberLabels are on every object of a member that is made for it alone.
func MemberLabels(cluster, app, roleID, pod string) map[string]string {
	return map[string]string{LabelCluster: cluster, LabelApp: app, LabelRole: roleID, LabelMember: pod}
}

// Selector finds the pods of a role. A StatefulSet's selector can't be changed,
// so only what never changes is in it.
func Selector(cluster, roleID string) map[string]string {
	return map[string]string{LabelCluster: cluster, LabelRole: roleID}
}
