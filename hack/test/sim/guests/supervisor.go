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

package guests

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/guest/agent"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// supervisor is the process that supervises one script.
type supervisor struct {
	kill context.CancelFunc
	gone chan struct{} // closed in the end
}

// supervise is Agent.Spawn.
func (c *container) supervise(dir string, lock *os.File) error {
	held, err := duplicate(lock)
	if err != nil {
		return err
	}
	life, kill := context.WithCancel(c.life)
	s := &supervisor{kill: kill, gone: make(chan struct{})}
	c.processes.Go(func() {
		defer close(s.gone)
		defer c.supervisorEnded()
		defer held.Close()
		defer kill()
		err := c.agent.SuperviseScript(life, dir, func(agent.Invocation) (agent.Script, error) {
			script := c.script(dir, s)
			c.guests.begin(script)
			return script, nil
		})
		if err != nil && life.Err() == nil {
			must(os.WriteFile(filepath.Join(dir, "supervisor.log"), []byte(err.Error()), 0o644))
		}
	})
	return nil
}

// duplicate gives a lock a second holder: it is held until both are closed.
func duplicate(lock *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(lock.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), lock.Name()), nil
}

// script is the one that the ledger says is to be started.
func (c *container) script(dir string, by *supervisor) *Script {
	var attempt struct {
		ClusterUID types.UID      `json:"clusterUID"`
		NodeID     int64          `json:"nodeID"`
		Event      string         `json:"event"`
		Scope      protocol.Scope `json:"scope"`
		Generation int64          `json:"generation"`
		Number     int            `json:"attempt"`
		Args       []string       `json:"args"`
	}
	var started struct{ StartedAt, Deadline time.Time }
	read(filepath.Join(dir, "attempt.json"), &attempt)
	read(filepath.Join(dir, "started.json"), &started)
	metadata, generation := c.metadata()
	return &Script{
		Namespace:          c.pod.namespace,
		Pod:                c.pod.name,
		PodUID:             c.pod.uid,
		ContainerID:        c.id,
		Incarnation:        c.incarnation,
		Claim:              c.claim,
		Cluster:            attempt.ClusterUID,
		NodeID:             attempt.NodeID,
		Event:              attempt.Event,
		Args:               attempt.Args,
		Attempt:            attempt.Number,
		Generation:         attempt.Generation,
		Scope:              attempt.Scope,
		Metadata:           metadata,
		MetadataGeneration: generation,
		StartedAt:          started.StartedAt,
		Deadline:           started.Deadline,
		container:          c,
		supervisor:         by,
		exit:               make(chan int, 1),
	}
}

func read(path string, into any) {
	content, err := os.ReadFile(path)
	must(err)
	must(json.Unmarshal(content, into))
}
