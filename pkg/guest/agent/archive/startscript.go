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

package archive

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// Tops returns the top directories of an unpacked package, and which of them
// holds the startscript. Files beside them are no part of a package: packing
// tools leave some there.
func Tops(dir string) (tops []string, main string, failure *Error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, "", WriteError(err)
	}
	var found []string
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		tops = append(tops, entry.Name())
		script := filepath.Join(dir, entry.Name(), protocol.StartScript)
		if info, err := os.Stat(script); err == nil && info.Mode().IsRegular() {
			found = append(found, entry.Name())
		}
	}
	switch len(found) {
	case 0:
		return nil, "", fail(protocol.PackageNoStartscript, "no top directory of the package (%s) holds a file %s", listOr(tops, "there is none"), protocol.StartScript)
	case 1:
		return tops, found[0], nil
	}
	return nil, "", fail(protocol.PackageNoStartscript, "several top directories hold a file %s: %s", protocol.StartScript, strings.Join(found, ", "))
}

func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}
