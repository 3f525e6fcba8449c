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
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"

	// Application images often hold no certificates; these roots are used
	// where the system has none.
	_ "golang.org/x/crypto/x509roots/fallback"
)

// Fetcher gets the bytes of a package.
type Fetcher struct {
	// Backoff is the pause before each further try of a server that may
	// recover.
	Backoff []time.Duration
	// Stall is for how long a try may wait for the first or the next byte.
	Stall time.Duration
	// Timeout bounds the whole fetch. Other requests to the container wait
	// meanwhile, be it that they bring a corrected URL.
	Timeout time.Duration
}

var (
	errStalled = errors.New("no byte came in time")
	errTooSlow = errors.New("the package did not come in time")
)

// transferTold is how often the size of what came so far is told.
const transferTold = 5 * time.Second

// NewFetcher returns a fetcher with the pauses that suit a web server that is
// being restarted. The controller asks again later in any case.
func NewFetcher() Fetcher {
	return Fetcher{
		Backoff: []time.Duration{time.Second, 2 * time.Second, 4 * time.Second},
		Stall:   30 * time.Second,
		Timeout: 10 * time.Minute,
	}
}

// Download is what a fetch wrote.
type Download struct {
	SHA256 string
	Size   int64
}

// Fetch writes the package to file. root is the directory below which file
// URLs are looked up. tell is called with what is being done.
func (f Fetcher) Fetch(ctx context.Context, pkg *protocol.Package, root string, file *os.File, tell func(string)) (Download, *Error) {
	location, err := url.Parse(pkg.URL)
	if err != nil {
		return Download{}, fail(protocol.PackageUnreachable, "package URL is malformed: %v", errors.Unwrap(err))
	}
	if location.Scheme == "file" {
		return copyFile(location, pkg, root, file)
	}
	client, failure := httpClient(pkg.CABundle)
	if failure != nil {
		return Download{}, failure
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeoutCause(ctx, f.Timeout, fmt.Errorf("%w of %s", errTooSlow, f.Timeout))
	defer cancel()
	shown := displayURL(location)
	for try := 0; ; try++ {
		tell(fmt.Sprintf("fetching %s, try %d of %d", shown, try+1, len(f.Backoff)+1))
		got, failure, mayRecover := f.get(ctx, client, location, pkg, file, tell)
		if failure == nil {
			return got, verify(got, pkg)
		}
		failure.Message = fmt.Sprintf("%s: %s", shown, failure.Message)
		if !mayRecover || try == len(f.Backoff) || ctx.Err() != nil {
			return Download{}, failure
		}
		tell(fmt.Sprintf("%s; trying again in %s", failure.Message, f.Backoff[try]))
		select {
		case <-ctx.Done():
			return Download{}, failure
		case <-time.After(f.Backoff[try]):
		}
	}
}

// get is one try. mayRecover tells whether the same request may succeed soon.
func (f Fetcher) get(ctx context.Context, client *http.Client, location *url.URL, pkg *protocol.Package, file *os.File, tell func(string)) (_ Download, failure *Error, mayRecover bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(f.Stall, func() { cancel(fmt.Errorf("%w: %s", errStalled, f.Stall)) })
	defer stall.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location.String(), nil)
	if err != nil {
		return Download{}, fail(protocol.PackageUnreachable, "%v", err), false
	}
	request.Header.Set("User-Agent", "kdguest")
	response, err := client.Do(request)
	if err != nil {
		return Download{}, fail(protocol.PackageUnreachable, "%v", withoutURL(ctx, err)), !isCertificateError(err)
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusOK:
	case code == http.StatusNotFound, code == http.StatusGone:
		return Download{}, fail(protocol.PackageNotFound, "the server answers %s", response.Status), false
	default:
		transient := code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
		return Download{}, fail(protocol.PackageUnreachable, "the server answers %s", response.Status), transient
	}
	if limit := sizeLimit(pkg); response.ContentLength > limit {
		return Download{}, fail(protocol.PackageTooLarge, "%d bytes are over the limit of %d", response.ContentLength, limit), false
	}
	if err := rewind(file); err != nil {
		return Download{}, WriteError(err), false
	}
	body := &transfer{from: response.Body, ctx: ctx, stall: stall, limit: f.Stall, tell: tell, told: time.Now()}
	return save(body, pkg, file)
}

// transfer puts off the end of a try with every byte, and tells now and then
// how far it is. That is also how a listener that has gone is noticed, if the
// container runtime closes the pipe; if it does not, Timeout must do.
type transfer struct {
	from  io.Reader
	ctx   context.Context
	stall *time.Timer
	limit time.Duration
	tell  func(string)
	told  time.Time
	size  int64
}

func (t *transfer) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if t.size += int64(n); n > 0 {
		t.stall.Reset(t.limit)
	}
	if time.Since(t.told) >= transferTold {
		t.tell(fmt.Sprintf("%d bytes so far", t.size))
		t.told = time.Now()
	}
	if cause := context.Cause(t.ctx); err != nil && err != io.EOF && cause != nil {
		err = cause
	}
	return n, err
}

// save copies at most the size limit to file.
func save(from io.Reader, pkg *protocol.Package, file *os.File) (_ Download, failure *Error, mayRecover bool) {
	limit := sizeLimit(pkg)
	sink := &sink{file: file, sum: sha256.New()}
	n, err := io.Copy(sink, io.LimitReader(from, limit+1))
	switch {
	case sink.err != nil:
		return Download{}, WriteError(sink.err), false
	case err != nil:
		return Download{}, fail(protocol.PackageUnreachable, "the transfer broke off after %d bytes: %v", n, err), true
	case n > limit:
		return Download{}, fail(protocol.PackageTooLarge, "more than the limit of %d bytes", limit), false
	}
	return Download{SHA256: hex.EncodeToString(sink.sum.Sum(nil)), Size: n}, nil, false
}

// sink remembers its own failure, which io.Copy mixes with its source's.
type sink struct {
	file *os.File
	sum  hash.Hash
	err  error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.sum.Write(p[:n])
	s.err = err
	return n, err
}

func rewind(file *os.File) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return file.Truncate(0)
}

// verify compares the checksum with the one the app names.
func verify(got Download, pkg *protocol.Package) *Error {
	if pkg.SHA256 == "" || strings.EqualFold(pkg.SHA256, got.SHA256) {
		return nil
	}
	return fail(protocol.PackageChecksumMismatch, "the package's sha256 is %s, the app names %s", got.SHA256, strings.ToLower(pkg.SHA256))
}

func sizeLimit(pkg *protocol.Package) int64 {
	if pkg.SizeLimit > 0 {
		return pkg.SizeLimit
	}
	return protocol.DefaultPackageSizeLimit
}

// UnpackedLimit is what a package may unpack to.
func UnpackedLimit(pkg *protocol.Package) int64 {
	return sizeLimit(pkg) * protocol.UnpackedSizeFactor
}

// httpClient trusts the system's roots, or the embedded ones where it has
// none, and the package's own. Proxies come from the environment.
func httpClient(caBundle string) (*http.Client, *Error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caBundle != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM([]byte(caBundle)) {
			return nil, fail(protocol.PackageUnreachable, "caBundle holds no PEM certificate")
		}
		config.RootCAs = roots
	}
	const maxRedirects = 5
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig:       config,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			ForceAttemptHTTP2:     true,
			// The archive is what is hashed, so it must arrive as it is.
			DisableCompression: true,
		},
		CheckRedirect: func(request *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			if via[0].URL.Scheme == "https" && request.URL.Scheme != "https" {
				return errors.New("redirected from https to " + request.URL.Scheme)
			}
			return nil
		},
	}, nil
}

func isCertificateError(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification)
}

// withoutURL drops the URL that net/http puts into its errors: it may hold a
// password or a signature. A try that was given up says why.
func withoutURL(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// displayURL is the URL without user and query, which may be secret.
func displayURL(location *url.URL) string {
	return (&url.URL{Scheme: location.Scheme, Host: location.Host, Path: location.Path}).String()
}
