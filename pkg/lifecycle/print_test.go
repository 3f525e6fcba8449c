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

package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// arrow is one line of a diagram: all events that lead from a state to another.
type arrow struct{ from, to, on string }

// arrows are in the order of the rows. The empty name stands for the world outside.
func (m *Machine[S, F]) arrows() []arrow {
	var all []arrow
	if m.first() != "" {
		all = append(all, arrow{to: string(m.first())})
	}
	seen := map[arrow]int{}
	for _, row := range m.Rows {
		ends := arrow{from: string(row.From), to: string(row.To)}
		if at, drawn := seen[ends]; drawn {
			all[at].on += ", " + string(row.On)
			continue
		}
		seen[ends] = len(all)
		all = append(all, arrow{ends.from, ends.to, string(row.On)})
	}
	if m.final() != "" {
		all = append(all, arrow{from: string(m.final())})
	}
	return all
}

func (m *Machine[S, F]) mermaid() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	id := func(state string) string {
		if state == "" {
			return "[*]"
		}
		return strings.ReplaceAll(state, "-", "_")
	}
	for _, state := range m.States {
		if name := string(state.Name); name != "" {
			fmt.Fprintf(&b, "    state \"%s\" as %s\n", name, id(name))
		}
	}
	for _, a := range m.arrows() {
		fmt.Fprintf(&b, "    %s --> %s", id(a.from), id(a.to))
		if a.on != "" {
			fmt.Fprintf(&b, " : %s", a.on)
		}
		b.WriteString("\n")
	}
	b.WriteString("```\n")
	return b.String()
}

func (m *Machine[S, F]) graphviz() string {
	var b strings.Builder
	fmt.Fprintf(&b, "// Printed by pkg/lifecycle; do not edit.\ndigraph %s {\n", m.Name)
	b.WriteString("\tnode [shape=box, style=rounded, fontname=\"sans-serif\"]\n\tedge [fontname=\"sans-serif\", fontsize=10]\n")
	b.WriteString("\tbegin [shape=point]\n\tend [shape=doublecircle, label=\"\", width=0.15]\n")
	for _, a := range m.arrows() {
		from, to := strconv.Quote(a.from), strconv.Quote(a.to)
		if a.from == "" {
			from = "begin"
		}
		if a.to == "" {
			to = "end"
		}
		fmt.Fprintf(&b, "\t%s -> %s [label=%q]\n", from, to, a.on)
	}
	b.WriteString("}\n")
	return b.String()
}

func (m *Machine[S, F]) steps() string {
	var b strings.Builder
	b.WriteString("| state | meaning |\n|---|---|\n")
	for _, state := range m.States {
		fmt.Fprintf(&b, "| %s | %s |\n", shown(state.Name), state.Means)
	}
	b.WriteString("\n| from | event | to | what follows |\n|---|---|---|---|\n")
	for i, row := range m.Rows {
		alike := func(r Row[S]) bool { return r.On == row.On && r.To == row.To && r.Then == row.Then }
		if slices.ContainsFunc(m.Rows[:i], alike) {
			continue // it stands in the line of the first that differs in nothing but where it leads from
		}
		var from []S
		for _, other := range m.Rows[i:] {
			if alike(other) {
				from = append(from, other.From)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", shown(from...), row.On, shown(row.To), row.Then)
	}
	return b.String()
}

func (m *Machine[S, F]) decisions() string {
	var b strings.Builder
	b.WriteString("| event, most urgent first | holds when |\n|---|---|\n")
	for _, event := range m.Events {
		fmt.Fprintf(&b, "| %s | %s |\n", event.Name, event.Means)
	}
	b.WriteString("\n| in | ignored are | because |\n|---|---|---|\n")
	for _, ignored := range m.Ignored {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", shown(ignored.In...), list(ignored.On), ignored.Because)
	}
	b.WriteString("\n| in | impossible are |\n|---|---|\n")
	for _, impossible := range m.Impossible {
		fmt.Fprintf(&b, "| %s | %s |\n", shown(impossible.In...), list(impossible.On))
	}
	return b.String()
}

// shown are states as Markdown shows them.
func shown[S ~string](states ...S) string {
	var names []string
	for _, state := range states {
		if state == "" {
			names = append(names, "(none)")
		} else {
			names = append(names, "`"+string(state)+"`")
		}
	}
	return strings.Join(names, ", ")
}

func list(events []EventName) string {
	var names []string
	for _, event := range events {
		names = append(names, string(event))
	}
	return strings.Join(names, ", ")
}
