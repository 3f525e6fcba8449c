//go:build api

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

package api

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// clusterRules has a case for every rule of KubeDirectorCluster.
func clusterRules() []rule {
	return slices.Concat(clusterSpecRules(), elasticRules(), recoveryRules(), clusterRoleRules(), clusterStatusRules(), pendingEventRules(), memberStatusRules())
}

func clusterSpecRules() []rule {
	return []rule{
		{path: "", constraint: `validation "metadata.name must be a DNS label that begins with a letter, at most 45 characters: it names Services and begins the names of pods"`,
			set: "metadata.name", at: "<nil>", accepted: values{"a", "a-1", text(45)}, refused: text(46)},
		{path: "spec", constraint: "required", refused: absent{}},
		{path: "spec.app", constraint: "required", refused: absent{}},
		{path: "spec.app", constraint: "minLength 1", accepted: "a", refused: ""},
		{path: "spec.app", constraint: "maxLength 63", accepted: text(63), refused: text(64)},
		{path: "spec.app", constraint: `validation "app is immutable: create another cluster for another app"`,
			before: "one", accepted: "one", refused: "another"},
		{path: "spec.appCatalog", constraint: `enum ["local" "system"]`,
			accepted: values{v1alpha1.AppCatalogLocal, v1alpha1.AppCatalogSystem, absent{}}, refused: "global"},
		{path: "spec.appCatalog", constraint: `validation "appCatalog is immutable"`,
			before: "local", accepted: "local", refused: "system"},
		{path: "spec", constraint: `validation "appCatalog is immutable: it can be neither added nor removed"`,
			set: "spec.appCatalog", at: "spec", before: absent{}, accepted: absent{}, refused: "local"},
		{path: "spec.serviceType", constraint: `enum ["ClusterIP" "NodePort" "LoadBalancer"]`,
			accepted: values{corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, absent{}}, refused: "ExternalName"},
		{path: "spec.deletionPolicy.volumes.onDelete", constraint: `enum ["Retain" "Delete"]`,
			accepted: values{v1alpha1.VolumeRetain, v1alpha1.VolumeDelete}, refused: "Keep"},
		{path: "spec.deletionPolicy.volumes.onScaleDown", constraint: `enum ["Retain" "Delete"]`,
			accepted: values{v1alpha1.VolumeRetain, v1alpha1.VolumeDelete, absent{}}, refused: "Keep"},
		{path: "spec.deletionPolicy.hookDeadlineSeconds", constraint: "minimum 0", accepted: values{0, absent{}}, refused: -1},
		{path: "spec.deletionPolicy.hookDeadlineSeconds", constraint: "maximum 604800", accepted: 604800, refused: 604801},
	}
}

func elasticRules() []rule {
	role, members := "spec.elastic.role", "spec.elastic.members"
	return []rule{
		{path: role, constraint: "required", refused: absent{}},
		{path: role, constraint: "minLength 1", refused: ""},
		{path: role, constraint: "maxLength 63", refused: text(64)},
		{path: "spec", constraint: `validation "elastic.role must be the id of one of spec.roles"`, set: role, accepted: "r0", refused: "r1"},
		{path: members, constraint: "minimum 0", accepted: values{0, absent{}}, refused: -1},
		{path: members, constraint: "maximum 1000", accepted: 1000, refused: 1001},
	}
}

func recoveryRules() []rule {
	path := "spec.recovery.nodeDown"
	down := func(action v1alpha1.NodeDownAction) map[string]any { return map[string]any{"action": action} }
	return []rule{
		{path: path + ".action", constraint: `enum ["Wait" "Reschedule"]`, set: path, at: path + ".action",
			accepted: values{down(v1alpha1.NodeDownWait), down(v1alpha1.NodeDownReschedule), map[string]any{}}, refused: down("Restart")},
		{path: path, constraint: `validation "after needs action: Reschedule"`, at: path + ".after",
			accepted: map[string]any{"action": "Reschedule", "after": "1m"},
			refused:  values{map[string]any{"action": "Wait", "after": "1m"}, map[string]any{"after": "1m"}}},
		{path: path + ".after", constraint: `validation "must be between 30s and 168h"`,
			accepted: values{"30s", "1h30m", "168h", absent{}}, refused: values{"29s", "168h1s", "999999999999999h"}},
		{path: path + ".after", constraint: "pattern", accepted: values{"30s", "1.5h", "2h3m4s"}, refused: values{"soon", "-1h", "1 h", "60", ""}},
		{path: path + ".after", constraint: "maxLength 32", accepted: strings.Repeat("0", 30) + "1h", refused: strings.Repeat("0", 31) + "1h"},
	}
}

func clusterRoleRules() []rule {
	path, first := "spec.roles", "spec.roles[0]"
	return []rule{
		{path: path, constraint: "required", refused: absent{}},
		{path: path, constraint: "minItems 1", refused: []any{}},
		{path: path, constraint: "maxItems 50", accepted: numberedIDs(50, "r"), refused: numberedIDs(51, "r")},
		{path: path, constraint: "map [id]", accepted: numberedIDs(2, "r"), refused: twice(map[string]any{"id": "r0"}), at: path + "[1]"},
		{path: first + ".id", constraint: "required", refused: absent{}},
		{path: "spec.roles[1].id", constraint: "maxLength 63", accepted: text(63), refused: text(64)},
		{path: first + ".members", constraint: "minimum 0", accepted: values{0, absent{}}, refused: -1},
		{path: first + ".members", constraint: "maximum 1000", accepted: 1000, refused: 1001},
		{path: first + ".env", constraint: "maxItems 200", accepted: variables(200), refused: variables(201)},
		{path: first + ".env", constraint: "map [name]", accepted: variables(2), refused: slices.Repeat(variables(1), 2), at: first + ".env[1]"},
		{path: first + ".storage.size", constraint: "required", refused: absent{}},
		{path: first + ".storage.size", constraint: "pattern", accepted: values{"1Gi", 1024}, refused: "big"},
		{path: first + ".storage.storageClassName", constraint: "minLength 1", accepted: values{"s", absent{}}, refused: ""},
		{path: first + ".storage.storageClassName", constraint: "maxLength 253", accepted: text(253), refused: text(254)},
	}
}

func clusterStatusRules() []rule {
	role, page := "status.roles[0]", "status.endpoints[0]"
	return []rule{
		{path: "status.state", constraint: `enum ["" "creating" "configuring" "ready" "resizing" "node-down" "deleting"]`,
			accepted: values{
				v1alpha1.ClusterNew, v1alpha1.ClusterCreating, v1alpha1.ClusterConfiguring, v1alpha1.ClusterReady,
				v1alpha1.ClusterResizing, v1alpha1.ClusterNodeDown, v1alpha1.ClusterDeleting,
			}, refused: "Ready"},
		{path: "status.app.name", constraint: "required", refused: absent{}},
		{path: "status.app.namespace", constraint: "required", refused: absent{}},
		{path: "status.app.revision", constraint: "required", refused: absent{}},
		{path: page + ".role", constraint: "required", refused: absent{}},
		{path: page + ".member", constraint: "required", refused: absent{}},
		{path: page + ".service", constraint: "required", refused: absent{}},
		{path: page + ".url", constraint: "required", refused: absent{}},
		{path: "status.roles", constraint: "map [id]", refused: twice(map[string]any{"id": "r0", "statefulSet": "s", "desired": 1, "ready": 1}), at: "status.roles[1]"},
		{path: "status.elastic.members", constraint: "required", refused: absent{}},
		{path: "status.elastic.selector", constraint: "required", refused: absent{}},
		{path: role + ".id", constraint: "required", refused: absent{}},
		{path: role + ".statefulSet", constraint: "required", refused: absent{}},
		{path: role + ".desired", constraint: "required", refused: absent{}},
		{path: role + ".ready", constraint: "required", refused: absent{}},
		conditionsRule(),
	}
}

func pendingEventRules() []rule {
	path, first := "status.pendingEvents", "status.pendingEvents[0]"
	return []rule{
		{path: path, constraint: "map [number]", accepted: absent{}, refused: twice(map[string]any{"number": 1, "event": "stop"}), at: path + "[1]"},
		{path: first + ".number", constraint: "required", refused: absent{}},
		{path: first + ".event", constraint: "required", refused: absent{}},
		{path: first + ".event", constraint: eventEnum, accepted: allEvents, refused: "upgrade"},
	}
}

func memberStatusRules() []rule {
	member, event := "status.roles[0].members[1]", "status.roles[0].members[1].event"
	retired := "status.roles[0].members[0].retired"
	return []rule{
		{path: member + ".pod", constraint: "required", refused: absent{}},
		{path: member + ".nodeID", constraint: "required", refused: absent{}},
		{path: member + ".state", constraint: "required", refused: absent{}},
		{path: member + ".state", constraint: `enum ["pending" "creating" "configuring" "ready" "lost" "error" "leaving" "deleting"]`,
			accepted: values{
				v1alpha1.MemberPending, v1alpha1.MemberCreating, v1alpha1.MemberConfiguring, v1alpha1.MemberReady,
				v1alpha1.MemberLost, v1alpha1.MemberError, v1alpha1.MemberLeaving, v1alpha1.MemberDeleting,
			}, refused: "running"},
		{path: retired + ".why", constraint: "required", refused: absent{}},
		{path: retired + ".why", constraint: `enum ["Suspended" "Renewed" "CalledOff" "Removed" "Replaced"]`,
			accepted: values{v1alpha1.RetiredSuspended, v1alpha1.RetiredRenewed, v1alpha1.RetiredRemoved, v1alpha1.RetiredReplaced}, refused: "Lost"},
		{path: event + ".name", constraint: "required", refused: absent{}},
		{path: event + ".name", constraint: eventEnum, accepted: allEvents, refused: "upgrade"},
		{path: event + ".generation", constraint: "required", refused: absent{}},
		{path: event + ".attempt", constraint: "required", refused: absent{}},
		{path: event + ".state", constraint: "required", refused: absent{}},
		{path: event + ".state", constraint: `enum ["Pending" "Running" "Failed" "TimedOut" "Lost"]`,
			accepted: values{v1alpha1.EventPending, v1alpha1.EventRunning, v1alpha1.EventFailed, v1alpha1.EventTimedOut, v1alpha1.EventLost}, refused: "Done"},
	}
}

// conditionsRule is that of both kinds: one condition of a type.
func conditionsRule() rule {
	condition := map[string]any{
		"type": "Valid", "status": "True", "reason": "Valid", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z",
	}
	return rule{path: "status.conditions", constraint: "map [type]", refused: twice(condition), at: "status.conditions[1]"}
}

func variables(n int) []any {
	return listOf(n, func(i int) any { return map[string]any{"name": fmt.Sprint("V", i), "value": "v"} })
}
