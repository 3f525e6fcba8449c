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
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// verdict is what the simulation said of a mutant.
type verdict struct {
	caught bool
	// by is the invariant that was violated.
	by string
	// walks had begun by then, if it was in a walk.
	walks int
	after time.Duration
}

// String is the verdict as the table has it.
func (v verdict) String() string {
	switch {
	case !v.caught:
		return fmt.Sprintf("**nothing** | %s", v.after)
	case v.walks == 0:
		return fmt.Sprintf("%s | %s", v.by, v.after)
	}
	return fmt.Sprintf("%s | walk %d, %s", v.by, v.walks, v.after)
}

// What a failure looks like in the output of a test. An invariant is named
// first; what stops the whole program names none, nor does a comparison.
var failures = []*regexp.Regexp{
	regexp.MustCompile(`violated: ([^:]+)`),
	regexp.MustCompile(`^\s+\w+_test\.go:\d+: (.+?)(?: at request .*, | )?(makes a difference )?\(-want \+got\)`),
	regexp.MustCompile(`^(?:panic|fatal error): (.+)`),
	regexp.MustCompile(`^\s*--- FAIL: (\S+)`),
}

var begins = regexp.MustCompile(`^=== CONT  TestWalks/.*\d$`)

// listen reads what the simulation says, up to its end or the first failure.
func listen(said io.Reader) (v verdict, err error) {
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 16<<20) // a goroutine's stack, or a world, may be long
	for lines.Scan() {
		if begins.MatchString(lines.Text()) {
			v.walks++
		}
		if strings.HasPrefix(lines.Text(), "panic: test timed out") {
			return v, errors.New(lines.Text())
		}
		if v.by = failureIn(lines.Text()); v.by != "" {
			v.caught = true
			return v, nil
		}
	}
	return v, lines.Err()
}

// failureIn is what failed, if a line tells of a failure, fit for a table.
func failureIn(line string) string {
	for _, failure := range failures {
		if match := failure.FindStringSubmatch(line); match != nil {
			by := strings.TrimSpace(strings.Join(match[1:], " "))
			return strings.ReplaceAll(by, "|", `\|`)
		}
	}
	return ""
}
