//go:build linux

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

// step runs a part of the work on a line of its own.
func (p progress) step(what string, run func() error) error {
	fmt.Fprintf(p.w, "devcluster: %s ...", what)
	start := time.Now()
	if err := run(); err != nil {
		fmt.Fprintln(p.w, " failed")
		return err
	}
	fmt.Fprintf(p.w, " %.1fs\n", time.Since(start).Seconds())
	return nil
}

func (p progress) say(format string, args ...any) {
	fmt.Fprintf(p.w, "devcluster: "+format+"\n", args...)
}
