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

package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

var content = bytes.Repeat([]byte("package "), 1000)

func contentSum() string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// fetch gets a package with two further tries, and returns what was written
// and told.
func fetch(t *testing.T, pkg *protocol.Package) (written []byte, failure *Error, told string) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "p.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines []string
	f := Fetcher{Backoff: []time.Duration{0, 0}, Stall: time.Minute, Timeout: time.Minute}
	pkg.Source = protocol.PackageURL
	got, failure := f.Fetch(context.Background(), pkg, "/", file, func(line string) { lines = append(lines, line) })
	if failure != nil {
		return nil, failure, strings.Join(lines, "\n")
	}
	written, err = os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if got.Size != int64(len(written)) || got.SHA256 != contentSum() {
		t.Errorf("download %+v of %d bytes", got, len(written))
	}
	return written, nil, strings.Join(lines, "\n")
}

func TestFetch(t *testing.T) {
	type reply func(w http.ResponseWriter, try int64)
	status := func(code int) reply { return func(w http.ResponseWriter, _ int64) { w.WriteHeader(code) } }
	serve := func(w http.ResponseWriter, _ int64) { w.Write(content) }
	from := func(n int64, first, then reply) reply {
		return func(w http.ResponseWriter, try int64) {
			if try < n {
				first(w, try)
			} else {
				then(w, try)
			}
		}
	}
	cutOff := func(w http.ResponseWriter, _ int64) {
		w.Header().Set("Content-Length", "8000")
		w.Write(content[:100])
	}
	tests := []struct {
		name  string
		reply reply
		pkg   protocol.Package
		want  protocol.FaultReason
		tries int64
	}{
		{"at once", serve, protocol.Package{}, "", 1},
		{"right checksum", serve, protocol.Package{SHA256: strings.ToUpper(contentSum())}, "", 1},
		{"wrong checksum", serve, protocol.Package{SHA256: strings.Repeat("0", 64)}, protocol.PackageChecksumMismatch, 1},
		{"server recovers", from(3, status(500), serve), protocol.Package{}, "", 3},
		{"server is too busy, then recovers", from(2, status(429), serve), protocol.Package{}, "", 2},
		{"transfer breaks off, then not", from(2, cutOff, serve), protocol.Package{}, "", 2},
		{"transfer breaks off", cutOff, protocol.Package{}, protocol.PackageUnreachable, 3},
		{"server stays broken", status(503), protocol.Package{}, protocol.PackageUnreachable, 3},
		{"forbidden", status(403), protocol.Package{}, protocol.PackageUnreachable, 1},
		{"not found", status(404), protocol.Package{}, protocol.PackageNotFound, 1},
		{"gone", status(410), protocol.Package{}, protocol.PackageNotFound, 1},
		{"too large, told before", serve, protocol.Package{SizeLimit: 7999}, protocol.PackageTooLarge, 1},
		{"as large as may be", serve, protocol.Package{SizeLimit: 8000}, "", 1},
		{"too large, not told before", func(w http.ResponseWriter, _ int64) {
			w.(http.Flusher).Flush()
			w.Write(content)
		}, protocol.Package{SizeLimit: 7999}, protocol.PackageTooLarge, 1},
		{"redirected without end", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Location", "/again")
			w.WriteHeader(http.StatusFound)
		}, protocol.Package{}, protocol.PackageUnreachable, 15},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var tries atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				test.reply(w, tries.Add(1))
			}))
			defer server.Close()
			test.pkg.URL = strings.Replace(server.URL, "://", "://user:secret@", 1) + "/p.tgz?signature=secret"
			written, failure, told := fetch(t, &test.pkg)
			switch {
			case failure == nil && test.want != "":
				t.Errorf("no failure, want %s", test.want)
			case failure != nil && failure.Reason != test.want:
				t.Errorf("failure %+v, want %q", failure, test.want)
			case failure == nil && !bytes.Equal(written, content):
				t.Errorf("wrote %d bytes", len(written))
			}
			// Of redirects five in a row are requested, in each of three tries.
			if tries.Load() != test.tries {
				t.Errorf("%d requests, want %d", tries.Load(), test.tries)
			}
			if failure != nil {
				told += failure.Message
			}
			if strings.Contains(told, "secret") {
				t.Errorf("a secret of the URL is told: %s", told)
			}
		})
	}
}

func TestFetchOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(content) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that refuse its certificate
	server.StartTLS()
	defer server.Close()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if _, failure, told := fetch(t, &protocol.Package{URL: server.URL}); failure == nil || failure.Reason != protocol.PackageUnreachable || strings.Contains(told, "try 2") {
		t.Errorf("an unknown authority: %+v, %s", failure, told)
	}
	if _, failure, _ := fetch(t, &protocol.Package{URL: server.URL, CABundle: "no PEM"}); failure == nil || !strings.Contains(failure.Message, "caBundle") {
		t.Errorf("a malformed bundle: %+v", failure)
	}
	if _, failure, _ := fetch(t, &protocol.Package{URL: server.URL, CABundle: authority}); failure != nil {
		t.Errorf("a bundle with the authority: %v", failure)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	down := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer down.Close()
	if _, failure, _ := fetch(t, &protocol.Package{URL: down.URL, CABundle: authority}); failure == nil || !strings.Contains(failure.Message, "redirected from https") {
		t.Errorf("a redirect to http: %+v", failure)
	}
}

func TestFetchFromNobody(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, failure, told := fetch(t, &protocol.Package{URL: server.URL + "/p.tgz"})
	if failure == nil || failure.Reason != protocol.PackageUnreachable || !strings.Contains(told, "try 3 of 3") {
		t.Errorf("failure %+v, told %s", failure, told)
	}
}

func TestFetchFromTheImage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.tgz")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		pkg  protocol.Package
		want protocol.FaultReason
	}{
		{"there", protocol.Package{URL: "file://" + path}, ""},
		{"not there", protocol.Package{URL: "file://" + path + "x"}, protocol.PackageNotFound},
		{"a directory", protocol.Package{URL: "file://" + dir}, protocol.PackageNotTgz},
		{"too large", protocol.Package{URL: "file://" + path, SizeLimit: 10}, protocol.PackageTooLarge},
		{"wrong checksum", protocol.Package{URL: "file://" + path, SHA256: strings.Repeat("0", 64)}, protocol.PackageChecksumMismatch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, failure, _ := fetch(t, &test.pkg)
			if (failure == nil) != (test.want == "") || failure != nil && failure.Reason != test.want {
				t.Errorf("failure %+v, want %q", failure, test.want)
			}
		})
	}
}

// TestFetchFromAServerThatStalls is about the two ways to keep a client
// waiting: no answer, and one that stops in the middle.
func TestFetchFromAServerThatStalls(t *testing.T) {
	for name, before := range map[string]func(http.ResponseWriter){
		"answer": func(http.ResponseWriter) {},
		"body": func(w http.ResponseWriter) {
			w.Write(content[:100])
			w.(http.Flusher).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				before(w)
				<-r.Context().Done()
			}))
			defer server.Close()
			_, failure := fetchFrom(t, context.Background(), Fetcher{Backoff: []time.Duration{0}, Stall: 50 * time.Millisecond, Timeout: time.Minute}, server.URL)
			if failure == nil || failure.Reason != protocol.PackageUnreachable || !strings.Contains(failure.Message, errStalled.Error()) || tries.Load() != 2 {
				t.Errorf("failure %+v after %d tries", failure, tries.Load())
			}
			_, failure = fetchFrom(t, context.Background(), Fetcher{Backoff: []time.Duration{0}, Stall: time.Minute, Timeout: 50 * time.Millisecond}, server.URL)
			if failure == nil || !strings.Contains(failure.Message, errTooSlow.Error()) || tries.Load() != 3 {
				t.Errorf("failure %+v after %d tries, want one more", failure, tries.Load())
			}
		})
	}
}

func fetchFrom(t *testing.T, ctx context.Context, f Fetcher, url string) (Download, *Error) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "p.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return f.Fetch(ctx, &protocol.Package{Source: protocol.PackageURL, URL: url}, "/", file, func(string) {})
}
