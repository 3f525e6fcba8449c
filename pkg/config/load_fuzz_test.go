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
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"
)

// FuzzDecode looks for files that are accepted and not read again as they were
// written, and for settings that validation cannot judge.
func FuzzDecode(f *testing.F) {
	const head = "apiVersion: " + APIVersion + "\nkind: " + Kind + "\n"
	for _, seed := range []string{
		"", head, head + "workers: 3\nclientConnection:\n  qps: 0.5\n  burst: 1\n", head + "leaderElection: {leaseDuration: 15s, renewDeadline: 10s, retryPeriod: 2s}\n",
		head + "workers: 1\nworkers: 2\n", head + "unknown: 1\n", head + "healthAddress: \"0\"\nmetricsAddress: \":99999\"\n", head + "---\n" + head, "{}", "a: &a [*a]", head + "verbosity: 1e3\n",
		head + "clusterDomain: .\nguestImage: \" \"\ndefaultServiceType: ExternalName\n", head + "clientConnection: null\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Decode(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		for _, fault := range Validate(c) {
			if fault.Field == "" || fault.Error() == "" {
				t.Errorf("fault %#v", fault)
			}
		}
		written, err := yaml.Marshal(c)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if again, err := Decode(written); err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("written again it is\n%s\nand is read as %+v, %v; it was %+v", written, again, err, c)
		}
	})
}
