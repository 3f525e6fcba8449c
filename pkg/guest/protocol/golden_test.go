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
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The golden files are what guests and controllers of each version exchange.
// They are never regenerated: a change that breaks one breaks running pods.

func goldenFiles(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "v*", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files %s: %v", pattern, err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		if files[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func compact(t *testing.T, raw []byte) string {
	t.Helper()
	var buffer bytes.Buffer
	if err := json.Compact(&buffer, raw); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

func TestGoldenRequests(t *testing.T) {
	for path, raw := range goldenFiles(t, "request*.json") {
		req, refusal := DecodeRequest(bytes.NewReader(raw))
		if refusal != nil {
			t.Errorf("%s: %+v", path, refusal)
			continue
		}
		encoded, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(compact(t, raw), string(encoded)); diff != "" {
			t.Errorf("%s: encoding differs (-golden +now):\n%s", path, diff)
		}
	}
}

func TestGoldenAnswers(t *testing.T) {
	for path, raw := range goldenFiles(t, "answer*.jsonl") {
		var records []Record
		result, err := ReadResult(bytes.NewReader(raw), func(r Record) { records = append(records, r) })
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var now strings.Builder
		for _, record := range append(records, Record{Type: RecordResult, Result: result}) {
			encoded, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			now.Write(append(encoded, '\n'))
		}
		if diff := cmp.Diff(string(raw), now.String()); diff != "" {
			t.Errorf("%s: encoding differs (-golden +now):\n%s", path, diff)
		}
	}
}
