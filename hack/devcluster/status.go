//go:build linux

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
	"maps"
	"slices"
	"strings"
)

// status prints what runs, and where its files are.
func (c *cluster) status() error {
	ps, err := c.running("")
	if err != nil {
		return err
	}
	roles := map[string][]string{}
	for _, p := range ps {
		roles[p.role] = append(roles[p.role], fmt.Sprintf("%s(%d)", p.name, p.pid))
	}
	fmt.Println("folder:    ", c.dir)
	fmt.Println("kubeconfig:", c.kubeconfig())
	fmt.Println("audit log: ", c.auditLog())
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		fmt.Printf("%-14s %s\n", role, strings.Join(roles[role], " "))
	}
	for i := 1; i <= c.state.Nodes; i++ {
		if roles[nodeName(i)] == nil {
			fmt.Printf("%-14s stopped\n", nodeName(i))
		}
	}
	return nil
}
