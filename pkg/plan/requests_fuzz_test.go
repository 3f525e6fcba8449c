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

package plan

import (
	"strings"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/names"
)

// FuzzRequests looks for annotations of users that are not known again once they
// are on record, and so would be answered in every pass.
func FuzzRequests(f *testing.F) {
	f.Add("1", "2", "3")
	f.Add("1, 2,,3+volume", " ", "4")
	f.Add("7\n8\t9", "\u00a01", "7")
	f.Add("force-remove=1", "replace=2", "2")
	f.Add(strings.Repeat("1,", 300), "=", "é")
	f.Fuzz(func(t *testing.T, replace, force, other string) {
		record := requestsText(map[string]string{names.AnnotationReplace: replace, names.AnnotationForceRemove: force})
		if len(record) > 2*maxMemberMessage+64 {
			t.Fatalf("a record of %d bytes", len(record))
		}
		asked := map[string][]string{names.AnnotationReplace: requests(replace), names.AnnotationForceRemove: requests(force)}
		for annotation, all := range asked {
			if len(strings.Join(all, ",")) > maxMemberMessage {
				continue // what is cut off is answered again
			}
			for _, request := range all {
				if !observed(record, annotation, request) {
					t.Errorf("%s %q is recorded as %q and not known again", annotation, request, record)
				}
			}
		}
		if observed("", names.AnnotationReplace, other) || observed(record, "another", other) {
			t.Errorf("%q is known from %q", other, record)
		}
	})
}
