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
	"strings"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

func TestApplyConfiguresAContainer(t *testing.T) {
	c := newContainer(t)
	r, records := c.applyRecords(c.request(`echo run >>$HERE/runs; pwd; echo "args=$*"; echo "path=$PATH"; echo oops >&2`))
	if r.Refusal != nil || r.Fault != nil {
		t.Fatalf("refusal %+v, fault %+v", r.Refusal, r.Fault)
	}
	if !r.Configured || r.MetadataGeneration != 1 || len(r.PackageSHA256) != 64 {
		t.Errorf("result %+v", r)
	}
	e := r.Event
	if e == nil || e.State != protocol.EventSucceeded || e.ExitCode == nil || *e.ExitCode != 0 || e.Incarnation != r.Incarnation {
		t.Fatalf("event %+v", e)
	}
	for _, want := range []string{c.root + "/opt/guestconfig/demo\n", "args=--configure\n", ":/opt/kubedirector\n"} {
		if !strings.Contains(e.StdoutTail, want) {
			t.Errorf("stdout %q lacks %q", e.StdoutTail, want)
		}
	}
	if e.StderrTail != "oops\n" {
		t.Errorf("stderr %q", e.StderrTail)
	}
	if got := c.read("etc/guestconfig/configmeta.json"); got != `{"node":{"id":"1"}}` {
		t.Errorf("metadata %q", got)
	}
	if got, want := c.read("opt/guestconfig/configure.status"), r.Incarnation+"=0"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
	if got := c.read("opt/guestconfig/configure.stderr"); got != "oops\n" {
		t.Errorf("configure.stderr %q", got)
	}
	var started bool
	for _, record := range records {
		started = started || record.Type == protocol.RecordStarted && record.Started.Deadline.After(record.Started.StartedAt)
	}
	if !started {
		t.Errorf("no started record in %+v", records)
	}

	again := c.apply(c.request("exit 9"))
	if again.Event == nil || again.Event.State != protocol.EventSucceeded || c.runs() != 1 {
		t.Errorf("asked again: event %+v, %d runs", again.Event, c.runs())
	}
}
