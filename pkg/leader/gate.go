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

package leader

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// ErrNotLeader is why a request was not sent. It may succeed later, should this process lead again.
var ErrNotLeader = errors.New("not the leader")

// Gate is what requests of the controller go through.
type Gate struct {
	holds func() error
}

// NewGate makes a Gate that is open while holds returns nil.
func NewGate(holds func() error) *Gate { return &Gate{holds: holds} }

// Allow says whether a request that changes something may start now. Its error is an ErrNotLeader.
func (g *Gate) Allow() error {
	if err := g.holds(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotLeader, err)
	}
	return nil
}

// Wrap puts the Gate before a transport; it is a rest.Config's WrapTransport.
// Client-go wraps the round trippers that upgrade to WebSocket and SPDY the same way.
func (g *Gate) Wrap(next http.RoundTripper) http.RoundTripper {
	return &gatedTransport{gate: g, next: next}
}

type gatedTransport struct {
	gate *Gate
	next http.RoundTripper
}

var _ utilnet.RoundTripperWrapper = &gatedTransport{}

// RoundTrip is called anew for each retry of a request.
func (t *gatedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if Mutates(request) {
		if err := t.gate.Allow(); err != nil {
			refusedRequests.Inc()
			closeBody(request)
			return nil, fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, err)
		}
	}
	return t.next.RoundTrip(request)
}

// WrappedRoundTripper lets client-go reach the transport below, to close its idle connections.
func (t *gatedTransport) WrappedRoundTripper() http.RoundTripper { return t.next }

// closeBody is a round tripper's duty even when it sends nothing.
func closeBody(request *http.Request) {
	if request.Body != nil {
		_ = request.Body.Close() // nothing was read from it, so nothing is lost
	}
}

// Mutates is true of every request but those known to change nothing.
func Mutates(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return reachesContainer(request.URL.Path)
	case http.MethodPost:
		return !asksAboutSelf(request.URL.Path)
	default:
		return true
	}
}

// containerSubresources of a pod open a connection into it; over WebSocket they are opened by GET.
var containerSubresources = []string{"exec", "attach", "portforward", "proxy"}

// reachesContainer is true of …/namespaces/NAMESPACE/pods/NAME/exec and the like.
func reachesContainer(path string) bool {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, segment := range segments {
		if segment == "namespaces" && i+4 < len(segments) && segments[i+2] == "pods" {
			return slices.Contains(containerSubresources, segments[i+4])
		}
	}
	return false
}

// selfReviews are POSTed, stored nowhere and change nothing.
var selfReviews = []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}

func asksAboutSelf(path string) bool {
	group, resource, found := strings.Cut(strings.TrimPrefix(path, "/apis/"), "/v1/")
	return found && (group == "authorization.k8s.io" || group == "authentication.k8s.io") && slices.Contains(selfReviews, resource)
}
