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

package configcli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file anew")

func readTestDocument() ([]byte, error) { return os.ReadFile("testdata/configmeta.json") }

// call runs one command line and prints it as a shell would show it.
func call(line string) string {
	words := strings.Fields(line)
	var stdout, stderr bytes.Buffer
	code := Run(words[0], words[1:], readTestDocument, &stdout, &stderr)
	text := "$ " + line + "\n" + stdout.String()
	if stderr.Len() > 0 {
		text += "stderr: " + stderr.String()
	}
	if code != 0 {
		text += fmt.Sprintf("exit %d\n", code)
	}
	return text
}

// TestGolden answers every line of testdata/calls.txt that begins with "$".
func TestGolden(t *testing.T) {
	const golden = "testdata/calls.txt"
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(want)) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			got.WriteString(call(strings.TrimSuffix(command, "\n")))
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestNoDocument(t *testing.T) {
	for _, read := range []func() ([]byte, error){
		func() ([]byte, error) { return nil, errors.New("no document yet") },
		func() ([]byte, error) { return []byte("{"), nil },
	} {
		var stdout, stderr bytes.Buffer
		if code := Run("configcli", []string{"--get", "node.id"}, read, &stdout, &stderr); code != exitUnknown || stdout.Len() > 0 || stderr.Len() == 0 {
			t.Errorf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
		}
	}
}

func TestHelpNeedsNoDocument(t *testing.T) {
	never := func() ([]byte, error) { return nil, errors.New("read") }
	for _, line := range []string{"configcli", "configcli --help", "ccli -h", "configmacro --help", "bdvcli namespace --help"} {
		words := strings.Fields(line)
		var stdout, stderr bytes.Buffer
		if code := Run(words[0], words[1:], never, &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), "Usage:") {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", line, code, stdout.String(), stderr.String())
		}
	}
}

// TestCircles looks up documents whose references lead in circles.
func TestCircles(t *testing.T) {
	for _, raw := range []string{
		`{"a":{"bdvlibrefkey":["a"]}}`,
		`{"a":{"bdvlibrefkey":["b"]},"b":{"bdvlibrefkey":["a"]}}`,
		`{"a":{"bdvlibrefkey":[]}}`,
		`{"a":{"bdvlibrefkey":["a","a"]}}`,
	} {
		d, err := parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if value, ok := d.get("a.x"); ok {
			t.Errorf("%s: found %v", raw, value)
		}
	}
}

// FuzzGet looks for documents and keys that make a lookup panic or not end.
func FuzzGet(f *testing.F) {
	raw, err := readTestDocument()
	if err != nil {
		f.Fatal(err)
	}
	for _, key := range []string{"node.fqdn", "distros.bluek8s/spark.1.roles.worker.fqdns", "connections.clusters.db.services.sql.1.server.endpoints", "", ".", "a..b"} {
		f.Add(raw, key)
	}
	f.Add([]byte(`{"a":{"bdvlibrefkey":["b"]},"b":[{"bdvlibrefkey":["a"]}]}`), "a.0.0.0")
	f.Fuzz(func(t *testing.T, raw []byte, key string) {
		d, err := parse(raw)
		if err != nil {
			return
		}
		if value, ok := d.get(key); ok {
			render(value)
		}
		for subject, options := range macros {
			for option := range options {
				macro(d, []string{subject, option, key})
			}
		}
	})
}
