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

package crash

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/bluek8s/kubedirector/pkg/leader"
)

// hearing is how long a guest may take to hear what an exec asks for.
const hearing = 300 * time.Millisecond

var errDied = errors.New("this controller has died")

// fate is when a controller dies.
type fate struct {
	// at counts calls from 1; 0 is never.
	at int
	// unread is true of one that dies after it has sent the request, without reading the answer.
	unread bool
}

func (f fate) String() string {
	switch {
	case f.at == 0:
		return "undisturbed"
	case f.unread:
		return fmt.Sprintf("request %02d, unread", f.at)
	}
	return fmt.Sprintf("request %02d, unsent", f.at)
}

// call is a request that changes something, or an exec. Those about Leases are
// none, nor are Events, which are sent by the way and lead to nothing.
type call struct {
	method, path string
	// code is the answer's; 0 of a request that had none.
	code int
}

// what is "PATCH services/c".
func (c call) what(namespace string) string {
	_, object, _ := strings.Cut(c.path, "/namespaces/"+namespace+"/")
	return c.method + " " + object
}

// wire is all by which a controller can change the world, until it dies.
type wire struct {
	// exit is called when the controller has died.
	exit func()

	mu     sync.Mutex
	fate   fate
	count  int // of calls since the fate was set
	last   time.Time
	calls  []call // that were sent
	leads  bool
	dead   bool
	diedOf call
}

// await sets when the controller dies, counted from now on.
func (w *wire) await(f fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fate, w.count, w.calls = f, 0, nil
}

// verdict is what becomes of a request.
type verdict int

const (
	passes  verdict = iota
	refused         // the controller is dead
	kills           // this is what it dies of
	killsOnceSent
)

func (w *wire) judge(request *http.Request) verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return refused
	}
	if !isCall(request) {
		return passes
	}
	w.count++
	w.last = time.Now()
	if w.count != w.fate.at {
		return passes
	}
	w.dead, w.diedOf = true, call{method: request.Method, path: request.URL.Path}
	if w.fate.unread {
		return killsOnceSent
	}
	return kills
}

// answered notes the answer to a request that was sent.
func (w *wire) answered(request *http.Request, response *http.Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	code := 0
	if response != nil {
		code = response.StatusCode
	}
	switch {
	case isCall(request):
		w.last = time.Now()
		w.calls = append(w.calls, call{method: request.Method, path: request.URL.Path, code: code})
	case isLease(request) && leader.Mutates(request) && code/100 == 2 && !w.leads: // who writes the Lease leads
		w.leads, w.last = true, time.Now()
	}
}

// rests is true of a controller that leads, and for a while has had nothing to do.
func (w *wire) rests(while time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leads && !w.dead && time.Since(w.last) > while
}

// death is what request the controller has died of, if it has.
func (w *wire) death() (of call, dead bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.diedOf, w.dead
}

// sent are the calls that the controller has made so far.
func (w *wire) sent() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

func isCall(request *http.Request) bool {
	return leader.Mutates(request) && !isLease(request) && !isEvent(request)
}

func isLease(request *http.Request) bool {
	return strings.HasPrefix(request.URL.Path, "/apis/coordination.k8s.io/")
}

func isEvent(request *http.Request) bool {
	return strings.Contains(request.URL.Path, "/events")
}

// wrap is a rest.Config's WrapTransport.
func (w *wire) wrap(next http.RoundTripper) http.RoundTripper { return &mortal{wire: w, next: next} }

// mortal is one of the transports of a controller.
type mortal struct {
	wire *wire
	next http.RoundTripper
}

var _ utilnet.RoundTripperWrapper = &mortal{}

func (m *mortal) RoundTrip(request *http.Request) (*http.Response, error) {
	verdict := m.wire.judge(request)
	if verdict == refused || verdict == kills {
		if request.Body != nil {
			request.Body.Close()
		}
		if verdict == kills {
			m.wire.exit()
		}
		return nil, errDied
	}
	response, err := m.next.RoundTrip(request)
	m.wire.answered(request, response)
	if verdict == passes {
		return response, err
	}
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols {
		// What an exec asks for is sent after the upgrade. What the guest
		// answers meanwhile leads to nothing that could still be sent.
		time.AfterFunc(hearing, m.wire.exit)
		return response, nil
	}
	m.wire.exit()
	if err == nil {
		response.Body.Close()
	}
	return nil, errDied
}

// WrappedRoundTripper lets client-go reach the transport below, to close its idle connections.
func (m *mortal) WrappedRoundTripper() http.RoundTripper { return m.next }
