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
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// setUp is a container in which configure has run with metadata of generation
// 3, and a request for it that changes nothing.
func setUp(t *testing.T, script string) (*container, *protocol.Request) {
	t.Helper()
	c := newContainer(t)
	req := c.request(script)
	req.Event.Generation = 3
	c.push(req, 3)
	if r := c.apply(req); !r.Configured || r.Fault != nil {
		t.Fatalf("configured %t, fault %+v", r.Configured, r.Fault)
	}
	req.Event, req.MarkConfigured = nil, protocol.MarkNever
	return c, req
}

// push has a request bring metadata of a generation.
func (c *container) push(req *protocol.Request, generation int64) {
	req.MetadataGeneration = generation
	req.Metadata = json.RawMessage(fmt.Sprintf(`{"generation":%d}`, generation))
}

// wantMetadata tells whether the metadata of a generation is in place, and known to be.
func (c *container) wantMetadata(r *protocol.Result, generation int64) {
	c.t.Helper()
	document := c.read("etc/guestconfig/configmeta.json")
	if r.MetadataGeneration != generation || document != fmt.Sprintf(`{"generation":%d}`, generation) {
		c.t.Errorf("metadata %s is in place, told to be of generation %d, want %d", document, r.MetadataGeneration, generation)
	}
}

// TestEveryNumberRunsOnce calls a member for one event after another. Their
// numbers are their own, whatever the metadata's generation is.
func TestEveryNumberRunsOnce(t *testing.T) {
	c, req := setUp(t, `echo $* >>$HERE/runs; test ! -e $HERE/fail`)
	call := func(event *protocol.Event, state protocol.EventState) {
		t.Helper()
		req.Event = event
		r := c.apply(req)
		wantEvent(t, r, state, event.Attempt)
		if c.wantMetadata(r, req.MetadataGeneration); !r.Configured {
			t.Error("the container is not configured any more")
		}
	}
	want := "--configure\n"
	for _, number := range []int64{1, 7, 8, 20} {
		c.write("fail", "")
		call(peersJoined(number), protocol.EventFailed)
		c.remove("fail")
		again := peersJoined(number)
		again.Attempt = 2
		call(again, protocol.EventSucceeded)
		call(again, protocol.EventSucceeded)
		want += strings.Repeat(fmt.Sprintf("--addnodes --fqdns peer-%d\n", number), 2)
	}
	c.push(req, 4) // which is smaller than the number
	req.Event.Attempt = 2
	call(req.Event, protocol.EventSucceeded)
	// Another event of the same number is another.
	stop := *peersJoined(20)
	stop.Name, stop.Args = "stop", []string{"--stop"}
	call(&stop, protocol.EventSucceeded)
	want += "--stop\n"
	if got := c.read("runs"); got != want {
		t.Errorf("the script was called so:\n%swant:\n%s", got, want)
	}
}

// TestANumberedEventConfiguresNothing is about a container that was not marked
// when its member was called.
func TestANumberedEventConfiguresNothing(t *testing.T) {
	c := newContainer(t)
	req := c.request("true")
	req.Event, req.MarkConfigured = peersJoined(7), protocol.MarkNever
	if r := c.apply(req); r.Configured || r.Fault != nil {
		t.Errorf("configured %t, fault %+v", r.Configured, r.Fault)
	}
}

// TestMetadataIsPutInPlaceBesideAScript pushes metadata into a container whose
// script runs.
func TestMetadataIsPutInPlaceBesideAScript(t *testing.T) {
	c, req := setUp(t, `echo run >>$HERE/runs; case $1 in --configure) ;; *) until test -e $HERE/go; do sleep 0.02; done;; esac`)
	req.FollowSeconds = 0
	running := peersJoined(7)
	req.Event = running
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)

	c.push(req, 4)
	r := c.apply(req)
	wantEvent(t, r, protocol.EventRunning, 1)
	c.wantMetadata(r, 4)

	// No more does a better package keep it away, which has to wait.
	better := c.scriptPackage("true")
	present := req.Package
	c.push(req, 5)
	req.Package = better
	r = c.apply(req)
	wantEvent(t, r, protocol.EventRunning, 1)
	c.wantMetadata(r, 5)

	c.push(req, 6)
	req.Event, req.Package = nil, nil
	if r = c.apply(req); r.Fault != nil || r.Refusal != nil || r.Event != nil || !r.Configured {
		t.Errorf("without an event: fault %+v, refusal %+v, event %+v, configured %t", r.Fault, r.Refusal, r.Event, r.Configured)
	}
	c.wantMetadata(r, 6)

	c.push(req, 7)
	req.Event, req.Package = peersJoined(8), present
	if r = c.apply(req); r.Fault == nil || r.Fault.Reason != protocol.Busy {
		t.Errorf("another event: fault %+v", r.Fault)
	}
	c.wantMetadata(r, 7)

	c.push(req, 5)
	req.Event = running
	wantEvent(t, c.apply(req), protocol.EventRunning, 1)

	c.write("go", "")
	c.push(req, 7)
	req.FollowSeconds = 60
	r = c.apply(req)
	wantEvent(t, r, protocol.EventSucceeded, 1)
	c.wantMetadata(r, 7)
	if c.runs() != 2 {
		t.Errorf("%d runs, want those of configure and addnodes", c.runs())
	}
}
