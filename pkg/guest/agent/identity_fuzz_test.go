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

package agent

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// FuzzStartTime looks for commands that hide the time at which their process began.
func FuzzStartTime(f *testing.F) {
	f.Add("init", uint64(7), "")
	f.Add(") S 1 1", uint64(0), "1 (a) S")
	f.Add("a b\n(c", uint64(1<<63), "() 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20")
	f.Fuzz(func(t *testing.T, command string, began uint64, stat string) {
		if start, err := startTime([]byte(stat)); (start == "") == (err == nil) || strings.ContainsAny(start, " \n") {
			t.Errorf("%q: %q, %v", stat, start, err)
		}
		line := fmt.Sprintf("1 (%s) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 9 10 18446744073709551615", command, began)
		if start, err := startTime([]byte(line)); err != nil || start != strconv.FormatUint(began, 10) {
			t.Errorf("%q: %q, %v", line, start, err)
		}
	})
}
