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
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

func TestPackageFaults(t *testing.T) {
	good := tgz(t, tarFile("demo/startscript", "#!/bin/sh\n", 0o755))
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	inline := func(content []byte) *protocol.Package {
		return &protocol.Package{Source: protocol.PackageInline, Bytes: content}
	}
	tests := []struct {
		name string
		pkg  *protocol.Package
		want protocol.FaultReason
	}{
		{"none", nil, protocol.PackageMissing},
		{"no such URL", &protocol.Package{Source: protocol.PackageURL, URL: server.URL + "/p.tgz"}, protocol.PackageNotFound},
		{"no such file", &protocol.Package{Source: protocol.PackageURL, URL: "file:///no/such.tgz"}, protocol.PackageNotFound},
		{"no archive", inline([]byte("<html>")), protocol.PackageNotTgz},
		{"cut off", inline(good[:len(good)-12]), protocol.PackageNotTgz},
		{"no startscript", inline(tgz(t, tarFile("demo/readme", "x", 0o644))), protocol.PackageNoStartscript},
		{"startscript at the top", inline(tgz(t, tarFile("startscript", "x", 0o755))), protocol.PackageNoStartscript},
		{"two startscripts", inline(tgz(t, tarFile("a/startscript", "x", 0o755), tarFile("b/startscript", "x", 0o755))), protocol.PackageNoStartscript},
		{"other checksum", &protocol.Package{Source: protocol.PackageInline, Bytes: good, SHA256: strings.Repeat("0", 64)}, protocol.PackageChecksumMismatch},
		{"too large", &protocol.Package{Source: protocol.PackageInline, Bytes: good, SizeLimit: 10}, protocol.PackageTooLarge},
		{"escapes", inline(tgz(t, tarFile("../startscript", "x", 0o755))), protocol.PackageUnsafePath},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newContainer(t)
			req := c.request("")
			req.Package = test.pkg
			r := c.apply(req)
			if r.Fault == nil || r.Fault.Reason != test.want || r.Fault.Message == "" {
				t.Fatalf("fault %+v, want %s", r.Fault, test.want)
			}
			if r.Event != nil || r.Configured || r.PackageSHA256 != "" {
				t.Errorf("result %+v", r)
			}
			if _, err := os.Stat(filepath.Join(c.root, protocol.MountPackage, ".staging")); !os.IsNotExist(err) {
				t.Errorf("the staging directory stays: %v", err)
			}
			// A correct package recovers, with nothing removed by hand.
			req.Package = inline(good)
			wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
		})
	}
}

func TestPackageThatCannotBeWritten(t *testing.T) {
	c := newContainer(t)
	c.write(protocol.MountPackage, "no directory")
	r := c.apply(c.request(""))
	if r.Fault == nil || r.Fault.Reason != protocol.PackageNotWritable || r.Fault.Step != protocol.StepPackage {
		t.Errorf("fault %+v", r.Fault)
	}
}

func TestFullDiskIsNamed(t *testing.T) {
	if os.Getuid() != 0 {
		requireAll(t, "mounting a small file system needs root")
	}
	c := newContainer(t)
	dir := filepath.Join(c.root, protocol.MountPackage)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		requireAll(t, "mounting a small file system: "+err.Error())
	}
	defer syscall.Unmount(dir, 0)
	req := c.request("")
	req.Package.Bytes = tgz(t, tarFile("demo/startscript", strings.Repeat("x", 1<<20), 0o755))
	r := c.apply(req)
	if r.Fault == nil || r.Fault.Reason != protocol.DiskFull {
		t.Errorf("fault %+v", r.Fault)
	}
}

// requireAll skips a test that cannot be run here, unless everything must be.
func requireAll(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func TestPackageIsReplacedAsAWhole(t *testing.T) {
	c := newContainer(t)
	req := c.request("")
	req.Event = nil
	req.Package.Bytes = tgz(t,
		tarFile("one/startscript", "#!/bin/sh\n", 0o755), tarFile("lib/x", "x", 0o644),
		tarEntry{tar.Header{Typeflag: tar.TypeDir, Name: "one/ro/", Mode: 0o555}, ""}, tarFile("._one", "", 0o644))
	if r := c.apply(req); r.Fault != nil {
		t.Fatalf("fault %+v", r.Fault)
	}
	req.Package.Bytes = tgz(t, tarFile("two/startscript", "#!/bin/sh\n", 0o600))
	if r := c.apply(req); r.Fault != nil {
		t.Fatalf("fault %+v", r.Fault)
	}
	entries, err := os.ReadDir(filepath.Join(c.root, protocol.MountPackage))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got := strings.Join(names, " "); got != stampFile+" two" {
		t.Errorf("in place: %s", got)
	}
	info, err := os.Stat(filepath.Join(c.root, protocol.MountPackage, "two/startscript"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("startscript has mode %v, %v", info.Mode(), err)
	}
}

// webServer serves a package that a test may change, and counts requests.
type webServer struct {
	*httptest.Server
	content atomic.Pointer[[]byte]
	hits    atomic.Int64
}

func newWebServer(t *testing.T) *webServer {
	s := &webServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		if content := s.content.Load(); content != nil {
			w.Write(*content)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestPackageIsFetchedOncePerContainer(t *testing.T) {
	c, s := newContainer(t), newWebServer(t)
	content := tgz(t, tarFile("demo/startscript", "#!/bin/sh\n", 0o755))
	s.content.Store(&content)
	req := c.request("")
	req.Package = &protocol.Package{Source: protocol.PackageURL, URL: s.URL + "/p.tgz"}
	for range 3 {
		wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	}
	if s.hits.Load() != 1 {
		t.Errorf("fetched %d times", s.hits.Load())
	}
	c.restart(2)
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if s.hits.Load() != 2 {
		t.Errorf("fetched %d times for two containers", s.hits.Load())
	}
	// The same bytes from elsewhere are the same package.
	sum := sha256.Sum256(content)
	req.Package = &protocol.Package{Source: protocol.PackageURL, URL: s.URL + "/q.tgz", SHA256: hex.EncodeToString(sum[:])}
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if s.hits.Load() != 2 {
		t.Errorf("fetched a package that is in place")
	}
}

// TestScriptCorrectedAtTheSameURL is how a user without checksums corrects a
// script: the next attempt sees it. A server that is gone by then is no fault.
func TestScriptCorrectedAtTheSameURL(t *testing.T) {
	c, s := newContainer(t), newWebServer(t)
	wrong := tgz(t, tarFile("demo/startscript", "#!/bin/sh\nexit 1\n", 0o755))
	right := tgz(t, tarFile("demo/startscript", "#!/bin/sh\n", 0o755))
	s.content.Store(&wrong)
	req := c.request("")
	req.Package = &protocol.Package{Source: protocol.PackageURL, URL: s.URL + "/p.tgz"}
	wantEvent(t, c.apply(req), protocol.EventFailed, 1)
	s.content.Store(nil)
	req.Event = configure(2)
	wantEvent(t, c.apply(req), protocol.EventFailed, 2)
	s.content.Store(&right)
	req.Event = configure(3)
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 3)
}

func TestPackageInTheImage(t *testing.T) {
	c := newContainer(t)
	c.write("opt/image/p.tgz", string(tgz(t, tarFile("demo/startscript", "#!/bin/sh\n", 0o755))))
	req := c.request("")
	req.Package = &protocol.Package{Source: protocol.PackageURL, URL: "file:///opt/image/p.tgz"}
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
}

func TestPackageStaysWhileItsScriptRuns(t *testing.T) {
	c := newContainer(t)
	req := c.request(`until test -e $HERE/go; do sleep 0.02; done`)
	req.FollowSeconds = 0
	first := c.apply(req)
	wantEvent(t, first, protocol.EventRunning, 1)
	other := *req
	other.Event, other.Package, other.MarkConfigured = nil, c.scriptPackage("true"), protocol.MarkNever
	if r := c.apply(&other); r.Fault == nil || r.Fault.Reason != protocol.Busy || r.PackageSHA256 != first.PackageSHA256 {
		t.Errorf("fault %+v, package %s", r.Fault, r.PackageSHA256)
	}
	c.write("go", "")
	req.FollowSeconds = 60
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
	if r := c.apply(&other); r.Fault != nil || r.PackageSHA256 == first.PackageSHA256 {
		t.Errorf("fault %+v, package %s", r.Fault, r.PackageSHA256)
	}
}

// closedPipe is the stdout of a request to which nobody listens any more.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// TestNothingIsFetchedForNobody sees that a request whose listener has gone
// does not keep the ledger while a server stalls.
func TestNothingIsFetchedForNobody(t *testing.T) {
	c := newContainer(t)
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	req := c.request("")
	good := req.Package
	req.Package = &protocol.Package{Source: protocol.PackageURL, URL: server.URL}
	raw, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), bytes.NewReader(raw), closedPipe{}); err == nil {
		t.Error("a result that nobody got is no error")
	}
	if len(asked) != 0 {
		t.Error("the server was asked for a package that nobody waits for")
	}
	req.Package = good
	wantEvent(t, c.apply(req), protocol.EventSucceeded, 1)
}
