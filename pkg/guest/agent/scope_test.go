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
	"os"
	"path/filepath"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// TestScopeDecidesWhatRunsAgain runs an event, changes something, asks again
// with the next attempt and counts the runs.
func TestScopeDecidesWhatRunsAgain(t *testing.T) {
	newContainerOf := func(c *container, req *protocol.Request) { c.restart(2) }
	newPod := func(c *container, req *protocol.Request) {
		c.restart(2)
		for _, dir := range []string{protocol.MountState, protocol.MountMeta, protocol.MountPackage} {
			if err := os.RemoveAll(filepath.Join(c.root, dir)); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	newGeneration := func(_ *container, req *protocol.Request) { req.Event.Generation = 2 }
	newMember := func(_ *container, req *protocol.Request) { req.NodeID = 2 }
	newCluster := func(_ *container, req *protocol.Request) { req.Cluster.UID = "another" }
	tests := []struct {
		name   string
		scope  protocol.Scope
		change func(*container, *protocol.Request)
		want   int
	}{
		{"container's event, same container", protocol.ScopeIncarnation, newGeneration, 1},
		{"container's event, new container", protocol.ScopeIncarnation, newContainerOf, 2},
		{"member's event, new generation", protocol.ScopeNode, newGeneration, 1},
		{"member's event, new container", protocol.ScopeNode, newContainerOf, 1},
		{"member's event, new pod", protocol.ScopeNode, newPod, 1},
		{"member's event, new member", protocol.ScopeNode, newMember, 2},
		{"member's event, new cluster on the same volume", protocol.ScopeNode, newCluster, 2},
		{"generation's event, new container", protocol.ScopeNodeGeneration, newContainerOf, 1},
		{"generation's event, new pod", protocol.ScopeNodeGeneration, newPod, 1},
		{"generation's event, new generation", protocol.ScopeNodeGeneration, newGeneration, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newContainer(t)
			c.write("volume/keep", "")
			req := c.request(`echo run >>$HERE/runs`)
			req.VolumeDir = "/volume"
			req.Event.Scope = test.scope
			first := c.apply(req)
			wantEvent(t, first, protocol.EventSucceeded, 1)
			test.change(c, req)
			again := c.apply(req)
			e := wantEvent(t, again, protocol.EventSucceeded, 1)
			if c.runs() != test.want {
				t.Errorf("%d runs, want %d", c.runs(), test.want)
			}
			if test.want == 1 && e.Incarnation != first.Incarnation {
				t.Errorf("the success is told to be of %s, it was in %s", e.Incarnation, first.Incarnation)
			}
			// Whatever is run again, a new container gets its files anew.
			if again.MetadataGeneration != 1 || again.PackageSHA256 == "" {
				t.Errorf("result %+v", again)
			}
		})
	}
}

func TestSuccessOfTheMemberNeedsItsVolume(t *testing.T) {
	c := newContainer(t)
	req := c.request(`echo run >>$HERE/runs`)
	req.VolumeDir = "/volume"
	req.Event.Scope = protocol.ScopeNode
	c.write("volume", "no directory")
	r := c.apply(req)
	if r.Fault == nil || r.Fault.Reason != protocol.LedgerNotWritable || r.Configured {
		t.Fatalf("fault %+v, configured %t", r.Fault, r.Configured)
	}
	if err := os.Remove(filepath.Join(c.root, "volume")); err != nil {
		t.Fatal(err)
	}
	if r := c.apply(req); r.Fault != nil || !r.Configured {
		t.Fatalf("fault %+v, configured %t", r.Fault, r.Configured)
	}
	if kept, err := filepath.Glob(filepath.Join(c.root, "volume/successes/configure-*.json")); err != nil || len(kept) != 1 {
		t.Errorf("successes on the volume: %q, %v", kept, err)
	}
	if c.runs() != 1 {
		t.Errorf("%d runs", c.runs())
	}
}

func TestMarkConfigured(t *testing.T) {
	noEvent := func(c *container, req *protocol.Request) { req.Event = nil }
	earlier := func(c *container, req *protocol.Request) {
		req.MarkConfigured = protocol.MarkHere
		c.apply(req)
		c.restart(2)
	}
	fails := func(c *container, req *protocol.Request) { req.Package = c.scriptPackage("exit 1") }
	tests := []struct {
		name   string
		mark   protocol.MarkConfigured
		before func(*container, *protocol.Request)
		want   bool
	}{
		{"here, success here", protocol.MarkHere, nil, true},
		{"here, success in an earlier container", protocol.MarkHere, earlier, false},
		{"here, no event", protocol.MarkHere, noEvent, false},
		{"here, failure", protocol.MarkHere, fails, false},
		{"always, success here", protocol.MarkAlways, nil, true},
		{"always, success in an earlier container", protocol.MarkAlways, earlier, true},
		{"always, no event", protocol.MarkAlways, noEvent, true},
		{"always, failure", protocol.MarkAlways, fails, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newContainer(t)
			req := c.request("true")
			req.Event.Scope = protocol.ScopeNode
			if test.before != nil {
				test.before(c, req)
			}
			req.MarkConfigured = test.mark
			if r := c.apply(req); r.Configured != test.want || r.Fault != nil {
				t.Errorf("configured %t, want %t; fault %+v", r.Configured, test.want, r.Fault)
			}
		})
	}
}

// TestEventsOfAConfiguredContainer are refused by one that is not: it has taken
// the place of the one that is meant, unseen.
func TestEventsOfAConfiguredContainer(t *testing.T) {
	c := newContainer(t)
	req := c.request("true")
	req.MarkConfigured = protocol.MarkNever
	if r := c.apply(req); r.Refusal == nil || r.Refusal.Reason != protocol.WrongIncarnation || c.runs() != 0 {
		t.Errorf("refusal %+v, %d runs", r.Refusal, c.runs())
	}
}

func TestNewContainerIsNotConfigured(t *testing.T) {
	c := newContainer(t)
	if r := c.apply(c.request("true")); !r.Configured {
		t.Fatalf("result %+v", r)
	}
	c.restart(2)
	req := c.request("true")
	req.Event, req.Metadata, req.Package, req.MarkConfigured = nil, nil, nil, protocol.MarkNever
	r := c.apply(req)
	if r.Configured || r.MetadataGeneration != 0 || r.PackageSHA256 != "" {
		t.Errorf("a new container vouches for what an earlier one was given: %+v", r)
	}
}

func TestMetadata(t *testing.T) {
	c := newContainer(t)
	send := func(generation int64, document, cluster string) *protocol.Result {
		req := c.request("true")
		req.Event, req.Package = nil, nil
		req.Metadata, req.MetadataGeneration, req.Cluster.UID = json.RawMessage(document), generation, cluster
		return c.apply(req)
	}
	steps := []struct {
		name           string
		generation     int64
		document       string
		cluster        string
		wantGeneration int64
		wantDocument   string
	}{
		{"first", 5, `{"a":1}`, testCluster, 5, `{"a":1}`},
		{"older does not replace newer", 4, `{"a":0}`, testCluster, 5, `{"a":1}`},
		{"same generation, other content", 5, `{"a":2}`, testCluster, 5, `{"a":2}`},
		{"newer", 6, `{"a":3}`, testCluster, 6, `{"a":3}`},
		{"another cluster counts anew", 1, `{"a":4}`, "another", 1, `{"a":4}`},
	}
	for _, step := range steps {
		r := send(step.generation, step.document, step.cluster)
		if got := c.read("etc/guestconfig/configmeta.json"); r.MetadataGeneration != step.wantGeneration || got != step.wantDocument {
			t.Errorf("%s: generation %d, document %s", step.name, r.MetadataGeneration, got)
		}
	}
	c.write("etc/guestconfig/configmeta.json", "spoilt by the application")
	send(1, `{"a":4}`, "another")
	if got := c.read("etc/guestconfig/configmeta.json"); got != `{"a":4}` {
		t.Errorf("a spoilt document stays: %s", got)
	}
}

func TestMetadataThatCannotBeWritten(t *testing.T) {
	c := newContainer(t)
	c.write("etc/guestconfig", "no directory")
	r := c.apply(c.request("echo run >>$HERE/runs"))
	if r.Fault == nil || r.Fault.Step != protocol.StepMetadata || r.Fault.Reason != protocol.MetadataNotWritable || c.runs() != 0 {
		t.Errorf("fault %+v after %d runs", r.Fault, c.runs())
	}
}
