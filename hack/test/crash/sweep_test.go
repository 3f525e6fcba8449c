//go:build real

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

package crash

import (
	"flag"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lives is how many go side by side: most of the time they wait for kubelets.
const lives = 6

// most is more requests than a part should ever need.
const most = 60

var update = flag.Bool("update", false, "write down what the undisturbed life leads to, in testdata")

// TestCrashes lives a life in which nobody dies, and all those in which the
// controller dies in each part of it, at each request, in either way. Each part
// leads to what is written in testdata: the same objects, every script called
// once, nothing else deleted.
func TestCrashes(t *testing.T) {
	s := &sweep{parts: make([]progress, len(parts))}
	var running sync.WaitGroup
	for range lives {
		running.Go(func() {
			for f, more := s.next(); more; f, more = s.next() {
				t.Run(f.String(), func(t *testing.T) { s.live(t, f) })
			}
		})
	}
	running.Wait()
	s.report(t)
}

// sweep is the order of the lives, and what they have shown.
type sweep struct {
	mu    sync.Mutex
	begun int // lives
	parts []progress
}

// progress is what is known of a part.
type progress struct {
	// undisturbed are the requests of a controller that does not die.
	undisturbed []string
	// spared is the smallest number of a request to which a life did not come,
	// above that of the undisturbed requests; 0 while none is known.
	spared int
	// unsent and unread are what controllers died of.
	unsent, unread []string
}

// next is the fate of the next life: none, 1 unsent, 1 unread, 2 unsent …
func (s *sweep) next() (f fate, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f = fate{at: (s.begun + 1) / 2, unread: s.begun > 0 && s.begun%2 == 0}
	s.begun++
	return f, f.at <= most && s.comesTo(f, 0)
}

// comesTo is true while a part, from the given one on, may come to the request of a fate.
func (s *sweep) comesTo(f fate, from int) bool {
	return slices.ContainsFunc(s.parts[from:], func(p progress) bool { return p.spared == 0 || f.at < p.spared })
}

func (s *sweep) live(t *testing.T, f fate) {
	l := newLife(t)
	for i, p := range parts {
		s.mu.Lock()
		goes := s.comesTo(f, i)
		s.mu.Unlock()
		if !goes {
			return
		}
		led := strings.Join(l.live(t, p, f), "\n") + "\n"
		s.note(i, f, l)
		compare(t, p, f, led, l.diedOf)
		if died := len(l.diedOf) > 0; f.at == 1 && !died || f.at == most && died {
			t.Fatalf("%s: died of %q at request %d", p.name, l.diedOf, f.at)
		}
		t.Logf("%s: died of %q", p.name, l.diedOf)
	}
}

// compare compares what a part has led to with what it should lead to.
func compare(t *testing.T, p part, f fate, led string, diedOf []string) {
	t.Helper()
	file := filepath.Join("testdata", p.name+".txt")
	if *update && f.at == 0 {
		if err := os.WriteFile(file, []byte(led), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), led); diff != "" {
		t.Fatalf("%s, with a controller that died of %q, led to something else (-want +got):\n%s", p.name, diedOf, diff)
	}
}

// note keeps what a part of a life has shown.
func (s *sweep) note(part int, f fate, l *life) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.parts[part]
	switch {
	case f.at == 0:
		for _, c := range l.subject.wire.sent() {
			p.undisturbed = append(p.undisturbed, c.what(l.namespace))
		}
	case len(l.diedOf) == 0:
		if f.at > len(p.undisturbed) && (p.spared == 0 || f.at < p.spared) {
			p.spared = f.at
		}
	case f.unread:
		p.unread = append(p.unread, l.diedOf...)
	default:
		p.unsent = append(p.unsent, l.diedOf...)
	}
}

// report prints how often controllers died, and of what.
func (s *sweep) report(t *testing.T) {
	for i, p := range s.parts {
		t.Logf("%s: %d requests; %d controllers died before the Nth was sent, %d before its answer was read; N = %d was one too many",
			parts[i].name, len(p.undisturbed), len(p.unsent), len(p.unread), p.spared)
		died := map[string]bool{}
		for what, n := range counts(p.unsent, p.unread) {
			died[what] = true
			t.Logf("   %2d died of %s", n, what)
		}
		for what := range counts(p.undisturbed) {
			if !died[what] {
				t.Logf("    0 died of %s", what)
			}
		}
	}
}

// counts counts equal texts, in order.
func counts(lists ...[]string) iter.Seq2[string, int] {
	all := slices.Sorted(slices.Values(slices.Concat(lists...)))
	return func(yield func(string, int) bool) {
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n] == all[0] {
				n++
			}
			if !yield(all[0], n) {
				return
			}
			all = all[n:]
		}
	}
}
