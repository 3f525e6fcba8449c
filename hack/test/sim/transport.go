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

package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
)

// transport is the network between a controller and the API server, and the
// controller's own mortality: it is where a walk makes requests go wrong.
type transport struct {
	api *apiserver.Server
	// inOrder comes before each request, see world.inOrder.
	inOrder func()
	// leads is whether the process that sends may write.
	leads func() error
	// requests counts all requests.
	requests atomic.Int64
	// unled counts mutating requests that were begun by a process that does not lead.
	unled int
	// fuse is how many more writes and execs the process lives to send; negative: for ever.
	fuse  int
	burnt bool
	// unsent is true when the one at which it dies is not sent; else only its answer is lost.
	unsent bool
	dead   bool
	// stalls is true where it does not die of that one: a write waits as one that freezing has, an exec is late.
	stalls bool
	// outage has every request fail, conflicts and lost are how many writes are refused, or are done and not answered.
	outage          bool
	conflicts, lost int
	// freezing has the next write wait, within the process, until thaw is closed.
	freezing bool
	thaw     chan struct{}
}

var (
	errDead   = errors.New("the process has ended")
	errOutage = errors.New("dial tcp: connect: connection refused")
	errLost   = errors.New("http2: client connection lost")
)

func newTransport(api *apiserver.Server, inOrder func(), leads func() error) *transport {
	return &transport{api: api, inOrder: inOrder, leads: leads, fuse: -1}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	t.inOrder()
	if t.dead {
		return nil, errDead
	}
	t.requests.Add(1)
	if t.outage {
		return nil, errOutage
	}
	if request.Method == http.MethodGet {
		return t.api.RoundTrip(request)
	}
	return t.write(request)
}

func (t *transport) write(request *http.Request) (*http.Response, error) {
	if t.leads() != nil {
		t.unled++
	}
	burnt := t.burns()
	if burnt && t.stalls {
		t.freezing, t.thaw = true, make(chan struct{})
	}
	if t.freezing {
		t.freezing = false
		<-t.thaw
		if t.dead {
			return nil, errDead
		}
	}
	if burnt && !t.stalls {
		return t.last(request)
	}
	if t.conflicts > 0 {
		t.conflicts--
		return conflict(request), nil
	}
	if t.lost > 0 {
		t.lost--
		return nil, t.send(request, errLost)
	}
	return t.api.RoundTrip(request)
}

// burns counts the fuse down; true once, when it is down.
func (t *transport) burns() bool {
	if t.fuse < 0 {
		return false
	}
	t.fuse--
	t.burnt = t.fuse < 0
	return t.burnt
}

// last is the request at which the process dies.
func (t *transport) last(request *http.Request) (*http.Response, error) {
	t.dead = true
	if t.unsent {
		return nil, errDead
	}
	return nil, t.send(request, errDead)
}

// send has a request done whose answer nobody reads.
func (t *transport) send(request *http.Request, instead error) error {
	response, err := t.api.RoundTrip(request)
	if err == nil {
		response.Body.Close()
	}
	return instead
}

// conflict is the answer to a write of an object that somebody else has written meanwhile.
func conflict(request *http.Request) *http.Response {
	if request.Body != nil {
		request.Body.Close()
	}
	path := strings.Split(request.URL.Path, "/")
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure,
		Reason:   metav1.StatusReasonConflict,
		Code:     http.StatusConflict,
		Message:  path[len(path)-1] + ": the object has been modified; please apply your changes to the latest version and try again",
	})
	if err != nil {
		panic(err) // a Status is JSON
	}
	return &http.Response{
		StatusCode: http.StatusConflict,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(body)),
		Request:    request,
	}
}
