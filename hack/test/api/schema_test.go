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
	"maps"
	"slices"
	"strings"
)

// kubernetesOwn are the fields whose types are Kubernetes' own: what is legal in
// them is its business, and tested there.
var kubernetesOwn = []string{
	"spec.roles[].env[]",
	"spec.roles[].resources",
	"spec.roles[].securityContext",
	"status.conditions[]",
}

// bounds are the keywords of a schema that refuse a value, with one argument.
var bounds = []string{"maxItems", "minItems", "maxLength", "minLength", "minimum", "maximum", "maxProperties"}

// visit calls f for the schema at path and for every schema under it. A path is
// that of the field, with [] for the items of a list and {} for the values of a map.
func visit(path string, schema map[string]any, f func(path string, schema map[string]any)) {
	f(path, schema)
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		visit(join(path, name), properties[name].(map[string]any), f)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		visit(path+"[]", items, f)
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		visit(path+"{}", values, f)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// rulesOf names every rule of a schema as the tables name them: path, keyword
// and argument; of a CEL rule the message.
func rulesOf(schema map[string]any) []string {
	var rules []string
	visit("", schema, func(path string, schema map[string]any) {
		if isKubernetesOwn(path) {
			return
		}
		rules = append(rules, rulesAt(path, schema)...)
	})
	return rules
}

func isKubernetesOwn(path string) bool {
	return slices.ContainsFunc(kubernetesOwn, func(own string) bool { return strings.HasPrefix(path, own) })
}

func rulesAt(path string, schema map[string]any) []string {
	var rules []string
	add := func(path, constraint string) { rules = append(rules, path+" "+constraint) }
	for _, keyword := range bounds {
		if limit, ok := schema[keyword]; ok {
			add(path, fmt.Sprintf("%s %v", keyword, limit))
		}
	}
	if _, ok := schema["pattern"]; ok {
		add(path, "pattern")
	}
	if values, ok := schema["enum"].([]any); ok {
		add(path, fmt.Sprintf("enum %q", values))
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		add(join(path, name.(string)), "required")
	}
	switch schema["x-kubernetes-list-type"] {
	case "set":
		add(path, "set")
	case "map":
		add(path, fmt.Sprintf("map %v", schema["x-kubernetes-list-map-keys"]))
	}
	validations, _ := schema["x-kubernetes-validations"].([]any)
	for _, v := range validations {
		add(path, fmt.Sprintf("validation %q", v.(map[string]any)["message"]))
	}
	return rules
}
