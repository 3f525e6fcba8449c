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

package configcli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// refKey marks an object that stands for another part of its document.
const refKey = "bdvlibrefkey"

// maxRefs bounds how many references lead to one value: a document may hold a
// circle of them.
const maxRefs = 32

// document is a metadata document, or one of a connected cluster within it.
type document struct {
	root  any
	outer *document
}

func parse(raw []byte) (*document, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	// Numbers are printed as they were written.
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		return nil, fmt.Errorf("the metadata document is not JSON: %w", err)
	}
	return &document{root: root}, nil
}

// get looks up a dotted key. A name in the document may hold dots itself, so
// each way to join the key's parts is tried, the shortest names first.
func (d *document) get(key string) (any, bool) {
	budget := maxRefs
	return d.walk(d.root, splitKey(key), &budget)
}

func splitKey(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}

func (d *document) walk(at any, parts []string, refs *int) (any, bool) {
	d, at, ok := d.deref(at, refs)
	if !ok {
		return nil, false
	}
	if len(parts) == 0 {
		return at, true
	}
	switch at := at.(type) {
	case map[string]any:
		for n := 1; n <= len(parts); n++ {
			name := strings.Join(parts[:n], ".")
			child, ok := at[name]
			if !ok {
				continue
			}
			if found, ok := d.within(name, child).walk(child, parts[n:], refs); ok {
				return found, true
			}
		}
	case []any:
		i, err := strconv.Atoi(parts[0])
		if err == nil && i >= 0 && i < len(at) {
			return d.walk(at[i], parts[1:], refs)
		}
	}
	return nil, false
}

// within is the document that references inside child are relative to: that
// of a connected cluster has its own "nodegroups".
func (d *document) within(name string, child any) *document {
	object, ok := child.(map[string]any)
	if !ok {
		return d
	}
	if _, nested := object["nodegroups"].(map[string]any); nested && name != "" {
		return &document{root: child, outer: d}
	}
	return d
}

// deref follows a reference, in its own document first.
func (d *document) deref(at any, refs *int) (*document, any, bool) {
	path, isRef := reference(at)
	if !isRef {
		return d, at, true
	}
	if *refs--; *refs < 0 {
		return nil, nil, false
	}
	for in := d; in != nil; in = in.outer {
		if found, ok := in.follow(in.root, path, refs); ok {
			return in, found, true
		}
	}
	return nil, nil, false
}

// follow looks up a reference's path, whose parts are whole names.
func (d *document) follow(at any, path []string, refs *int) (any, bool) {
	for _, name := range path {
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = object[name]; !ok {
			return nil, false
		}
		if _, at, ok = d.deref(at, refs); !ok {
			return nil, false
		}
	}
	return at, true
}

func reference(at any) ([]string, bool) {
	object, ok := at.(map[string]any)
	if !ok || len(object) != 1 {
		return nil, false
	}
	list, ok := object[refKey].([]any)
	if !ok {
		return nil, false
	}
	path := make([]string, len(list))
	for i, part := range list {
		if path[i], ok = part.(string); !ok {
			return nil, false
		}
	}
	return path, true
}

// render prints a value the way scripts expect it.
func render(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		// As the tool that scripts were written for prints it.
		return map[bool]string{true: "True", false: "False"}[value]
	case map[string]any:
		return strings.Join(keysOf(value), ",")
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = renderItem(item)
		}
		return strings.Join(items, ",")
	}
	return fmt.Sprint(value)
}

// renderItem prints a list's item; one that is itself composed, as JSON.
func renderItem(item any) string {
	switch item.(type) {
	case map[string]any, []any:
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(item); err != nil {
			return fmt.Sprint(item)
		}
		return strings.TrimSuffix(text.String(), "\n")
	}
	return render(item)
}

func keysOf(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
