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
	"os"
	"testing"
)

// TestMain lets the test binary stand in for kdguest: agents under test start
// it as their supervisor, and tests start it as an apply of its own process.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Getenv("KDGUEST_TEST_ROLE") != "" {
		os.Exit(actAs(os.Args[1], os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

func actAs(role, root, argument string) int {
	a := testAgent(root)
	var err error
	switch role {
	case "supervise":
		err = a.Supervise(argument)
	case "apply":
		err = a.Apply(contextOfTests, os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
