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

package resources

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Patch sets the owned fields of an object that differ from what is wanted, and no other.
type Patch struct {
	changes []string
	body    map[string]any
}

// String names the changes: "replicas 1 -> 2, template".
func (p Patch) String() string { return strings.Join(p.changes, ", ") }

// MergePatch is the patch as JSON merge patch (RFC 7386), to be refused by the
// API server unless the object is the one observed, and unchanged since.
func (p Patch) MergePatch(uid types.UID, resourceVersion string) ([]byte, error) {
	body := map[string]any{}
	for field, value := range p.body {
		body[field] = value
	}
	metadata := map[string]any{"uid": uid, "resourceVersion": resourceVersion}
	if changed, ok := body["metadata"].(map[string]any); ok {
		for field, value := range changed {
			metadata[field] = value
		}
	}
	body["metadata"] = metadata
	return json.Marshal(body)
}

// note records a change of the field at path; value is what the field becomes.
func (p *Patch) note(change string, value any, path ...string) {
	p.changes = append(p.changes, change)
	if p.body == nil {
		p.body = map[string]any{}
	}
	at := p.body
	for _, step := range path[:len(path)-1] {
		next, ok := at[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[step] = next
		}
		at = next
	}
	at[path[len(path)-1]] = value
}

func (p *Patch) empty() bool { return len(p.changes) == 0 }

// replacement is the merge patch that turns one JSON object into another whole:
// what the other lacks is set to null, or the API server would keep it.
func replacement(from, to any) map[string]any { return withNulls(asMap(from), asMap(to)) }

func withNulls(before, after map[string]any) map[string]any {
	patch := map[string]any{}
	for field := range before {
		if _, stays := after[field]; !stays {
			patch[field] = nil
		}
	}
	for field, value := range after {
		inner, isMap := value.(map[string]any)
		innerBefore, wasMap := before[field].(map[string]any)
		if isMap && wasMap {
			value = withNulls(innerBefore, inner)
		}
		patch[field] = value
	}
	return patch
}

// asMap is a value as JSON has it.
func asMap(value any) map[string]any {
	var fields map[string]any
	if err := json.Unmarshal(toJSON(value), &fields); err != nil {
		panic(fmt.Sprintf("resources: %T is no JSON object: %v", value, err))
	}
	return fields
}

// toJSON never fails on API types; one that has no JSON form is a bug that any test meets.
func toJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("resources: %T has no JSON form: %v", value, err))
	}
	return text
}
