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

package plan

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// dice makes choices of the bytes that a fuzzer gives. When they are used up each
// throw is 0, so that a shorter input means a simpler world.
type dice struct{ bytes []byte }

func (d *dice) left() bool { return len(d.bytes) > 0 }

// throw is a number below n, which is at most 256.
func (d *dice) throw(n int) int {
	if len(d.bytes) == 0 {
		return 0
	}
	thrown := int(d.bytes[0]) % n
	d.bytes = d.bytes[1:]
	return thrown
}

func (d *dice) yes() bool { return d.throw(2) == 1 }

func pick[T any](d *dice, of ...T) T { return of[d.throw(len(of))] }

// number is one that the world has, or that nobody expects.
func (d *dice) number() int64 {
	return pick(d, int64(0), 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 1000, -1, 1<<31-1, 1<<31, 1<<40, -1<<31)
}

// text is what somebody may write into a field that takes any text.
func (d *dice) text() string {
	words := pick(d, "", "1", "2", "3", "2,3", "1+volume", "2+volume, 3", "0", "-1", "99999999999999999999", "c", "worker", "c-worker-0", "c-worker-1",
		"c-controller-0", "c-worker-00", "c-worker-x", "-", "\x00", "é\u2028", "{}", "null", "[]", `{"last":3}`, "2026-01-02T03:04:05Z", "a b", "long", "raw")
	switch words {
	case "long":
		return strings.Repeat("long… ", 1000)
	case "raw":
		n := min(d.throw(16), len(d.bytes))
		raw := string(d.bytes[:n])
		d.bytes = d.bytes[n:]
		return strings.ToValidUTF8(raw, "?")
	}
	return words
}

// moment is a time near the world's own, or none.
func (d *dice) moment(now time.Time) time.Time {
	seconds := pick(d, 0, -1, 1, -10, 10, -60, 60, -3600, 3600, -100000000, 100000000)
	if d.throw(6) == 5 {
		return time.Time{}
	}
	return now.Add(time.Duration(seconds) * time.Second)
}

func (d *dice) timePointer(now time.Time) *metav1.Time {
	if d.throw(3) == 2 {
		return nil
	}
	return &metav1.Time{Time: d.moment(now).Truncate(time.Second)}
}
