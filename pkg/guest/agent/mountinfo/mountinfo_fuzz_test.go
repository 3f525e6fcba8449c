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

package mountinfo

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzParse looks for tables that are not read, and for paths that are read as others.
func FuzzParse(f *testing.F) {
	f.Add("36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw\n", "/a b", "/c\td\\040")
	f.Add("36 35 98:0 /mnt1 /mnt2 rw - overlay", "/\\", "/\n")
	f.Add("", "/var/lib/kubelet/pods/u/containers/app/0a1b2c3d", "/dev/termination\u00a0log")
	f.Fuzz(func(t *testing.T, table, root, point string) {
		if mounts, err := Parse(strings.NewReader(table)); err == nil {
			for _, m := range mounts {
				if m.Root == "" || m.Point == "" {
					t.Errorf("%q is read as %+v", table, m)
				}
			}
		}
		if root == "" || point == "" {
			return
		}
		line := fmt.Sprintf("36 35 98:0 %s %s rw,noatime master:1 - ext3 /dev/root rw\n", escape(root), escape(point))
		mounts, err := Parse(strings.NewReader(line))
		if len(line) > 1<<20 && err != nil {
			return
		}
		if err != nil || len(mounts) != 1 || mounts[0] != (Mount{Root: root, Point: point, FSType: "ext3"}) {
			t.Errorf("%q is read as %+q, %v", line, mounts, err)
		}
	})
}

// escape is what the kernel does to paths.
func escape(path string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(path)
}
