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
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lives is how many go side by side: most of the time they wait for kubelets.
const lives = 6

// most is more requests than a part should ever need.
const most = 60

// TestCrashes lives a life in which nobody dies, and all those in which the
// controller dies in each part of it, at each request, in either way. Each part
// has to lead to what it leads to undisturbed: the same objects, every script
// called once, nothing else deleted.
func TestCrashes(t *testing.T) {
	s := &sweep{parts: make([]progress, len(parts))}
	for i := range s.parts {
		s.parts[i].known = make(chan struct{})
	}
	var running sync.WaitGroup
	for range lives {
		running.Go(func() {
			for f, more := s.next(); more; f, more = s.next() {
				t.Run(f.String(), func(t *testing.T) { s.live(t, f) })
				if f.at == 0 {
					s.closeKnown()
				}
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
	// known is closed when undisturbed is: what the part leads to if nobody dies; nothing if that life has failed or was left out.
	known       chan struct{}
	undisturbed []string
	calls       int // of the undisturbed part
	// enough is the smallest number of a request to which it did not come, 0 while none is known.
	enough         int
	unsent, unread []string // what controllers died of
}

// next is the fate of the next life: undisturbed, 1 unsent, 1 unread, 2 unsent …
func (s *sweep) next() (f fate, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f = fate{at: (s.begun + 1) / 2, unread: s.begun > 0 && s.begun%2 == 0}
	s.begun++
	return f, f.at <= most && !s.spares(0, f)
}

// spares is true when no part from the given one on comes to the request of a fate.
func (s *sweep) spares(from int, f fate) bool {
	return !slices.ContainsFunc(s.parts[from:], func(p progress) bool { return p.enough == 0 || f.at < p.enough })
}

func (s *sweep) live(t *testing.T, f fate) {
	l := newLife(t)
	for i, p := range parts {
		s.mu.Lock()
		spared := s.spares(i, f)
		s.mu.Unlock()
		if spared && f.at > 0 {
			return
		}
		led := l.live(t, p, f)
		s.note(i, f, l, led)
		want := s.parts[i].wait()
		if want == nil {
			t.Fatal("the undisturbed life has failed or was left out (-run 'TestCrashes/(undisturbed|…)'), so there is nothing to compare with")
		}
		t.Logf("%s: died of %q", p.name, l.diedOf)
		if diff := cmp.Diff(want, led); diff != "" {
			t.Fatalf("%s, with a controller that died of %q, led to something else (-undisturbed +this):\n%s", p.name, l.diedOf, diff)
		}
		if died := len(l.diedOf) > 0; f.at == 1 && !died || f.at == most && died {
			t.Fatalf("%s: died of %q at request %d", p.name, l.diedOf, f.at)
		}
	}
}

// note keeps what a part of a life has shown.
func (s *sweep) note(part int, f fate, l *life, led []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.parts[part]
	switch {
	case f.at == 0:
		p.undisturbed, p.calls = led, len(l.subject.wire.sent())
		close(p.known)
	case len(l.diedOf) == 0 && (p.enough == 0 || f.at < p.enough):
		p.enough = f.at
	case f.unread:
		p.unread = append(p.unread, l.diedOf...)
	default:
		p.unsent = append(p.unsent, l.diedOf...)
	}
}

// closeKnown lets nobody wait for what the undisturbed life has not come to.
func (s *sweep) closeKnown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.parts {
		if s.parts[i].undisturbed == nil {
			close(s.parts[i].known)
		}
	}
}

func (p *progress) wait() []string {
	<-p.known
	return p.undisturbed
}

// report prints how often controllers died, and of what.
func (s *sweep) report(t *testing.T) {
	for i, p := range s.parts {
		t.Logf("%-6s  %2d requests undisturbed; %2d controllers died before the Nth was sent, %2d before its answer was read; N = %d was one too many",
			parts[i].name, p.calls, len(p.unsent), len(p.unread), p.enough)
		for of, n := range counts(p.unsent, p.unread) {
			t.Logf("        %2d times of %s", n, of)
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
