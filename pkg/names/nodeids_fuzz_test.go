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

package names

import (
	"strings"
	"testing"
)

// FuzzParseNodeIDs looks for annotations that are read as something else than they say.
func FuzzParseNodeIDs(f *testing.F) {
	for _, seed := range []string{"", "1", "4,5,9", "9223372036854775807", "0", "1,", ",1", "01", "+1", "1 ,2", "１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ids, err := ParseNodeIDs(text)
		if err != nil {
			if ids != nil || !strings.Contains(err.Error(), AnnotationNodeIDs) {
				t.Errorf("ParseNodeIDs(%q) = %v, %v", text, ids, err)
			}
			return
		}
		for _, id := range ids {
			if id < 0 {
				t.Errorf("ParseNodeIDs(%q) = %v", text, ids)
			}
		}
		if got := FormatNodeIDs(ids); got != text {
			t.Errorf("%q is read as %v, which is written as %q", text, ids, got)
		}
	})
}
