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
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// namespaces are the top-level parts of the document that can be named.
var namespaces = []string{
	"auth", "cluster", "connections", "distros", "node", "nodegroups",
	"platform", "services", "tenant", "version",
}

const usage = `Read this member's metadata document.

Usage:
  configcli --get KEY                     print the value of a dotted key
  configcli namespace NAMESPACE [KEY]     the same, relative to a namespace
  configcli macro node OPTION             --get_self_id, --get_self_index,
                                          --get_id FQDN, --get_index FQDN
  configcli macro nodegroup OPTION        --num_nodegroups, --get_all_fqdns,
                                          --get_local_group_fqdns,
                                          --get_nodegroup_fqdns ID
  configcli baseimg version               print the version of the app

ccli, bdvcli and bd_vcli are configcli under other names; configmacro is
"configcli macro". An object is printed as its names and a list as its items,
joined by commas. An unknown key is told on stderr, with exit code 1.

Keys are, for example:
  node.role_id   node.fqdn   node.id   cluster.name
  distros.DISTRO.1.roles.ROLE.fqdns
  services.SERVICE.1.ROLE.endpoints
`

// Exit codes.
const (
	exitOK      = 0
	exitUnknown = 1
	exitUsage   = 2
)

// Run answers one call. name is what the command was called as, args are its
// arguments, and read returns the metadata document.
func Run(name string, args []string, read func() ([]byte, error), stdout, stderr io.Writer) int {
	if name == "configmacro" {
		args = append([]string{"macro"}, args...)
	}
	if len(args) == 0 || slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		io.WriteString(stdout, usage)
		return exitOK
	}
	answer, err := respond(args, read)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "%s: %v; see %s --help\n", name, err, name)
		return exitUsage
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitUnknown
	}
	fmt.Fprintln(stdout, answer)
	return exitOK
}

func respond(args []string, read func() ([]byte, error)) (string, error) {
	ask, err := parseArgs(args)
	if err != nil {
		return "", err
	}
	raw, err := read()
	if err != nil {
		return "", err
	}
	d, err := parse(raw)
	if err != nil {
		return "", err
	}
	return ask(d)
}

// question is a call that was understood.
type question func(*document) (string, error)

func parseArgs(args []string) (question, error) {
	switch first := args[0]; {
	case first == "--get" || first == "-g":
		if len(args) != 2 {
			return nil, fmt.Errorf("%w: %s needs one key", errUsage, first)
		}
		return lookup(args[1]), nil
	case strings.HasPrefix(first, "--get=") && len(args) == 1:
		return lookup(strings.TrimPrefix(first, "--get=")), nil
	case first == "namespace":
		return parseNamespace(args[1:])
	case first == "macro":
		return func(d *document) (string, error) { return macro(d, args[1:]) }, nil
	case first == "baseimg" && len(args) == 2 && args[1] == "version":
		return func(d *document) (string, error) {
			group, err := d.text("node.nodegroup_id")
			if err != nil {
				return "", err
			}
			return d.text("nodegroups." + group + ".catalog_entry_version")
		}, nil
	}
	return nil, fmt.Errorf("%w: %q is not understood", errUsage, strings.Join(args, " "))
}

func lookup(key string) question {
	return func(d *document) (string, error) { return d.text(key) }
}

// parseNamespace reads "NAMESPACE [--get] [KEY]". A key may repeat its
// namespace.
func parseNamespace(args []string) (question, error) {
	if len(args) == 0 || !slices.Contains(namespaces, args[0]) {
		return nil, fmt.Errorf("%w: namespace must be one of %s", errUsage, strings.Join(namespaces, ", "))
	}
	space := args[0]
	rest := slices.DeleteFunc(slices.Clone(args[1:]), func(arg string) bool { return arg == "--get" || arg == "-g" })
	switch len(rest) {
	case 0:
		return lookup(space), nil
	case 1:
		return func(d *document) (string, error) {
			if value, ok := d.get(space + "." + rest[0]); ok {
				return render(value), nil
			}
			if strings.HasPrefix(rest[0], space+".") {
				return d.text(rest[0])
			}
			return "", unknownKey(space + "." + rest[0])
		}, nil
	}
	return nil, fmt.Errorf("%w: namespace %s takes one key", errUsage, space)
}
