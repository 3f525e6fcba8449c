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

package agent

import (
	"os"
	"path/filepath"
	"time"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/archive"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// Agent works in one container.
type Agent struct {
	// Root is the container's root directory: "/", or a directory in tests.
	Root string
	// Getenv looks up the container's environment.
	Getenv func(string) string
	// Supervisor is the command that supervises the attempt whose ledger
	// directory is appended as the last argument.
	Supervisor []string
	// Spawn, if set, starts the supervisor of the attempt in dir in place of
	// that command. lock is the attempt's, for the supervisor to duplicate.
	Spawn func(dir string, lock *os.File) error
	// Fetcher gets packages from URLs.
	Fetcher archive.Fetcher
	// TermGrace is how long a script that is told to end may take to do so.
	TermGrace time.Duration
	// OutputCheck is how often the size of a script's output is looked at.
	OutputCheck time.Duration
	// LockWait is how long a request waits for another one to finish.
	LockWait time.Duration
}

// New returns the agent of a container. executable is the guest's own path.
func New(root, executable string, getenv func(string) string) *Agent {
	return &Agent{
		Root:        root,
		Getenv:      getenv,
		Supervisor:  []string{executable, "supervise", "--root", root},
		Fetcher:     archive.NewFetcher(),
		TermGrace:   10 * time.Second,
		OutputCheck: time.Second,
		LockWait:    10 * time.Second,
	}
}

// path is where a path of the container is seen from here.
func (a *Agent) path(elements ...string) string {
	return filepath.Join(append([]string{a.Root}, elements...)...)
}

func (a *Agent) ledger() *ledger {
	return &ledger{dir: a.path(protocol.MountState)}
}
