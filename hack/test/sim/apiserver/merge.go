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

package apiserver

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// merge applies a JSON merge patch (RFC 7386) to a value in Go. Of what it
// patches it makes another; the rest stays shared. Fields that aren't known are left out.
func merge(into reflect.Value, patch []byte) error {
	if patch = bytes.TrimSpace(patch); len(patch) == 0 || patch[0] != '{' || isOpaque(into.Type()) {
		return replace(into, patch)
	}
	switch into.Kind() {
	case reflect.Pointer:
		merged := reflect.New(into.Type().Elem())
		if !into.IsNil() {
			merged.Elem().Set(into.Elem())
		}
		if err := merge(merged.Elem(), patch); err != nil {
			return err
		}
		into.Set(merged)
		return nil
	case reflect.Struct:
		return mergeFields(into, patch)
	case reflect.Map:
		return mergeKeys(into, patch)
	}
	return replace(into, patch)
}

// isOpaque is true for types that have a JSON of their own, like times and quantities.
func isOpaque(t reflect.Type) bool { return reflect.PointerTo(t).Implements(decoder) }

var decoder = reflect.TypeFor[json.Unmarshaler]()

// replace sets what isn't merged; null unsets it.
func replace(into reflect.Value, text []byte) error {
	value := reflect.New(into.Type())
	if err := json.Unmarshal(text, value.Interface()); err != nil {
		return err
	}
	into.Set(value.Elem())
	return nil
}

func mergeFields(into reflect.Value, patch []byte) error {
	var changes map[string]json.RawMessage
	if err := json.Unmarshal(patch, &changes); err != nil {
		return err
	}
	for name, change := range changes {
		field := fieldOf(into, name)
		if !field.IsValid() {
			continue
		}
		if err := merge(field, change); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf is the field of a name in JSON, also when it is that of an embedded struct.
func fieldOf(v reflect.Value, name string) reflect.Value {
	t := v.Type()
	for i := range t.NumField() {
		tag, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag == name && tag != "-" {
			return v.Field(i)
		}
		if tag == "" && (t.Field(i).Anonymous || options == "inline") && v.Field(i).Kind() == reflect.Struct {
			if field := fieldOf(v.Field(i), name); field.IsValid() {
				return field
			}
		}
	}
	return reflect.Value{}
}

func mergeKeys(into reflect.Value, patch []byte) error {
	var changes map[string]json.RawMessage
	if err := json.Unmarshal(patch, &changes); err != nil {
		return err
	}
	t := into.Type()
	merged := reflect.MakeMapWithSize(t, into.Len()+len(changes))
	for entries := into.MapRange(); entries.Next(); {
		merged.SetMapIndex(entries.Key(), entries.Value())
	}
	for name, change := range changes {
		key := reflect.ValueOf(name).Convert(t.Key())
		if bytes.Equal(bytes.TrimSpace(change), []byte("null")) {
			merged.SetMapIndex(key, reflect.Value{})
			continue
		}
		value := reflect.New(t.Elem()).Elem()
		if old := merged.MapIndex(key); old.IsValid() {
			value.Set(old)
		}
		if err := merge(value, change); err != nil {
			return err
		}
		merged.SetMapIndex(key, value)
	}
	into.Set(merged)
	return nil
}
