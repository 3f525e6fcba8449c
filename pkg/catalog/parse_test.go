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

package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCardinality(t *testing.T) {
	for text, want := range map[string]Cardinality{
		"0": {}, "3": {Number: 3}, "0+": {OrMore: true}, "1+": {Number: 1, OrMore: true}, "1000+": {Number: 1000, OrMore: true},
	} {
		got, err := ParseCardinality(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("ParseCardinality(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "+", "-1", "1-", "1++", "+1", "one", "1 ", "1001", "99999999999999999999"} {
		if got, err := ParseCardinality(text); err == nil {
			t.Errorf("ParseCardinality(%q) = %v and no error", text, got)
		} else if !strings.Contains(err.Error(), ": ") {
			t.Errorf("ParseCardinality(%q): the error names no remedy: %v", text, err)
		}
	}
}

func TestCardinalityAllows(t *testing.T) {
	exactly, orMore := Cardinality{Number: 3}, Cardinality{Number: 1, OrMore: true}
	for _, c := range []struct {
		cardinality Cardinality
		members     int32
		want        bool
	}{
		{exactly, 2, false}, {exactly, 3, true}, {exactly, 4, false},
		{orMore, 0, false}, {orMore, 1, true}, {orMore, 500, true},
	} {
		if got := c.cardinality.Allows(c.members); got != c.want {
			t.Errorf("%s allows %d: %t, want %t", c.cardinality, c.members, got, c.want)
		}
	}
}

func TestCardinalityDesired(t *testing.T) {
	if got := (Cardinality{Number: 3}).Desired(nil); got != 3 {
		t.Errorf("nothing asked: got %d, want the app's 3", got)
	}
	if got := (Cardinality{Number: 3, OrMore: true}).Desired(new(int32)); got != 0 {
		t.Errorf("0 asked: got %d", got)
	}
}

func FuzzParseCardinality(f *testing.F) {
	for _, seed := range []string{"0", "1", "1+", "0+", "1000", "1001", "007", "+", "++", "-1", "1e3", "１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cardinality, err := ParseCardinality(text)
		if err != nil {
			return
		}
		if cardinality.Number < 0 || cardinality.Number > MaxMembers {
			t.Errorf("ParseCardinality(%q) = %v, out of range", text, cardinality)
		}
		if again, err := ParseCardinality(cardinality.String()); err != nil || again != cardinality {
			t.Errorf("%q is read as %v, which is read as %v, %v", text, cardinality, again, err)
		}
	})
}

func TestParsePackage(t *testing.T) {
	for text, want := range map[string]Package{
		"configmap://spark-setup/setup.tgz":      {ConfigMap: &ConfigMapKey{"apps", "spark-setup", "setup.tgz"}},
		"http://example.com/setup.tgz":           {URL: "http://example.com/setup.tgz"},
		"https://example.com:8443/a/setup.tgz?x": {URL: "https://example.com:8443/a/setup.tgz?x"},
		"file:///opt/setup/setup.tgz":            {URL: "file:///opt/setup/setup.tgz"},
	} {
		got, err := ParsePackage(text, "apps")
		if err != nil {
			t.Errorf("ParsePackage(%q): %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParsePackage(%q) (-want +got):\n%s", text, diff)
		}
	}
	for text, remedy := range map[string]string{
		"":                        "use http(s)://host/path, file:///path or configmap://name/key",
		"setup.tgz":               "use http(s)://host/path, file:///path or configmap://name/key",
		"ftp://example.com/a.tgz": `"ftp" is not known`,
		"HTTP://[::1/a.tgz":       "not a URL",
		"http:///a.tgz":           "the host is missing",
		"https://:8443/a.tgz":     "the host is missing",
		"file://opt/a.tgz":        "three slashes",
		"file:///":                "clean absolute path",
		"file:///opt/../a.tgz":    "clean absolute path",
		"file:///opt/a.tgz?x":     "clean absolute path",
		"file:///opt//a.tgz":      "clean absolute path",
		"file:a.tgz":              "clean absolute path",
		"configmap://setup":       "the key is missing",
		"configmap://Setup/a":     "no name of a ConfigMap",
		"configmap:///a":          "no name of a ConfigMap",
		"configmap://setup/a/b":   "no key of a ConfigMap",
		"configmap://setup/":      "no key of a ConfigMap",
		"configmap://setup/..":    "no key of a ConfigMap",
	} {
		got, err := ParsePackage(text, "apps")
		if err == nil {
			t.Errorf("ParsePackage(%q) = %v and no error", text, got)
		} else if !strings.Contains(err.Error(), remedy) {
			t.Errorf("ParsePackage(%q): %v; want %q in it", text, err, remedy)
		}
	}
}

func FuzzParsePackage(f *testing.F) {
	for _, seed := range []string{"configmap://a/b", "configmap://a/../b", "file:///a", "file:///a%2f..%2fb", "http://h/p", "https://u:p@h/p", "http://%zz", "configmap://\x00/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParsePackage(text, "apps")
		if err != nil {
			if got != (Package{}) {
				t.Errorf("ParsePackage(%q) fails and yet returns %v", text, got)
			}
			return
		}
		if (got.ConfigMap == nil) == (got.URL == "") {
			t.Errorf("ParsePackage(%q) = %v: exactly one source must be set", text, got)
		}
		if key := got.ConfigMap; key != nil && "configmap://"+key.Name+"/"+key.Key != text {
			t.Errorf("ParsePackage(%q) = %v: not what was written", text, *key)
		}
	})
}
