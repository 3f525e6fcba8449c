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
	"testing"
	"testing/iotest"
)

// FuzzReadResult looks for answers that are read differently when they come in
// pieces, or whose result does not survive being written again.
func FuzzReadResult(f *testing.F) {
	answers := goldenFiles(f, "*.jsonl")
	for _, path := range slices.Sorted(maps.Keys(answers)) {
		f.Add(answers[path])
	}
	f.Add([]byte("{\"type\":\"result\"}\n\n"))
	f.Add([]byte(`{"type":"progress","message":"x"}` + "\n" + `{"type":"result","podUID":"u","event":{"exitCode":-1,"startedAt":"0001-01-01T00:00:00Z"}}`))
	f.Add([]byte("null\nnull"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		records := 0
		result, err := ReadResult(bytes.NewReader(raw), func(Record) { records++ })
		if (result == nil) == (err == nil) {
			t.Fatalf("result %+v, error %v", result, err)
		}
		if len(raw) < 1<<12 {
			_, again := ReadResult(iotest.OneByteReader(bytes.NewReader(raw)), nil)
			if (again == nil) != (err == nil) {
				t.Errorf("in pieces: %v, else %v", again, err)
			}
		}
		if cut, broken := ReadResult(io.MultiReader(bytes.NewReader(raw), iotest.ErrReader(io.ErrUnexpectedEOF)), nil); broken == nil && cut == nil {
			t.Error("a cut answer is no answer, and no error")
		}
		if err != nil {
			if errors.Is(err, ErrNoResult) && records > bytes.Count(raw, []byte("\n"))+1 {
				t.Errorf("%d records in %q", records, raw)
			}
			return
		}
		line, err := json.Marshal(Record{Type: RecordResult, Result: result})
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadResult(bytes.NewReader(append(line, '\n')), nil)
		if len(line) >= MaxRecordBytes && err != nil {
			return
		}
		if err != nil {
			t.Fatalf("written again it is %s: %v", line, err)
		}
		if twice, _ := json.Marshal(Record{Type: RecordResult, Result: again}); !bytes.Equal(line, twice) {
			t.Errorf("written again it is %s, then %s", line, twice)
		}
	})
}
