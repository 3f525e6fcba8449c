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

package guest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// session is the server's end of an exec.
type session struct {
	stdin                  io.Reader
	stdout, stderr, status io.Writer
}

func (s session) end(status metav1.Status) {
	raw, err := json.Marshal(status)
	if err != nil {
		panic(err)
	}
	_, _ = s.status.Write(raw)
}

var success = metav1.Status{Status: metav1.StatusSuccess}

func exitCode(code string) metav1.Status {
	return metav1.Status{Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: code}}}}
}

// overWebSocket serves execs as an API server does.
func overWebSocket(t *testing.T, exec func(session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{remotecommand.StreamProtocolV5Name: {
			Binary: true,
			Channels: []wsstream.ChannelType{remotecommand.StreamStdIn: wsstream.ReadChannel, remotecommand.StreamStdOut: wsstream.WriteChannel,
				remotecommand.StreamStdErr: wsstream.WriteChannel, remotecommand.StreamErr: wsstream.WriteChannel, remotecommand.StreamResize: wsstream.ReadChannel},
		}})
		_, streams, err := conn.Open(w, r)
		if err != nil {
			t.Errorf("opening the WebSocket: %v", err)
			return
		}
		defer conn.Close()
		exec(session{stdin: streams[remotecommand.StreamStdIn], stdout: streams[remotecommand.StreamStdOut],
			stderr: streams[remotecommand.StreamStdErr], status: streams[remotecommand.StreamErr]})
	}
}

// overSPDY serves execs as an API server does that knows nothing of WebSocket.
func overSPDY(t *testing.T, exec func(session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.Error(w, "WebSocket is not served here", http.StatusBadRequest)
			return
		}
		if _, err := httpstream.Handshake(r, w, []string{remotecommand.StreamProtocolV4Name}); err != nil {
			t.Errorf("agreeing on a protocol: %v", err)
			return
		}
		arriving := make(chan httpstream.Stream, 4)
		conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
			arriving <- stream
			return nil
		})
		if conn == nil {
			t.Error("the connection was not upgraded")
			return
		}
		defer conn.Close()
		streams := map[string]httpstream.Stream{}
		for len(streams) < 4 {
			stream := <-arriving
			streams[stream.Headers().Get("streamType")] = stream
		}
		exec(session{stdin: streams["stdin"], stdout: streams["stdout"], stderr: streams["stderr"], status: streams["error"]})
		for _, stream := range streams {
			stream.Close()
		}
	}
}

var sparkPod = plan.Container{Pod: step("spark-worker-0").Container.Pod, PodUID: "uid", ID: "containerd://1"}

// apply has a server execute, and returns the answer and how the exec ended.
func apply(t *testing.T, ctx context.Context, handler http.HandlerFunc, request []byte) (string, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	config := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var answer bytes.Buffer
	err = NewPodExecutor(config, client.CoreV1().RESTClient()).Apply(ctx, sparkPod, request, &answer)
	return answer.String(), err
}

func TestARequestGoesInAndItsAnswerComesOut(t *testing.T) {
	request := bytes.Repeat([]byte("0123456789abcdef"), 128<<10) // 2 MiB, as a package in a ConfigMap
	echo := func(s session) {
		raw, err := io.ReadAll(s.stdin)
		if err != nil {
			t.Errorf("reading stdin: %v", err)
		}
		fmt.Fprint(s.stderr, "a warning")
		fmt.Fprintf(s.stdout, "%d bytes, %t", len(raw), bytes.Equal(raw, request))
		s.end(success)
	}
	for name, serve := range map[string]func(*testing.T, func(session)) http.HandlerFunc{"WebSocket": overWebSocket, "SPDY": overSPDY} {
		t.Run(name, func(t *testing.T) {
			served := serve(t, echo)
			var asked []string
			got, err := apply(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.Path+"?"+r.URL.RawQuery)
				served(w, r)
			}, request)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("%d bytes, true", len(request)); got != want {
				t.Errorf("answer %q, want %q", got, want)
			}
			want := "/api/v1/namespaces/ml/pods/spark-worker-0/exec?command=" + strings.ReplaceAll(protocol.MountBin, "/", "%2F") +
				"%2Fkdguest&command=apply&container=app&stderr=true&stdin=true&stdout=true"
			if diff := cmp.Diff(want, asked[0]); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhyAContainerCannotBeReached(t *testing.T) {
	status := func(code int32, reason metav1.StatusReason, message string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(int(code))
			_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
				Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message})
		}
	}
	for _, c := range []struct {
		name   string
		serve  http.HandlerFunc
		reason string
		says   string
	}{
		{"pod gone", status(404, metav1.StatusReasonNotFound, `pods "spark-worker-0" not found`), PodNotFound, `pods "spark-worker-0" not found`},
		{"forbidden", status(403, metav1.StatusReasonForbidden, "may not create pods/exec"), Forbidden, "may not create pods/exec"},
		{"kubelet knows no such container", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `container not found ("app")`, http.StatusInternalServerError)
		}, ContainerNotFound, `container not found ("app")`},
		{"node away", status(500, metav1.StatusReasonInternalError, "error dialing backend: dial tcp 10.0.0.1:10250: i/o timeout"), ExecFailed, "error dialing backend"},
		{"no guest in the container", overWebSocket(t, func(s session) {
			s.end(metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonInternalError,
				Message: `exec: "/opt/kubedirector/kdguest": stat /opt/kubedirector/kdguest: no such file or directory`})
		}), GuestMissing, "no such file or directory"},
		{"guest of another architecture", overWebSocket(t, func(s session) { s.end(exitCode("126")) }), GuestMissing, "exit code 126"},
		{"guest fails", overWebSocket(t, func(s session) {
			fmt.Fprint(s.stderr, "panic: out of memory")
			s.end(exitCode("2"))
		}), GuestFailed, "exit code 2: panic: out of memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := apply(t, t.Context(), c.serve, []byte("{}"))
			if err == nil {
				t.Fatal("no error")
			}
			got := unreachable(err)
			if got.Phase != plan.PhaseUnreachable || got.Reason != c.reason || !strings.Contains(got.Message, c.says) {
				t.Errorf("%s %s %q, want %s with %q", got.Phase, got.Reason, got.Message, c.reason, c.says)
			}
		})
	}
}

func TestTheEndOfTheContextEndsAnExec(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hangs := make(chan struct{})
	defer close(hangs)
	server := httptest.NewServer(overWebSocket(t, func(session) {
		cancel()
		<-hangs
	}))
	defer server.CloseClientConnections()
	config := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	err = NewPodExecutor(config, client.CoreV1().RESTClient()).Apply(ctx, sparkPod, []byte("{}"), io.Discard)
	if err == nil || ctx.Err() == nil {
		t.Errorf("Apply = %v, context %v; want the context's end", err, ctx.Err())
	}
}

func TestHeadKeepsTheBeginning(t *testing.T) {
	h := &head{limit: 4}
	for _, text := range []string{"ab", "cdef", "gh"} {
		if n, err := h.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("Write(%q) = %d, %v", text, n, err)
		}
	}
	if got := h.String(); got != "abcd" {
		t.Errorf("kept %q, want %q", got, "abcd")
	}
}

func TestAnAnswerThatIsNone(t *testing.T) {
	for _, c := range []struct{ answer, reason string }{
		{"Segmentation fault\n", BadAnswer},
		{`{"type":7}` + "\n", BadAnswer},
		{strings.Repeat("x", protocol.MaxRecordBytes+1), BadAnswer},
		{`{"type":"progress"}` + "\n", StreamCut},
		{"", StreamCut},
	} {
		_, err := protocol.ReadResult(strings.NewReader(c.answer), nil)
		if err == nil {
			t.Fatalf("%.20q is taken for an answer", c.answer)
		}
		if got := unreachableReason(err); got != c.reason {
			t.Errorf("%.20q: %s (%v), want %s", c.answer, got, err, c.reason)
		}
	}
}
