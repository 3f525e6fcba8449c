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

package catalog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxMembers is the most members that a cluster, and so a role, can have.
const MaxMembers = 1000

// Cardinality is how many members a role has: Number exactly, or at least Number.
type Cardinality struct {
	Number int32
	OrMore bool
}

// ParseCardinality reads "3", exactly three, or "1+", one or more. An error
// says what to write instead; showing the text is the caller's.
func ParseCardinality(text string) (Cardinality, error) {
	digits, orMore := strings.CutSuffix(text, "+")
	number, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return Cardinality{}, errors.New(`no cardinality: use a number for exactly so many members, as in "3", or a number and a plus sign for at least so many, as in "1+"`)
	}
	if number > MaxMembers {
		return Cardinality{}, fmt.Errorf("more than the %d members that a cluster can have: lower it", MaxMembers)
	}
	return Cardinality{Number: int32(number), OrMore: orMore}, nil
}

// Allows says whether a role may have n members.
func (c Cardinality) Allows(n int32) bool {
	return n == c.Number || c.OrMore && n > c.Number
}

// Desired is the number of members of a role for which a cluster asks so many, or none in particular.
func (c Cardinality) Desired(asked *int32) int32 {
	if asked == nil {
		return c.Number
	}
	return *asked
}

// String is the form in which an app writes the cardinality.
func (c Cardinality) String() string {
	if c.OrMore {
		return strconv.Itoa(int(c.Number)) + "+"
	}
	return strconv.Itoa(int(c.Number))
}
