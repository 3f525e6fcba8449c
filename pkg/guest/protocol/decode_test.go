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

package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestBadRequests spoils one field of a golden request at a time.
func TestBadRequests(t *testing.T) {
	tests := []struct{ field, value, want string }{
		{"podUID", `""`, "podUID"},
		{"podUID", `"../x"`, "podUID"},
		{"nodeID", `0`, "nodeID"},
		{"nodeID", `"1"`, "nodeID"},
		{"cluster", `{}`, "cluster.uid"},
		{"leader", `{"epoch":-1}`, "leader.epoch"},
		{"volumeDir", `"relative"`, "volumeDir"},
		{"volumeDir", `"/a/../b"`, "volumeDir"},
		{"followSeconds", `-1`, "followSeconds"},
		{"followSeconds", `601`, "followSeconds"},
		{"metadata", `[]`, "metadata"},
		{"markConfigured", `"Maybe"`, "markConfigured"},
		{"surprise", `1`, "surprise"},
		{"package", `{"source":"disk"}`, "package.source"},
		{"package", `{"source":"inline"}`, "package.bytes"},
		{"package", `{"source":"url","url":"ftp://x"}`, "package.url"},
		{"package", `{"source":"url","url":"http://x","bytes":"aaaa"}`, "package.bytes"},
		{"package", `{"source":"url","url":"http://x","sha256":"12"}`, "package.sha256"},
		{"package", `{"source":"url","url":"http://x","sizeLimit":-1}`, "package.sizeLimit"},
		{"event", `{"name":"configure"}`, "event.scope"},
		{"event", `{"name":"../x","scope":"Node","attempt":1,"timeoutSeconds":1}`, "event.name"},
		{"event", `{"name":"configure","scope":"Node","timeoutSeconds":1}`, "event.attempt"},
		{"event", `{"name":"configure","scope":"Node","attempt":1,"generation":-1,"timeoutSeconds":1}`, "event.generation"},
		{"event", `{"name":"configure","scope":"Node","attempt":1}`, "event.timeoutSeconds"},
		{"event", `{"name":"configure","scope":"Node","attempt":1,"timeoutSeconds":1,"maxOutputBytes":65537}`, "event.maxOutputBytes"},
		{"event", `{"name":"configure","scope":"Node","attempt":1,"timeoutSeconds":1,"args":["a\u0000"]}`, "event.args[0]"},
	}
	for _, test := range tests {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(goldenFiles(t, "request.json")["testdata/v1/request.json"], &fields); err != nil {
			t.Fatal(err)
		}
		fields[test.field] = json.RawMessage(test.value)
		raw, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		req, refusal := DecodeRequest(bytes.NewReader(raw))
		if req != nil || refusal == nil || refusal.Reason != BadRequest || !strings.Contains(refusal.Message, test.want) {
			t.Errorf("%s: %s: refusal %+v does not name %s", test.field, test.value, refusal, test.want)
		}
	}
}

func TestRequestTooLarge(t *testing.T) {
	endless := strings.NewReader(strings.Repeat(" ", MaxRequestBytes+1))
	if _, refusal := DecodeRequest(endless); refusal == nil || !strings.Contains(refusal.Message, "larger") {
		t.Errorf("refusal %+v", refusal)
	}
}

// TestRequestWithoutEnd is what a transport delivers that cannot close stdin.
func TestRequestWithoutEnd(t *testing.T) {
	open, writer := io.Pipe()
	defer writer.Close()
	raw := goldenFiles(t, "request.json")["testdata/v1/request.json"]
	if _, refusal := DecodeRequest(io.MultiReader(bytes.NewReader(raw), open)); refusal != nil {
		t.Errorf("refusal %+v", refusal)
	}
}

func TestReadResult(t *testing.T) {
	const result = `{"type":"result","protocolVersion":1,"podUID":"p","incarnation":"i","configured":true,"metadataGeneration":1}` + "\n"
	tests := []struct {
		name, answer string
		ok           bool
	}{
		{"result alone", result, true},
		{"after records and empty lines", `{"type":"progress","step":"package","message":"x"}` + "\n\n" + result, true},
		{"records of a later version", `{"type":"weather","sunny":true}` + "\n" + result, true},
		{"what follows is not read", result + "noise", true},
		{"nothing", "", false},
		{"cut off", result[:40], false},
		{"no result", `{"type":"progress","step":"package","message":"x"}` + "\n", false},
		{"noise", "panic: no\n" + result, false},
		{"endless line", strings.Repeat("x", MaxRecordBytes+1), false},
		{"endless answer", strings.Repeat(`{"type":"progress","step":"package","message":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}`+"\n", MaxAnswerBytes/80) + result, false},
	}
	for _, test := range tests {
		got, err := ReadResult(strings.NewReader(test.answer), nil)
		if (err == nil) != test.ok || test.ok && !got.Configured {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
	if _, err := ReadResult(strings.NewReader(""), nil); !errors.Is(err, ErrNoResult) {
		t.Errorf("no answer: %v", err)
	}
}

func TestCleanText(t *testing.T) {
	tests := []struct {
		raw   string
		limit int
		want  string
	}{
		{"plain\ttext\n", 100, "plain\ttext\n"},
		{"dos\r\nline\rbar", 100, "dos\nline\nbar"},
		{"\x1b[31mred\x1b[0m\x00\x07", 100, "[31mred[0m"},
		{"bad\xff\xfebytes", 100, "bad\uFFFDbytes"},
		{"hidden\u202edirection\u200b", 100, "hiddendirection"},
		{"the end counts", 6, "counts"},
		{"äöü", 3, "ü"},
		{"x", 0, ""},
	}
	for _, test := range tests {
		if got := CleanText([]byte(test.raw), test.limit); got != test.want {
			t.Errorf("CleanText(%q, %d) = %q, want %q", test.raw, test.limit, got, test.want)
		}
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add([]byte("äöü\xff\r\n"), 5)
	f.Fuzz(func(t *testing.T, raw []byte, limit int) {
		got := CleanText(raw, limit)
		if len(got) > max(limit, 0) || !utf8.ValidString(got) {
			t.Errorf("CleanText(%q, %d) = %q", raw, limit, got)
		}
	})
}

// FuzzDecodeRequest looks for requests that are accepted and do not survive
// being encoded again.
func FuzzDecodeRequest(f *testing.F) {
	goldens := goldenFiles(f, "request*.json")
	for _, path := range slices.Sorted(maps.Keys(goldens)) {
		f.Add(goldens[path])
	}
	f.Add([]byte(`{"protocolVersion":2}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		req, refusal := DecodeRequest(bytes.NewReader(raw))
		if (req == nil) == (refusal == nil) {
			t.Fatalf("request %+v, refusal %+v", req, refusal)
		}
		if req == nil {
			return
		}
		encoded, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, refusal := DecodeRequest(bytes.NewReader(encoded)); refusal != nil {
			t.Errorf("encoded again it is refused: %+v", refusal)
		}
	})
}
