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
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/exec"

	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// errKilled is what an exec in a container that is killed ends with.
var errKilled = exec.CodeExitError{Err: errors.New("command terminated with exit code 137"), Code: 137}

// Apply implements guest.Executor: it brings a request to whatever container
// runs in the newest pod of a name, for pods/exec knows no UIDs. The guest's
// process lives as long as it likes, whether ctx has ended or not.
func (g *Guests) Apply(ctx context.Context, to plan.Container, request []byte, answer io.Writer) error {
	c, err := g.reach(to.Pod)
	if err != nil {
		return err
	}
	defer c.processes.Done()
	over := make(chan error, 1)
	c.requested(+1)
	c.processes.Go(func() {
		defer c.requested(-1)
		over <- c.agent.Apply(c.life, bytes.NewReader(request), &stdout{process: c.life, listener: ctx, to: answer})
	})
	select {
	case err := <-over:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.life.Done():
		return errKilled
	}
}

// Late brings a request to the container that runs now, in a process to which
// nobody listens any more and which goes on only when it is let, or ends with its container.
func (g *Guests) Late(to plan.Container, request []byte, goOn <-chan struct{}) error {
	c, err := g.reach(to.Pod)
	if err != nil {
		return err
	}
	go func() {
		defer c.processes.Done()
		select {
		case <-goOn:
		case <-c.life.Done():
			return
		}
		c.requested(+1)
		defer c.requested(-1)
		_ = c.agent.Apply(c.life, bytes.NewReader(request), &stdout{process: c.life, listener: context.Background(), to: io.Discard})
	}()
	return nil
}

// reach finds the container of an exec, and has it wait for that when it ends.
func (g *Guests) reach(name types.NamespacedName) (*container, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := len(g.pods) - 1; i >= 0; i-- {
		p := g.pods[i]
		if p.namespace != name.Namespace || p.name != name.Name {
			continue
		}
		if p.container == nil {
			return nil, fmt.Errorf("unable to upgrade connection: container not found (%q)", names.ContainerName)
		}
		p.container.processes.Add(1)
		return p.container, nil
	}
	return nil, apierrors.NewNotFound(corev1.Resource("pods"), name.Name)
}

// stdout is the guest's output on its way to a listener.
type stdout struct {
	process, listener context.Context
	to                io.Writer
}

// Write fails when nobody listens any more. A process that was killed ends
// here, and at nothing else: it changes no file between its death and its
// next word.
func (s *stdout) Write(p []byte) (int, error) {
	if s.process.Err() != nil {
		runtime.Goexit()
	}
	if s.listener.Err() != nil {
		return 0, io.ErrClosedPipe
	}
	return s.to.Write(p)
}
