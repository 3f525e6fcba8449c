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
	"slices"
	"strconv"
	"strings"
)

// macros are questions whose answer is computed from the document. Each takes
// the option's value, empty for those that have none.
var macros = map[string]map[string]struct {
	argument bool
	answer   func(*document, string) (string, error)
}{
	"node": {
		"--get_self_id": {false, func(d *document, _ string) (string, error) { return d.text("node.id") }},
		"--get_self_index": {false, func(d *document, _ string) (string, error) {
			fqdn, err := d.text("node.fqdn")
			if err != nil {
				return "", err
			}
			return d.nodeIndex(fqdn)
		}},
		"--get_index": {true, (*document).nodeIndex},
		"--get_id":    {true, (*document).nodeID},
	},
	"nodegroup": {
		"--num_nodegroups": {false, func(d *document, _ string) (string, error) {
			groups, err := d.object("nodegroups")
			return strconv.Itoa(len(groups)), err
		}},
		"--get_local_group_fqdns": {false, func(d *document, _ string) (string, error) {
			group, err := d.text("node.nodegroup_id")
			if err != nil {
				return "", err
			}
			return d.groupFQDNs(group)
		}},
		"--get_nodegroup_fqdns": {true, (*document).groupFQDNs},
		"--get_all_fqdns": {false, func(d *document, _ string) (string, error) {
			fqdns, err := d.allFQDNs()
			return strings.Join(fqdns, ","), err
		}},
	},
}

var errUsage = errors.New("usage")

func macro(d *document, args []string) (string, error) {
	if len(args) < 2 {
		return "", fmt.Errorf("%w: macro needs a subject and an option", errUsage)
	}
	options, ok := macros[args[0]]
	if !ok {
		return "", fmt.Errorf("%w: no macro for %q", errUsage, args[0])
	}
	name, value, hasValue := strings.Cut(args[1], "=")
	if !hasValue && len(args) > 2 {
		value, hasValue = args[2], true
	}
	option, ok := options[name]
	if !ok {
		return "", fmt.Errorf("%w: macro %s has no option %q", errUsage, args[0], name)
	}
	if option.argument && !hasValue {
		return "", fmt.Errorf("%w: macro %s %s needs a value", errUsage, args[0], name)
	}
	return option.answer(d, value)
}

func (d *document) text(key string) (string, error) {
	value, ok := d.get(key)
	if !ok {
		return "", unknownKey(key)
	}
	return render(value), nil
}

func (d *document) object(key string) (map[string]any, error) {
	value, ok := d.get(key)
	if !ok {
		return nil, unknownKey(key)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("key %q is no object", key)
	}
	return object, nil
}

// members lists the FQDNs of a node group's members, role by role in the
// order of the roles' names, and each member's ID.
func (d *document) members(group string) (fqdns []string, ids map[string]string, err error) {
	roles, err := d.object("nodegroups." + group + ".roles")
	if err != nil {
		return nil, nil, fmt.Errorf("node group %q is not known", group)
	}
	ids = map[string]string{}
	for _, role := range keysOf(roles) {
		budget := maxRefs
		value, _ := d.walk(roles[role], []string{"fqdns"}, &budget)
		list, _ := value.([]any)
		for _, fqdn := range list {
			fqdns = append(fqdns, render(fqdn))
		}
		value, _ = d.walk(roles[role], []string{"fqdn_mappings"}, &budget)
		mappings, _ := value.(map[string]any)
		for fqdn, id := range mappings {
			ids[fqdn] = render(id)
		}
	}
	return fqdns, ids, nil
}

func (d *document) groupFQDNs(group string) (string, error) {
	fqdns, _, err := d.members(group)
	return strings.Join(fqdns, ","), err
}

func (d *document) allFQDNs() ([]string, error) {
	groups, err := d.object("nodegroups")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, group := range keysOf(groups) {
		fqdns, _, err := d.members(group)
		if err != nil {
			return nil, err
		}
		all = append(all, fqdns...)
	}
	return all, nil
}

// nodeIndex is the member's place, from 0, among those of all node groups.
func (d *document) nodeIndex(fqdn string) (string, error) {
	all, err := d.allFQDNs()
	if err != nil {
		return "", err
	}
	i := slices.Index(all, fqdn)
	if i < 0 {
		return "", fmt.Errorf("no member has the FQDN %q", fqdn)
	}
	return strconv.Itoa(i), nil
}

func (d *document) nodeID(fqdn string) (string, error) {
	groups, err := d.object("nodegroups")
	if err != nil {
		return "", err
	}
	for _, group := range keysOf(groups) {
		_, ids, err := d.members(group)
		if err != nil {
			return "", err
		}
		if id, ok := ids[fqdn]; ok {
			return id, nil
		}
	}
	return "", fmt.Errorf("no member has the FQDN %q", fqdn)
}

func unknownKey(key string) error {
	return fmt.Errorf("key %q is not in the metadata document", key)
}
