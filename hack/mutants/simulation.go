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
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	simulation = "hack/test/sim"
	limit      = "20m"
	// noShrinking keeps a walk that failed from being shortened: that it failed is all that counts here.
	noShrinking = "SHRINK=no"
)

// stages are the tests of the simulation that each mutant has to survive, those
// first that find most in the shortest time. WALKS and SEED in the environment
// are read by the tests themselves.
var stages = []string{"^(TestBudget|TestOwnWrites|TestRegression|TestWalks)", "^TestSweep"}

// bench is where mutants are tried, one at a time.
type bench struct{ root, work string }

// compile only finds out whether a mutant is Go.
func (b *bench) compile(m mutant) error {
	overlay, err := m.overlay(b.root, b.work)
	if err != nil {
		return err
	}
	return b.goCommand(append([]string{"build", "-overlay", overlay}, m.packages()...)...)
}

// try runs the simulation with a mutant, up to the first failure.
func (b *bench) try(m mutant) (verdict, error) {
	overlay, err := m.overlay(b.root, b.work)
	if err != nil {
		return verdict{}, err
	}
	program := filepath.Join(b.work, "simulation.test")
	if err := b.goCommand("test", "-c", "-vet=off", "-ldflags", "-s -w", "-overlay", overlay, "-o", program, "./"+simulation); err != nil {
		return verdict{}, err
	}
	begun, v := time.Now(), verdict{}
	for _, stage := range stages {
		if v, err = b.run(program, stage); err != nil || v.caught {
			break
		}
	}
	v.after = time.Since(begun).Round(time.Second)
	return v, err
}

// run has the simulation make one stage, up to the first failure.
func (b *bench) run(program, stage string) (verdict, error) {
	run := exec.Command(program, "-test.run", stage, "-test.v", "-test.timeout", limit)
	run.Dir = filepath.Join(b.root, simulation)
	run.Env = append(os.Environ(), noShrinking)
	said, err := run.StdoutPipe()
	if err != nil {
		return verdict{}, err
	}
	run.Stderr = run.Stdout // a panic is told there
	if err := run.Start(); err != nil {
		return verdict{}, err
	}
	v, err := listen(said)
	if v.caught {
		_ = run.Process.Kill() // it may have ended by itself
	}
	failed := run.Wait()
	if failed != nil && !v.caught {
		return v, fmt.Errorf("the simulation ended without a word: %w", failed)
	}
	return v, err
}

// goCommand runs the go command on the tree; what it says is the error. What one
// mutant has compiled serves the next, wherever its copies lie.
func (b *bench) goCommand(args ...string) error {
	command := exec.Command("go", args...)
	command.Dir = b.root
	command.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath"))
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("it does not compile: %w: %s", err, bytes.TrimSpace(said))
	}
	return nil
}
