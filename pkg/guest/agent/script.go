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
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// Invocation is how a script is to be called.
type Invocation struct {
	Script         string
	Args           []string
	Stdout, Stderr *os.File
}

// Script is one that was started.
type Script interface {
	// PID leads the script's session.
	PID() int
	// Exited gives the exit code once, when the script has ended.
	Exited() <-chan int
	// Signal is for all of the script's process group. It has no effect when
	// nothing is left.
	Signal(syscall.Signal)
}

// StartScript starts a script.
type StartScript func(Invocation) (Script, error)

// scriptProcess is a script as a process.
type scriptProcess struct {
	cmd   *exec.Cmd
	ended chan int
}

// startScriptProcess starts the script in a session of its own, from the
// directory of its package, with its output going straight to files: what it
// leaves running may print for as long as it lives, with nobody listening.
//
// The calling goroutine must be locked to its thread until the script ends:
// the kernel kills the script with the thread that started it, so that a
// script never runs on without its supervisor.
func startScriptProcess(call Invocation) (Script, error) {
	dir, environ := filepath.Dir(call.Script), scriptEnviron(os.Environ(), os.Getuid())
	cmd := scriptCommand(dir, append([]string{call.Script}, call.Args...), environ, call.Stdout, call.Stderr)
	err := cmd.Start()
	if errors.Is(err, syscall.ENOEXEC) {
		// A text without "#!" is run by the shell, as shells themselves do.
		cmd = scriptCommand(dir, append([]string{"/bin/sh", call.Script}, call.Args...), environ, call.Stdout, call.Stderr)
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	p := &scriptProcess{cmd: cmd, ended: make(chan int, 1)}
	go func() {
		// Wait's error tells of the exit code, which exitCode reads.
		_ = cmd.Wait()
		p.ended <- exitCode(cmd.ProcessState)
	}()
	return p, nil
}

func (p *scriptProcess) PID() int { return p.cmd.Process.Pid }

func (p *scriptProcess) Exited() <-chan int { return p.ended }

func (p *scriptProcess) Signal(signal syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, signal)
}

func scriptCommand(dir string, args, environ []string, stdout, stderr *os.File) *exec.Cmd {
	return &exec.Cmd{
		Path:        args[0],
		Args:        args,
		Dir:         dir,
		Env:         append(environ, "PWD="+dir),
		Stdout:      stdout,
		Stderr:      stderr,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
}

// scriptEnviron is the container's environment, completed so that a script
// finds a home and the tools that read the metadata document.
func scriptEnviron(environ []string, uid int) []string {
	path, home := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "/"
	if uid == 0 {
		home = "/root"
	}
	var rest []string
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case name == "PATH" && value != "":
			path = value
		case name == "HOME" && value != "":
			home = value
		case name != "PATH" && name != "HOME" && name != "PWD":
			rest = append(rest, variable)
		}
	}
	return append(rest, "PATH="+path+":"+protocol.MountBin, "HOME="+home)
}

// exitCode is the script's, as a shell would tell it.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// processStart is when a process of this PID namespace was started, in the
// kernel's ticks; empty when there is none.
func processStart(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	start, err := startTime(stat)
	if err != nil {
		return ""
	}
	return start
}

// killScript ends what is left of a script's session's first process group.
// The number is not trusted when another process has it by now.
func killScript(s *started) {
	if s == nil || s.PID <= 1 {
		return
	}
	if now := processStart(s.PID); now != "" && now != s.StartTime {
		return
	}
	// An error means that nothing is left.
	_ = syscall.Kill(-s.PID, syscall.SIGKILL)
}
