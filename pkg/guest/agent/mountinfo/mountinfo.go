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

// Package mountinfo reads the mount table of a process, proc_pid_mountinfo(5).
package mountinfo

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// Mount is one line of the table.
type Mount struct {
	// Root is what of the mounted file system is seen, e.g. a bind mount's
	// source within it.
	Root string
	// Point is where it is seen.
	Point string
	// FSType is the file system's type.
	FSType string
}

// Read parses the table in a file such as /proc/self/mountinfo.
func Read(path string) ([]Mount, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mounts, err := Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return mounts, nil
}

// Parse reads the table.
func Parse(r io.Reader) ([]Mount, error) {
	var mounts []Mount
	scanner := bufio.NewScanner(r)
	// Overlay options list every lower directory: lines may be long.
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
		fields := strings.FieldsFunc(scanner.Text(), func(r rune) bool { return r == ' ' }) // other white space is part of a path
		if len(fields) < 7 {
			return nil, fmt.Errorf("line %q has fewer than 7 fields", scanner.Text())
		}
		m := Mount{Root: unescape(fields[3]), Point: unescape(fields[4])}
		for i := 6; i+1 < len(fields); i++ {
			if fields[i] == "-" {
				m.FSType = fields[i+1]
				break
			}
		}
		mounts = append(mounts, m)
	}
	return mounts, scanner.Err()
}

// unescape undoes the kernel's octal escapes of space, tab, newline and
// backslash.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
