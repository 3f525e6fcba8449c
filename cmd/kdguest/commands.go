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
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/bluek8s/kubedirector/pkg/guest/agent"
	"github.com/bluek8s/kubedirector/pkg/guest/agent/persist"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// flagSet makes a command's flags. All commands but install work below --root.
func flagSet(name, arguments, about string, io stdio) *pflag.FlagSet {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.SetOutput(io.err)
	flags.Usage = func() {
		fmt.Fprintf(io.out, "Usage: %s\n\n%s\n", strings.TrimSpace("kdguest "+name+" [flags] "+arguments), about)
		if flags.HasAvailableFlags() {
			fmt.Fprintf(io.out, "\nFlags:\n%s", flags.FlagUsages())
		}
	}
	return flags
}

// rootFlag lets tests, and people, work on a directory as on a container.
func rootFlag(flags *pflag.FlagSet) *string {
	return flags.String("root", rootDir(), "directory to take for the container's root")
}

// parsed tells whether to go on, and if not, with which exit code to end.
func parsed(flags *pflag.FlagSet, args []string, io stdio, arguments int) (code int, goOn bool) {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return 0, false
	case err == nil && arguments >= 0 && flags.NArg() != arguments:
		err = fmt.Errorf("%d arguments given, %d expected", flags.NArg(), arguments)
	}
	if err != nil {
		fmt.Fprintf(io.err, "kdguest %s: %v\n", flags.Name(), err)
		return 2, false
	}
	return 0, true
}

func failed(io stdio, name string, err error) int {
	fmt.Fprintf(io.err, "kdguest %s: %v\n", name, err)
	return 1
}

func install(args []string, io stdio) int {
	flags := flagSet("install", "", "Copy this binary, with the links applications call it by, to a directory.", io)
	dir := flags.String("dir", protocol.MountBin, "directory to install to")
	if code, goOn := parsed(flags, args, io, 0); !goOn {
		return code
	}
	executable, err := os.Executable()
	if err == nil {
		err = agent.Install(executable, *dir)
	}
	if err != nil {
		return failed(io, "install", err)
	}
	return 0
}

func persistDirs(args []string, io stdio) int {
	flags := flagSet("persist", "DIR...", "Copy directories of this image onto the member's volume, once.", io)
	root := rootFlag(flags)
	volume := flags.String("volume", protocol.PersistMount, "where the volume is mounted")
	if code, goOn := parsed(flags, args, io, -1); !goOn {
		return code
	}
	tell := func(line string) { fmt.Fprintln(io.out, line) }
	if err := persist.Run(*root, *volume, flags.Args(), tell); err != nil {
		return failed(io, "persist", err)
	}
	return 0
}

func apply(args []string, io stdio) int {
	flags := flagSet("apply", "", "Carry out the JSON request on stdin; answer with JSON lines on stdout.", io)
	root := rootFlag(flags)
	if code, goOn := parsed(flags, args, io, 0); !goOn {
		return code
	}
	// A listener that goes away must not end the work. The signals are caught
	// rather than ignored, because a script would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGHUP)
	a, err := newAgent(*root)
	if err == nil {
		err = a.Apply(context.Background(), io.in, io.out)
	}
	if err != nil {
		return failed(io, "apply", err)
	}
	return 0
}

func supervise(args []string, io stdio) int {
	flags := flagSet("supervise", "ATTEMPT", "Run the script of a recorded attempt to its end.", io)
	root := rootFlag(flags)
	if code, goOn := parsed(flags, args, io, 1); !goOn {
		return code
	}
	// Whoever ends a session's or a container's processes kindly means the
	// script; its supervisor stays to record how it ended.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	a, err := newAgent(*root)
	if err == nil {
		err = a.Supervise(flags.Arg(0))
	}
	if err != nil {
		return failed(io, "supervise", err)
	}
	return 0
}

func configured(args []string, io stdio) int {
	flags := flagSet("configured", "", "Wait until this container is configured; exit code 1 if it is not yet.", io)
	root := rootFlag(flags)
	wait := flags.Duration("wait", 25*time.Second, "how long to wait")
	if code, goOn := parsed(flags, args, io, 0); !goOn {
		return code
	}
	a, err := newAgent(*root)
	if err != nil {
		return failed(io, "configured", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), *wait)
	defer cancel()
	done, err := a.Configured(ctx)
	if err == nil && !done {
		err = errors.New("not configured yet")
	}
	if err != nil {
		return failed(io, "configured", err)
	}
	return 0
}

func newAgent(root string) (*agent.Agent, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return agent.New(root, executable, os.Getenv), nil
}
