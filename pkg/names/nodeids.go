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
	"fmt"
	"strconv"
	"strings"
)

// FormatNodeIDs is the value of AnnotationNodeIDs: "4,5,9" says that the member
// with ordinal 0 has node ID 4, and so on; 0 says that there is none of that ordinal.
func FormatNodeIDs(ids []int64) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(words, ",")
}

// ParseNodeIDs is the inverse of FormatNodeIDs. What that never returns is an error.
func ParseNodeIDs(value string) ([]int64, error) {
	if value == "" {
		return nil, nil
	}
	words := strings.Split(value, ",")
	ids := make([]int64, len(words))
	for i, word := range words {
		id, err := strconv.ParseInt(word, 10, 64)
		if err != nil || id < 0 || strconv.FormatInt(id, 10) != word {
			return nil, fmt.Errorf("annotation %s: %q has %q where a node ID, a number from 1 on, or 0 should be", AnnotationNodeIDs, value, word)
		}
		ids[i] = id
	}
	return ids, nil
}
