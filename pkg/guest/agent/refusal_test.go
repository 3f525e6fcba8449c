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
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		change func(*protocol.Request)
		want   protocol.RefusalReason
	}{
		{"another pod", func(r *protocol.Request) { r.PodUID = "another" }, protocol.WrongPod},
		{"another container", func(r *protocol.Request) { r.Incarnation = testPod + ".00000000" }, protocol.WrongIncarnation},
		{"older leader", func(r *protocol.Request) { r.Leader.Epoch = 6 }, protocol.StaleLeader},
		{"older request of the same leader", func(r *protocol.Request) { r.Leader.Request = 2 }, protocol.StaleRequest},
		{"future protocol", func(r *protocol.Request) { r.ProtocolVersion = protocol.Version + 1 }, protocol.UnsupportedProtocol},
		{"no protocol", func(r *protocol.Request) { r.ProtocolVersion = 0 }, protocol.UnsupportedProtocol},
		{"no member", func(r *protocol.Request) { r.NodeID = 0 }, protocol.BadRequest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newContainer(t)
			before := c.request("true")
			before.Event, before.Package, before.Metadata = nil, nil, nil
			before.MarkConfigured = protocol.MarkNever
			before.Leader = protocol.Leader{LeaseUID: before.Leader.LeaseUID, Epoch: 7, Request: 3}
			if r := c.apply(before); r.Refusal != nil {
				t.Fatalf("refusal %+v", r.Refusal)
			}
			req := c.request("echo run >>$HERE/runs")
			req.Leader.Epoch = 7
			test.change(req)
			r := c.apply(req)
			if r.Refusal == nil || r.Refusal.Reason != test.want || r.Refusal.Message == "" {
				t.Fatalf("refusal %+v, want %s", r.Refusal, test.want)
			}
			if c.runs() != 0 || r.Configured || c.read("etc/guestconfig/configmeta.json") != "" {
				t.Errorf("a refused request did something: %+v", r)
			}
		})
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	c := newContainer(t)
	for _, raw := range []string{``, `null`, `[]`, `{"protocolVersion":1,"unknown":true}`, `{"protocolVersion":"1"}`} {
		r, _ := c.applyRaw([]byte(raw))
		if r.Refusal == nil || r.Refusal.Message == "" {
			t.Errorf("%s: refusal %+v", raw, r.Refusal)
		}
	}
}

func TestLeaderOfANewLeaseIsNotCompared(t *testing.T) {
	c := newContainer(t)
	speak := func(lease string, epoch int64) *protocol.Refusal {
		req := c.request("true")
		req.Event, req.Package = nil, nil
		req.Leader = protocol.Leader{LeaseUID: lease, Epoch: epoch}
		return c.apply(req).Refusal
	}
	if r := speak("old", 9); r != nil {
		t.Errorf("first leader: %+v", r)
	}
	if r := speak("new", 0); r != nil {
		t.Errorf("first leader of a new lease: %+v", r)
	}
	if r := speak("old", 8); r == nil || r.Reason != protocol.StaleLeader {
		t.Errorf("older leader of the old lease: %+v", r)
	}
}

func TestRightIncarnationIsServed(t *testing.T) {
	c := newContainer(t)
	req := c.request("true")
	first := c.apply(req)
	req.Incarnation = first.Incarnation
	if r := c.apply(req); r.Refusal != nil || r.Incarnation != testPod+".00000001" {
		t.Errorf("incarnation %q, refusal %+v", r.Incarnation, r.Refusal)
	}
}

func TestRequestBesideALongOneIsTold(t *testing.T) {
	c := newContainer(t)
	c.LockWait = 10 * time.Millisecond
	if err := c.ledger().open(); err != nil {
		t.Fatal(err)
	}
	lock, err := flock(c.ledger().path("lock"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	r, records := c.applyRecords(c.request("true"))
	if r.Refusal == nil || r.Refusal.Reason != protocol.InProgress || len(records) != 1 {
		t.Errorf("refusal %+v, records %+v", r.Refusal, records)
	}
}

func TestLedgerThatCannotBeKept(t *testing.T) {
	c := newContainer(t)
	c.write(protocol.MountState, "no directory")
	r := c.apply(c.request("echo run >>$HERE/runs"))
	if r.Refusal == nil || r.Refusal.Reason != protocol.StateNotWritable || c.runs() != 0 {
		t.Errorf("refusal %+v after %d runs", r.Refusal, c.runs())
	}
}

func TestIdentity(t *testing.T) {
	const mounts = "1 0 0:1 / / rw - overlay overlay rw\n"
	log := func(root string) string { return "2 1 8:1 " + root + " /dev/termination-log rw - ext4 /dev/sda1 rw\n" }
	stat := "1 (a) b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 1 1\n"
	tests := []struct {
		name   string
		podUID string
		mounts string
		want   Identity
		err    bool
	}{
		{name: "kubelet's directory", podUID: "uid", mounts: mounts + log("/var/lib/kubelet/pods/uid/containers/app/0badcafe"), want: Identity{"uid", "uid.0badcafe"}},
		{name: "kubelet's directory is a file system", podUID: "uid", mounts: mounts + log("/pods/uid/containers/app/0badcafe"), want: Identity{"uid", "uid.0badcafe"}},
		{name: "no environment", mounts: mounts + log("/pods/uid/containers/app/0badcafe"), want: Identity{"uid", "uid.0badcafe"}},
		{name: "no termination log", podUID: "uid", mounts: mounts, want: Identity{"uid", "uid.b007b007-4711"}},
		{name: "another pod's mounts", podUID: "uid", mounts: mounts + log("/pods/other/containers/app/0badcafe"), err: true},
		{name: "neither", mounts: mounts, err: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newContainer(t)
			c.Getenv = func(string) string { return test.podUID }
			c.write("proc/self/mountinfo", test.mounts)
			c.write("proc/sys/kernel/random/boot_id", "b007b007-1111-2222-3333-444455556666\n")
			c.write("proc/1/stat", stat)
			got, err := c.Identity()
			if got != test.want || (err != nil) != test.err {
				t.Errorf("Identity() = %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestConfiguredGivesUpInTime(t *testing.T) {
	c := newContainer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if done, err := c.Configured(ctx); done || err != nil {
		t.Errorf("Configured() = %t, %v", done, err)
	}
}
