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
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// printKind prints the chapter of a kind: its names, what kubectl get shows, and
// a table for the kind and for every object within it.
func printKind(out io.Writer, crd *definition) {
	names, served := crd.Spec.Names, crd.Spec.Versions[0]
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n", names.Kind, sentence(served.Schema.OpenAPI.Description))
	fmt.Fprintf(out, "%s, namespaced. For kubectl: %s, or %s for all kinds of the group.\n",
		code("apiVersion: "+crd.Spec.Group+"/"+served.Name), codes(append([]string{names.Plural}, names.ShortNames...)), codes(names.Categories))
	printColumns(out, served.Columns)

	c := &chapter{out: out, kind: names.Kind, printed: map[string]string{}}
	root := served.Schema.OpenAPI
	printValidations(out, root)
	for _, part := range []string{"spec", "status"} {
		c.printObject(part, root.Properties[part])
	}
}

func printColumns(out io.Writer, columns []column) {
	var always, wide []string
	for _, column := range columns {
		if column.Priority == 0 {
			always = append(always, column.Name)
		} else {
			wide = append(wide, column.Name)
		}
	}
	fmt.Fprintf(out, "\n`kubectl get` shows %s; with `-o wide` also %s.\n", strings.Join(always, ", "), strings.Join(wide, ", "))
}

func printValidations(out io.Writer, s *schema) {
	for _, v := range s.Validations {
		fmt.Fprintf(out, "\nRule: %s.\n", v.Message)
	}
}

// chapter is the part of the reference on one kind.
type chapter struct {
	out  io.Writer
	kind string
	// printed is where a table of these very fields stands already.
	printed map[string]string
}

// printObject prints the table of the object's fields, then those of the objects within.
func (c *chapter) printObject(path string, s *schema) {
	fmt.Fprintf(c.out, "\n### %s %s\n\n%s\n", c.kind, path, sentence(s.Description))
	if !strings.Contains(path, ".") { // those of objects further in stand with their fields
		printValidations(c.out, s)
	}
	fmt.Fprintf(c.out, "\n| field | type | default | what | rules |\n|---|---|---|---|---|\n")
	fields := order(s)
	for _, name := range fields {
		c.printField(path+"."+name, s.Properties[name], slices.Contains(s.Required, name))
	}
	for _, name := range fields {
		at, inner := element(path+"."+name, s.Properties[name])
		if inner != nil && c.printed[fingerprint(inner)] == at {
			c.printObject(at, inner)
		}
	}
}

// order puts what is required first, for that is what a reader must write.
func order(s *schema) []string {
	names := slices.Sorted(maps.Keys(s.Properties))
	slices.SortStableFunc(names, func(a, b string) int {
		return rank(s, a) - rank(s, b)
	})
	return names
}

func rank(s *schema, name string) int {
	if slices.Contains(s.Required, name) {
		return 0
	}
	return 1
}

func (c *chapter) printField(path string, s *schema, required bool) {
	what, byDefault := meaning(s)
	words := rules(s)
	if required {
		words = append([]string{"required"}, words...)
	}
	typed := typeName(path, s)
	if at, inner := element(path, s); inner != nil {
		fields := fingerprint(inner)
		if c.printed[fields] == "" {
			c.printed[fields] = at
		}
		typed = fmt.Sprintf("[%s](#%s)", typed, anchor(c.kind+" "+c.printed[fields]))
	}
	name := path[strings.LastIndex(path, ".")+1:]
	fmt.Fprintf(c.out, "| %s | %s | %s | %s | %s |\n",
		code(name), typed, cell(byDefault), cell(what), cell(strings.Join(words, "; ")))
}

// fingerprint tells objects with the same fields from others.
func fingerprint(s *schema) string {
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field := s.Properties[name]
		fields = append(fields, name, field.Type, field.Description, strings.Join(rules(field), ";"))
	}
	return strings.Join(fields, "\x00")
}

// stated finds the sentence of a description that states the default.
var stated = regexp.MustCompile(`\s*\bDefault:? (.+?)\.( |$)`)

// meaning splits the description of a field into what it is and what it is by default.
func meaning(s *schema) (what, byDefault string) {
	what = sentence(s.Description)
	if found := stated.FindStringSubmatch(what); found != nil {
		byDefault = found[1]
		what = strings.TrimSpace(strings.Replace(what, found[0], " ", 1))
	}
	if s.Default != nil {
		byDefault = fmt.Sprint(s.Default)
	}
	return what, byDefault
}

func sentence(description string) string { return strings.Join(strings.Fields(description), " ") }

// cell is text that does not end the cell of a table it is in.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func codes(words []string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, code(word))
	}
	return strings.Join(quoted, ", ")
}

// notInAnchors are the characters that the anchor of a heading leaves out.
var notInAnchors = regexp.MustCompile(`[^a-z0-9 _-]`)

func anchor(heading string) string {
	return strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}
