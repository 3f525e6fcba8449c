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

package real

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	systemNamespace = "kdtest-system"
	// guestConcurrency is small, so that scripts that hang would be felt by others if they held a slot.
	guestConcurrency = 4
	// stopTime is how long the controller may take to end when it is asked to.
	stopTime = 10 * time.Second
)

// controller is the program under test as a process. Its log goes on over restarts.
type controller struct {
	program string
	args    []string
	logFile string

	process *exec.Cmd
	asked   atomic.Bool // to end
	lost    atomic.Bool // it has ended without having been asked to
	ended   chan struct{}
	err     error
}

func newController(kubeconfig string) (*controller, error) {
	program, err := filepath.Abs(filepath.Join(root, "_output", "bin", "kubedirector"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w: run make build", err)
	}
	logs, err := filepath.Abs(filepath.Join(root, "_output", "test"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	authority, err := writePackageAuthority(logs)
	if err != nil {
		return nil, err
	}
	c := &controller{
		program: program,
		logFile: filepath.Join(logs, "controller.log"),
		args: []string{
			"--kubeconfig", kubeconfig,
			"--system-namespace", systemNamespace,
			"--guest-concurrency", fmt.Sprint(guestConcurrency),
			"--package-ca-file", authority,
			"--health-address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0",
			// A machine with much to do must not be one more reason to end.
			"--leader-elect-lease-duration", "60s", "--leader-elect-renew-deadline", "50s", "--leader-elect-retry-period", "1s",
			"-v", "4",
		},
	}
	return c, os.WriteFile(c.logFile, nil, 0o644)
}

func (c *controller) start() error {
	log, err := os.OpenFile(c.logFile, os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c.process = exec.Command(c.program, c.args...)
	c.process.Stdout, c.process.Stderr = log, log
	// It ends with the tests, however they end.
	c.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.process.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	c.ended = ended
	c.asked.Store(false)
	go func() {
		defer close(ended)
		c.err = c.process.Wait()
		if !c.asked.Load() {
			c.lost.Store(true)
		}
	}()
	return nil
}

// checkAlive fails when the controller has ended by itself: what waits for it waits for nothing.
func (c *controller) checkAlive() error {
	if c.lost.Load() {
		return fmt.Errorf("the controller, which all tests need, has ended by itself, see %s", c.logFile)
	}
	return nil
}

// stop asks the controller to end, as Kubernetes does, and waits until it has.
func (c *controller) stop() error {
	c.asked.Store(true)
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the controller ended before it was asked to (%v), see %s", c.err, c.logFile)
	}
	select {
	case <-c.ended:
		if c.err != nil {
			return fmt.Errorf("the controller, asked to end, ended with %w, see %s", c.err, c.logFile)
		}
		return nil
	case <-time.After(stopTime):
		c.kill()
		return fmt.Errorf("the controller did not end within %s, see %s", stopTime, c.logFile)
	}
}

// kill ends the controller in the middle of whatever it does.
func (c *controller) kill() {
	c.asked.Store(true)
	c.process.Process.Kill()
	<-c.ended
}

// expectedErrors are parts of lines that tell of nothing wrong.
var expectedErrors = []string{
	// What client-go says of a request that was cut because a newer step takes the place of its own.
	`"Unexpected error when reading response body" err="context canceled"`,
}

// unexpectedErrors are the error lines of the log that no test means to bring about.
func (c *controller) unexpectedErrors() []string {
	log, err := os.Open(c.logFile)
	if err != nil {
		return []string{err.Error()}
	}
	defer log.Close()
	var unexpected []string
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := lines.Text(); isError(line) && !expected(line) {
			unexpected = append(unexpected, line)
		}
	}
	if err := lines.Err(); err != nil {
		unexpected = append(unexpected, err.Error())
	}
	return unexpected
}

// isError is true of klog's error lines, "E1231 23:59:59.999999 …", and of a panic.
func isError(line string) bool {
	return len(line) > 5 && line[0] == 'E' && strings.Trim(line[1:5], "0123456789") == "" || strings.HasPrefix(line, "panic:")
}

func expected(line string) bool {
	for _, part := range expectedErrors {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}
