//go:build real

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

package real

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// auditLog is the API server's audit log, one JSON line for each request.
type auditLog struct{ file string }

// locate finds the log where hack/devcluster puts it, or where a variable says.
func (a *auditLog) locate(kubeconfig string) error {
	a.file = cmp.Or(os.Getenv(auditLogVariable), filepath.Join(filepath.Dir(kubeconfig), "audit", "audit.log"))
	if _, err := os.Stat(a.file); err != nil {
		return fmt.Errorf("%w: these tests count requests in the API server's audit log, at level Metadata; name it by %s", err, auditLogVariable)
	}
	return nil
}

// request is one that the API server answered.
type request struct {
	Stage     string
	Verb      string
	UserAgent string
	// ImpersonatedUser is on whose behalf it is, where that is somebody else.
	ImpersonatedUser struct{ Username string }
	ObjectRef        struct{ Resource, Subresource, Namespace, Name string }
	// ResponseStatus.Code is of HTTP.
	ResponseStatus           struct{ Code int }
	RequestReceivedTimestamp time.Time
}

// what is the kind of the request: "create services", "update kubedirectorclusters/status".
func (r *request) what() string {
	if r.ObjectRef.Subresource != "" {
		return r.Verb + " " + r.ObjectRef.Resource + "/" + r.ObjectRef.Subresource
	}
	return r.Verb + " " + r.ObjectRef.Resource
}

// isWrite is true of a request that changes an object; an exec changes none.
func (r *request) isWrite() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.Verb) && r.ObjectRef.Subresource != "exec"
}

func (r *request) String() string {
	return fmt.Sprintf("%s %s %s %s/%s: %d", r.RequestReceivedTimestamp.Format("15:04:05.000"), r.UserAgent, r.what(), r.ObjectRef.Namespace, r.ObjectRef.Name, r.ResponseStatus.Code)
}

// mark is a place in the log, and when that was its end: the line of a request
// that was answered before may come after it.
type mark struct {
	size int64
	at   time.Time
}

// now is the end of the log.
func (a *auditLog) now(t *testing.T) mark {
	t.Helper()
	info, err := os.Stat(a.file)
	if err != nil {
		t.Fatal(err)
	}
	return mark{info.Size(), time.Now()}
}

// byController are the controller's requests since a mark, but for its Lease's
// and for watches, which client-go renews every few minutes.
func (a *auditLog) byController(t *testing.T, since mark) []*request {
	t.Helper()
	all, err := a.read(since)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(r *request) bool {
		return !strings.HasPrefix(r.UserAgent, "kubedirector/") || r.Stage != "ResponseComplete" || r.Verb == "watch" || r.ObjectRef.Resource == "leases"
	})
}

// read finds the requests that were received since a mark.
func (a *auditLog) read(since mark) ([]*request, error) {
	file, err := os.Open(a.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, err
	} else if info.Size() < since.size {
		return nil, fmt.Errorf("%s was begun anew in the middle of a test", a.file)
	}
	if _, err := file.Seek(since.size, io.SeekStart); err != nil {
		return nil, err
	}
	var requests []*request
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return requests, nil // a last line without an end is still being written
		}
		if err != nil {
			return nil, err
		}
		r := &request{}
		if err := json.Unmarshal(line, r); err != nil {
			return nil, fmt.Errorf("%s: %w", a.file, err)
		}
		if !r.RequestReceivedTimestamp.Before(since.at) {
			requests = append(requests, r)
		}
	}
}

// writes are the requests in a namespace that change something.
func writes(requests []*request, namespace string) []*request {
	return slices.DeleteFunc(requests, func(r *request) bool { return r.ObjectRef.Namespace != namespace || !r.isWrite() })
}

// count counts requests by what they are.
func count(requests []*request) map[string]int {
	counts := map[string]int{}
	for _, r := range requests {
		counts[r.what()]++
	}
	return counts
}
