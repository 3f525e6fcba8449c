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

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// allEvents are the lifecycle events that an app may list.
var allEvents = values{
	v1alpha1.EventConfigure, v1alpha1.EventAddNodes, v1alpha1.EventDelNodes, v1alpha1.EventReconnect, v1alpha1.EventRestart,
	v1alpha1.EventDecommission, v1alpha1.EventStop, v1alpha1.EventStart, v1alpha1.EventDelete,
}

// appRules has a case for every rule of KubeDirectorApp.
func appRules() []rule {
	return slices.Concat(
		[]rule{
			{path: "", constraint: `validation "metadata.name must be at most 63 characters, for it becomes a label value"`,
				set: "metadata.name", at: "<nil>", accepted: text(63), refused: text(64)},
			{path: "spec", constraint: "required", refused: absent{}},
		},
		appSpecRules(),
		labelRules("spec.label"),
		[]rule{
			{path: "spec.label", constraint: "required", refused: absent{}},
		},
		packageRules("spec.defaultConfigPackage"),
		directoryRules("spec.defaultPersistDirs"),
		eventListRules("spec.defaultEventList"),
		serviceRules(),
		roleRules(),
		roleOrderRules(),
		configRules(),
		hookRules(),
		[]rule{conditionsRule()},
	)
}

func appSpecRules() []rule {
	return []rule{
		{path: "spec", constraint: `validation "each role needs an image: set spec.defaultImageRepoTag, or imageRepoTag in every role"`,
			set: "spec.defaultImageRepoTag", at: "spec", accepted: "registry.example.com/complete:1.0", refused: absent{}},
		{path: "spec.distroID", constraint: "minLength 1", accepted: "d", refused: ""},
		{path: "spec.distroID", constraint: "maxLength 253", accepted: text(253), refused: text(254)},
		{path: "spec.version", constraint: "minLength 1", accepted: "0", refused: ""},
		{path: "spec.version", constraint: "maxLength 63", accepted: text(63), refused: text(64)},
		{path: "spec.configSchemaVersion", constraint: "minimum 7", accepted: 7, refused: 6},
		{path: "spec.defaultImageRepoTag", constraint: "minLength 1", accepted: "i", refused: ""},
		{path: "spec.defaultImageRepoTag", constraint: "maxLength 512", accepted: text(512), refused: text(513)},
		{path: "spec.defaultMaxLogSizeDump", constraint: "minimum 0", accepted: 0, refused: -1},
		{path: "spec.capabilities", constraint: "maxItems 50", accepted: numbered(50, "CAP"), refused: numbered(51, "CAP")},
		{path: "spec.capabilities", constraint: "set", accepted: numbered(2, "CAP"), refused: []any{"CAP0", "CAP0"}, at: "spec.capabilities[1]"},
		{path: "spec.logoURL", constraint: "pattern", accepted: values{"http://h/p", "https://h/p", "file:///p"}, refused: "h/p"},
		{path: "spec.logoURL", constraint: "maxLength 2048", accepted: "http://" + text(2041), refused: "http://" + text(2042)},
	}
}

func labelRules(path string) []rule {
	return []rule{
		{path: path + ".name", constraint: "required", refused: absent{}},
		{path: path + ".name", constraint: "minLength 1", accepted: "n", refused: ""},
		{path: path + ".name", constraint: "maxLength 253", accepted: text(253), refused: text(254)},
		{path: path + ".description", constraint: "maxLength 4096", accepted: text(4096), refused: text(4097)},
	}
}

func packageRules(path string) []rule {
	url := path + ".packageURL"
	return []rule{
		{path: path, constraint: `validation "set either packageURL or none: true"`,
			accepted: values{map[string]any{"none": true}, map[string]any{"packageURL": "file:///p.tgz"}, map[string]any{"packageURL": "file:///p.tgz", "none": false}},
			refused:  map[string]any{"packageURL": "file:///p.tgz", "none": true}},
		{path: url, constraint: "pattern",
			accepted: values{"http://h/p.tgz", "https://h/p.tgz?x=1", "file:///p.tgz", "configmap://setup.v1/setup.tgz"},
			refused:  "ftp://h/p.tgz"},
		{path: url, constraint: "maxLength 2048", accepted: "http://" + text(2041), refused: "http://" + text(2042)},
		{path: path + ".sha256", constraint: "pattern", accepted: strings.Repeat("0f", 32), refused: strings.Repeat("0F", 32)},
	}
}

func directoryRules(path string) []rule {
	first := path + "[0]"
	return []rule{
		{path: path, constraint: "maxItems 50", accepted: numbered(50, "/d"), refused: numbered(51, "/d")},
		{path: first, constraint: "pattern", accepted: values{"/a", "/a/b-c d", "/a/..b/.c/...d"}, refused: values{"/", "a", "/a/", "/a//b"}},
		{path: first, constraint: "maxLength 1024", accepted: "/" + text(1023), refused: "/" + text(1024)},
		{path: first, constraint: `validation "must not contain . or .. as a path element"`,
			accepted: "/a/..b/.c/...d", refused: values{"/.", "/a/./b", "/a/../b", "/a/.."}},
	}
}

func eventListRules(path string) []rule {
	return []rule{
		{path: path, constraint: "maxItems 16", accepted: []any(allEvents), refused: slices.Repeat([]any(allEvents), 4)},
		{path: path, constraint: "set", accepted: []any{}, refused: []any{"configure", "configure"}, at: path + "[1]"},
		{path: path + "[0]", constraint: eventEnum, accepted: values{"configure", "reconnect", "delnodes", "restart", "decommission", "stop", "start", "delete"}, refused: "upgrade"},
	}
}

const eventEnum = `enum ["configure" "addnodes" "delnodes" "reconnect" "restart" "decommission" "stop" "start" "delete"]`

func serviceRules() []rule {
	path, first := "spec.services", "spec.services[0]"
	endpoint := first + ".endpoint"
	return slices.Concat(labelRules(first+".label"), []rule{
		{path: path, constraint: "maxItems 100", accepted: numberedIDs(100, "s"), refused: numberedIDs(101, "s")},
		{path: path, constraint: "map [id]", accepted: numberedIDs(2, "s"), refused: twice(map[string]any{"id": "s0"}), at: path + "[1]"},
		{path: first + ".id", constraint: "required", refused: absent{}},
		{path: "spec.services[1].id", constraint: "pattern", accepted: values{"a", "7", "web-ui"}, refused: "Web_UI"},
		{path: "spec.services[1].id", constraint: "maxLength 15", accepted: text(15), refused: text(16)},
		{path: first + ".exportedService", constraint: "maxLength 253", accepted: text(253), refused: text(254)},
		{path: endpoint, constraint: `validation "a dashboard needs urlScheme, for its URL is shown in status.endpoints"`,
			accepted: values{map[string]any{"port": 80, "isDashboard": true, "urlScheme": "http"}, map[string]any{"port": 80, "isDashboard": false}},
			refused:  map[string]any{"port": 80, "isDashboard": true}},
		{path: endpoint + ".port", constraint: "required", refused: absent{}},
		{path: endpoint + ".port", constraint: "minimum 1", accepted: 1, refused: 0},
		{path: endpoint + ".port", constraint: "maximum 65535", accepted: 65535, refused: 65536},
		{path: endpoint + ".path", constraint: "pattern", accepted: values{"/", "/a?b#c"}, refused: "lab"},
		{path: endpoint + ".path", constraint: "maxLength 1024", accepted: "/" + text(1023), refused: "/" + text(1024)},
		{path: endpoint + ".urlScheme", constraint: "pattern", accepted: values{"http", "x+y-z.1"}, refused: "HTTP"},
		{path: endpoint + ".urlScheme", constraint: "maxLength 15", accepted: text(15), refused: text(16)},
	})
}

func roleRules() []rule {
	path, first := "spec.roles", "spec.roles[0]"
	return slices.Concat(
		packageRules(first+".configPackage"),
		directoryRules(first+".persistDirs"),
		eventListRules(first+".eventList"),
		[]rule{
			{path: path, constraint: "required", refused: absent{}},
			{path: path, constraint: "minItems 1", refused: []any{}},
			{path: path, constraint: "maxItems 50", accepted: roles(50), refused: roles(51)},
			{path: path, constraint: "map [id]", accepted: roles(2), refused: twice(map[string]any{"id": "r0", "cardinality": "1"}), at: path + "[1]"},
			{path: first, constraint: `validation "tty needs stdin: true"`, set: first + ".containerSpec", at: first + ".containerSpec.tty",
				accepted: values{absent{}, map[string]any{"tty": true, "stdin": true}, map[string]any{"tty": false}},
				refused:  map[string]any{"tty": true, "stdin": false}},
			{path: first + ".id", constraint: "required", refused: absent{}},
			{path: "spec.roles[1].id", constraint: "pattern", accepted: values{"A", "Name_node.2"}, refused: "worker-"},
			{path: "spec.roles[1].id", constraint: "maxLength 63", accepted: text(63), refused: text(64)},
			{path: first + ".cardinality", constraint: "required", refused: absent{}},
			{path: first + ".cardinality", constraint: "pattern", accepted: values{"0", "3", "0+", "12+"}, refused: "1-3"},
			{path: first + ".cardinality", constraint: "maxLength 5", accepted: "1000+", refused: "10000+"},
			{path: first + ".imageRepoTag", constraint: "minLength 1", accepted: "i", refused: ""},
			{path: first + ".imageRepoTag", constraint: "maxLength 512", accepted: text(512), refused: text(513)},
			{path: first + ".maxLogSizeDump", constraint: "minimum 0", accepted: 0, refused: -1},
			{path: first + ".minResources{memory}", constraint: "pattern", accepted: values{"1Gi", 1024, "1.5e3"}, refused: "1 GB"},
			{path: first + ".minStorage.size", constraint: "required", refused: absent{}},
			{path: first + ".minStorage.size", constraint: "pattern", accepted: values{"1Gi", 1024}, refused: "big"},
			{path: first + ".containerSpec.command", constraint: "maxItems 100", accepted: numbered(100, "c"), refused: numbered(101, "c")},
			{path: first + ".containerSpec.args", constraint: "maxItems 100", accepted: numbered(100, "a"), refused: numbered(101, "a")},
		},
	)
}

func roleOrderRules() []rule {
	path := "spec.roles[1].configureAfter"
	return []rule{
		{path: path, constraint: "maxItems 50", accepted: values{numbered(1, "r"), absent{}}, refused: numbered(51, "r")},
		{path: path, constraint: "set", accepted: []any{}, refused: []any{"r0", "r0"}, at: path + "[1]"},
		{path: path + "[0]", constraint: "maxLength 63", accepted: "r0", refused: text(64)},
		{path: "spec.roles[1]", constraint: `validation "a role can't wait for itself"`, set: path, accepted: []any{"r0"}, refused: []any{"r1"}},
		// As many roles as there can be, each after all that follow it, keep the rule busy longest.
		{path: "spec", constraint: `validation "configureAfter must be ids of spec.roles"`, set: "spec.roles", accepted: waitingRoles(50), refused: waitingRoles(50)[:49]},
	}
}

func configRules() []rule {
	services, ids, selected := "spec.config.roleServices", "spec.config.roleServices[0].serviceIDs", "spec.config.selectedRoles"
	return []rule{
		{path: "spec.config", constraint: "required", refused: absent{}},
		{path: services, constraint: "required", refused: absent{}},
		{path: services, constraint: "maxItems 50", accepted: []any{}, refused: roleServices(51)},
		{path: services, constraint: "map [roleID]", accepted: roleServices(2), refused: slices.Repeat(roleServices(1), 2), at: services + "[1]"},
		{path: services + "[0].roleID", constraint: "required", refused: absent{}},
		{path: services + "[0].roleID", constraint: "maxLength 63", accepted: "r1", refused: text(64)},
		{path: "spec", constraint: `validation "roleID must be the id of one of spec.roles"`, set: services, accepted: roleServices(2), refused: roleServices(3)},
		{path: ids, constraint: "required", refused: absent{}},
		{path: ids, constraint: "maxItems 100", accepted: []any{}, refused: numbered(101, "s")},
		{path: ids, constraint: "set", accepted: numbered(2, "s"), refused: []any{"s0", "s0"}, at: ids + "[1]"},
		{path: ids + "[0]", constraint: "maxLength 15", accepted: "s1", refused: text(16)},
		{path: "spec", constraint: `validation "serviceIDs must be ids of spec.services"`, set: ids, at: services, accepted: numbered(2, "s"), refused: numbered(3, "s")},
		{path: selected, constraint: "maxItems 50", accepted: absent{}, refused: numbered(51, "r")},
		{path: selected, constraint: "set", accepted: numbered(2, "r"), refused: []any{"r0", "r0"}, at: selected + "[1]"},
		{path: selected + "[0]", constraint: "maxLength 63", accepted: "r1", refused: text(64)},
		{path: "spec", constraint: `validation "selectedRoles must be ids of spec.roles"`, set: selected, accepted: numbered(2, "r"), refused: numbered(3, "r")},
		{path: "spec.config.configMeta", constraint: "maxProperties 200", accepted: properties(200), refused: properties(201)},
	}
}

func hookRules() []rule {
	events := "spec.hooks.events"
	return slices.Concat(hookPolicyRules("spec.hooks"), hookPolicyRules(events+"[0]"), []rule{
		{path: events, constraint: "maxItems 16", accepted: hooks(allEvents), refused: hooks(slices.Repeat(allEvents, 4))},
		{path: events, constraint: "map [event]", accepted: hooks(allEvents), refused: twice(map[string]any{"event": "restart"}), at: events + "[1]"},
		{path: events + "[0].event", constraint: "required", refused: absent{}},
		{path: events + "[0].event", constraint: eventEnum, accepted: allEvents, refused: "upgrade"},
	})
}

func hookPolicyRules(path string) []rule {
	return []rule{
		{path: path + ".timeoutSeconds", constraint: "minimum 1", accepted: 1, refused: 0},
		{path: path + ".timeoutSeconds", constraint: "maximum 604800", accepted: 604800, refused: 604801},
		{path: path + ".retries", constraint: "minimum 0", accepted: 0, refused: -1},
		{path: path + ".retries", constraint: "maximum 100", accepted: 100, refused: 101},
		{path: path + ".backoffSeconds", constraint: "minimum 1", accepted: 1, refused: 0},
		{path: path + ".backoffSeconds", constraint: "maximum 600", accepted: 600, refused: 601},
	}
}

// text is a word of n letters.
func text(n int) string { return strings.Repeat("x", n) }

// listOf is item(0) to item(n-1).
func listOf(n int, item func(i int) any) []any {
	var list []any
	for i := range n {
		list = append(list, item(i))
	}
	return list
}

func numbered(n int, prefix string) []any {
	return listOf(n, func(i int) any { return fmt.Sprint(prefix, i) })
}

func numberedIDs(n int, prefix string) []any {
	return listOf(n, func(i int) any { return map[string]any{"id": fmt.Sprint(prefix, i)} })
}

func twice(item any) []any { return []any{item, item} }

func roles(n int) []any {
	return listOf(n, func(i int) any { return map[string]any{"id": fmt.Sprint("r", i), "cardinality": "1"} })
}

// waitingRoles are roles(n), each of which waits for all that follow it.
func waitingRoles(n int) []any {
	waiting := roles(n)
	for i, role := range waiting {
		role.(map[string]any)["configureAfter"] = numbered(n, "r")[i+1:]
	}
	return waiting
}

func roleServices(n int) []any {
	return listOf(n, func(i int) any {
		return map[string]any{"roleID": fmt.Sprint("r", i), "serviceIDs": []any{"s0"}}
	})
}

func hooks(events []any) []any {
	return listOf(len(events), func(i int) any { return map[string]any{"event": events[i]} })
}

func properties(n int) map[string]any {
	made := map[string]any{}
	for i := range n {
		made[fmt.Sprint("k", i)] = "v"
	}
	return made
}
