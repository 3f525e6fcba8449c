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

package main

import (
	"fmt"
	"strings"
)

// rules say in words what the schema demands of a value.
func rules(s *schema) []string {
	var words []string
	words = append(words, between(s.Minimum, s.Maximum, "")...)
	words = append(words, between(s.MinLength, s.MaxLength, " characters")...)
	words = append(words, between(s.MinItems, s.MaxItems, " items")...)
	words = append(words, between(nil, s.MaxProperties, " entries")...)
	if len(s.Enum) > 0 {
		words = append(words, "one of "+list(s.Enum))
	}
	if s.Pattern != "" && !s.IntOrString {
		words = append(words, "matches "+code(s.Pattern))
	}
	switch s.ListType {
	case "set":
		words = append(words, "no value twice")
	case "map":
		words = append(words, "no two with the same "+code(strings.Join(s.ListMapKeys, ", ")))
	}
	for _, v := range s.Validations {
		words = append(words, v.Message)
	}
	for _, inner := range []*schema{s.Items, s.Values} {
		if inner == nil {
			continue
		}
		if each := rules(inner); len(each) > 0 {
			words = append(words, "each: "+strings.Join(each, ", "))
		}
	}
	return words
}

func between(least, most *int64, unit string) []string {
	switch {
	case least != nil && most != nil:
		return []string{fmt.Sprintf("%d to %d%s", *least, *most, unit)}
	case least != nil:
		return []string{fmt.Sprintf("at least %d%s", *least, unit)}
	case most != nil:
		return []string{fmt.Sprintf("at most %d%s", *most, unit)}
	default:
		return nil
	}
}

func list(values []any) string {
	var words []string
	for _, value := range values {
		if value == "" {
			value = `""`
		}
		words = append(words, code(fmt.Sprint(value)))
	}
	return strings.Join(words, ", ")
}

func code(s string) string { return "`" + s + "`" }
