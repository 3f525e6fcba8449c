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
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

func TestOutputIsBoundedAndClean(t *testing.T) {
	c := newContainer(t)
	req := c.request(`i=0; while test $i -lt 500; do echo "line $i"; i=$((i+1)); done; printf 'a\033[31mb\377c'`)
	req.Event.MaxOutputBytes = 32
	e := wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if want := "line 499\na[31mb\uFFFDc"; !strings.HasSuffix(e.StdoutTail, want) || len(e.StdoutTail) > 32 {
		t.Errorf("stdout %q does not end in %q or is over 32 bytes", e.StdoutTail, want)
	}
}

func TestOutputFileThatGrowsTooLargeKeepsItsEnd(t *testing.T) {
	file, err := openAppend(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(bytes.Repeat([]byte("0123456789abcde\n"), maxOutputFile/16+1)); err != nil {
		t.Fatal(err)
	}
	if err := capOutput(file, maxOutputFile); err != nil {
		t.Fatal(err)
	}
	file.WriteString("last\n")
	info, err := file.Stat()
	if err != nil || info.Size() > keptOutput+64 {
		t.Errorf("size %d, %v", info.Size(), err)
	}
	if tail := tailOf(file.Name(), 32); !strings.HasSuffix(tail, "abcde\nlast\n") {
		t.Errorf("tail %q", tail)
	}
}
