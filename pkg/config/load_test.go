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

package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

const header = "apiVersion: " + APIVersion + "\nkind: " + Kind + "\n"

func TestDecode(t *testing.T) {
	got, err := Decode([]byte(header + `
clientConnection:
  qps: 12.5
watchNamespace: team-a
workers: 9
defaultServiceType: NodePort
leaderElection:
  leaseDuration: 30s
  renewDeadline: 20s
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.ClientConnection.QPS = 12.5
	want.WatchNamespace = "team-a"
	want.Workers = 9
	want.DefaultServiceType = corev1.ServiceTypeNodePort
	want.LeaderElection.LeaseDuration.Duration = 30 * time.Second
	want.LeaderElection.RenewDeadline.Duration = 20 * time.Second
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the file leaves out must have its default (-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"nothing":             {"", []string{`apiVersion ""`, APIVersion, Kind}},
		"another kind":        {"apiVersion: " + APIVersion + "\nkind: Pod\n", []string{`kind "Pod"`, Kind}},
		"another version":     {"apiVersion: config.kubedirector.bluedata.io/v9\nkind: " + Kind + "\n", []string{"v9", APIVersion}},
		"unknown field":       {header + "worker: 3\n", []string{`unknown field "worker"`}},
		"unknown inner field": {header + "leaderElection: {leaseSeconds: 3}\n", []string{`unknown field "leaderElection.leaseSeconds"`}},
		"two unknown fields":  {header + "a: 1\nb: 2\n", []string{`"a"`, `"b"`}},
		"another case":        {header + "Workers: 3\n", []string{`unknown field "Workers"`}},
		"field twice":         {header + "workers: 3\nworkers: 4\n", []string{"workers", "already"}},
		"another type":        {header + "workers: many\n", []string{"workers", "string", "int"}},
		"not a duration":      {header + "leaderElection: {leaseDuration: soon}\n", []string{"duration", "soon"}},
		"two documents":       {header + "---\n" + header, []string{"more than one YAML document"}},
		"not YAML":            {"{", []string{"yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Decode([]byte(test.text))
			if err == nil {
				t.Fatalf("accepted as %+v", c)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	if _, err := Load("testdata/absent.yaml"); err == nil || !strings.Contains(err.Error(), "testdata/absent.yaml") {
		t.Errorf("got %v", err)
	}
}
