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
	"fmt"
	"io"
	"time"
)

// progress tells the user what is done and how long it took.
type progress struct{ w io.Writer }

type step struct {
	w     io.Writer
	start time.Time
}

// step begins a line that done ends.
func (p progress) step(what string) step {
	fmt.Fprintf(p.w, "devcluster: %s ...", what)
	return step{p.w, time.Now()}
}

func (s step) done() { fmt.Fprintf(s.w, " %.1fs\n", time.Since(s.start).Seconds()) }

func (p progress) say(format string, args ...any) {
	fmt.Fprintf(p.w, "devcluster: "+format+"\n", args...)
}
