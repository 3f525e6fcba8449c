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

package names

import (
	"math"
	"strings"
	"testing"
)

func TestDerivedNames(t *testing.T) {
	set := StatefulSet("spark", "worker")
	pod := Pod(set, 12)
	domain := Domain(HeadlessService("spark"), "ml", "cluster.local")
	for _, c := range []struct{ what, got, want string }{
		{"headless Service", HeadlessService("spark"), "spark"},
		{"StatefulSet", set, "spark-worker"},
		{"StatefulSet of a role with capitals", StatefulSet("spark", "Worker"), "spark-worker"},
		{"StatefulSet of a role with _ and .", StatefulSet("cdh", "Edge_Node.v2"), "cdh-edge-node-v2"},
		{"pod", pod, "spark-worker-12"},
		{"member Service", MemberService(pod), "spark-worker-12-svc"},
		{"claim", Claim(pod), "persist-spark-worker-12"},
		{"revision", Revision("spark", "5f0c2d"), "spark.app-5f0c2d"},
		{"domain", domain, "spark.ml.svc.cluster.local"},
		{"FQDN", FQDN(pod, domain), "spark-worker-12.spark.ml.svc.cluster.local"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
}

// A set's name that is legal leaves room for all that is derived from it.
func TestTheLongestSetLeavesRoom(t *testing.T) {
	pod := Pod(strings.Repeat("s", MaxStatefulSet), 999)
	for _, name := range []string{pod, MemberService(pod)} {
		if len(name) > MaxLabel {
			t.Errorf("%q has %d characters, %d are the most", name, len(name), MaxLabel)
		}
	}
	if claim := Claim(pod); len(claim) > MaxFQDN {
		t.Errorf("claim %q has %d characters", claim, len(claim))
	}
}

func TestParsePod(t *testing.T) {
	for _, c := range []struct {
		pod     string
		set     string
		ordinal int
		ok      bool
	}{
		{"spark-worker-0", "spark-worker", 0, true},
		{"spark-worker-999", "spark-worker", 999, true},
		{"a-b-1-2", "a-b-1", 2, true},
		{"spark-worker", "", 0, false},
		{"spark-worker-", "", 0, false},
		{"spark-worker-01", "", 0, false},
		{"spark-worker-+1", "", 0, false},
		{"spark-worker-1 ", "", 0, false},
		{"spark-worker-99999999999999999999", "", 0, false},
		{"-1", "", 0, false},
		{"7", "", 0, false},
		{"", "", 0, false},
	} {
		set, ordinal, ok := ParsePod(c.pod)
		if set != c.set || ordinal != c.ordinal || ok != c.ok {
			t.Errorf("ParsePod(%q) = %q, %d, %t; want %q, %d, %t", c.pod, set, ordinal, ok, c.set, c.ordinal, c.ok)
		}
	}
}

func FuzzParsePod(f *testing.F) {
	for _, seed := range []string{"spark-worker-0", "a--1", "a-1-svc", "a-00", "a-+0", "--", "a-18446744073709551616", "é-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pod string) {
		set, ordinal, ok := ParsePod(pod)
		switch {
		case ok && (ordinal < 0 || set == ""):
			t.Errorf("ParsePod(%q) = %q, %d", pod, set, ordinal)
		case ok && Pod(set, ordinal) != pod:
			t.Errorf("ParsePod(%q) = %q, %d, which is pod %q", pod, set, ordinal, Pod(set, ordinal))
		case !ok && (set != "" || ordinal != 0):
			t.Errorf("ParsePod(%q) is not ok and yet returns %q, %d", pod, set, ordinal)
		}
	})
}

func TestNodeIDs(t *testing.T) {
	for _, c := range []struct {
		ids  []int64
		text string
	}{
		{nil, ""},
		{[]int64{1}, "1"},
		{[]int64{4, 5, 9, math.MaxInt64}, "4,5,9,9223372036854775807"},
	} {
		if got := FormatNodeIDs(c.ids); got != c.text {
			t.Errorf("FormatNodeIDs(%v) = %q, want %q", c.ids, got, c.text)
		}
		got, err := ParseNodeIDs(c.text)
		if err != nil || FormatNodeIDs(got) != c.text {
			t.Errorf("ParseNodeIDs(%q) = %v, %v", c.text, got, err)
		}
	}
	for _, text := range []string{"-1", "00", "1,", ",1", "1, 2", "x", "9223372036854775808"} {
		if got, err := ParseNodeIDs(text); err == nil {
			t.Errorf("ParseNodeIDs(%q) = %v and no error", text, got)
		}
	}
}

func TestSelectorIsPartOfMemberLabels(t *testing.T) {
	labels := MemberLabels("spark", "spark41", "Worker", "spark-worker-0")
	for key, value := range Selector("spark", "Worker") {
		if labels[key] != value {
			t.Errorf("label %s: a member has %q, the selector asks for %q", key, labels[key], value)
		}
	}
	for key, value := range ClusterLabels("spark", "spark41") {
		if labels[key] != value {
			t.Errorf("label %s: a member has %q, its cluster %q", key, labels[key], value)
		}
	}
	if labels[LabelMember] != "spark-worker-0" {
		t.Errorf("member label is %q", labels[LabelMember])
	}
	for key, value := range RoleLabels("spark", "spark41", "Worker") {
		if labels[key] != value {
			t.Errorf("label %s: a member has %q, its role %q", key, labels[key], value)
		}
	}
}
