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

package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
)

// result is how a life went.
type result struct {
	seed  uint64
	steps int
	trace []step
	// broken is the first invariant that did not hold; nil: all did.
	broken *violation
	// scene is the world at that moment.
	scene string
}

// live walks the life of a seed.
func live(t *testing.T, seed uint64, length int) (res result) {
	inWorld(t, setupOf(seed), func(w *world) {
		k := &walker{world: w, rng: rand.New(rand.NewPCG(seed, 1))}
		k.walk(length)
		res = resultOf(w, k.trace[:k.lived])
	})
	res.seed = seed
	return res
}

// replay lives the life of a trace in the setup of a seed; with finish, all
// faults end after it as after a walk.
func replay(t *testing.T, seed uint64, trace []step, finish, strict bool) (res result) {
	inWorld(t, setupOf(seed), func(w *world) {
		k := &walker{world: w, rng: rand.New(rand.NewPCG(seed, 1))}
		for _, s := range trace {
			if len(w.violations) == 0 && !k.do(s) && strict {
				w.violate("each step of the story applies", "%s", s)
			}
		}
		k.lived = len(k.trace)
		if finish && len(w.violations) == 0 {
			k.finish()
		}
		res = resultOf(w, k.trace[:k.lived])
	})
	res.seed = seed
	return res
}

// inWorld lives in a fresh world, in a bubble whose time is its own.
func inWorld(t *testing.T, s setup, life func(*world)) {
	t.Helper()
	dir, err := os.MkdirTemp(shm(), "kubedirector-sim-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	synctest.Test(t, func(*testing.T) {
		w := newWorld(dir, s)
		defer w.close()
		life(w)
	})
}

// shm is where files cost least, where there is such a place.
func shm() string {
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); err == nil && info.IsDir() {
		return memory
	}
	return ""
}

func resultOf(w *world, trace []step) result {
	res := result{steps: w.steps, trace: trace}
	if len(w.violations) > 0 {
		res.broken = &w.violations[0]
		res.scene = w.describe()
	}
	return res
}

// report is what a reader of a failure needs: the invariant, a trace that reads as a story, and how to see it again.
func (r result) report(finish bool) string {
	return fmt.Sprintf("%v\n%s\nwith %s\n%s(then all faults end: %t)", r.broken, story(r.trace), setupOf(r.seed), r.scene, finish)
}
