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

package app

import (
	"context"
	"fmt"
	"io"

	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/version"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command until ctx ends and returns its exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := NewOptions()
	if err := o.Parse(args); err != nil {
		fmt.Fprintf(stderr, "kubedirector: %v\nSee kubedirector --help.\n", err)
		return exitUsage
	}
	switch {
	case o.showHelp:
		o.PrintHelp(stdout)
		return exitOK
	case o.showVersion:
		fmt.Fprintln(stdout, "KubeDirector", version.Get())
		return exitOK
	}

	if err := start(ctx, o); err != nil {
		klog.Flush()
		fmt.Fprintf(stderr, "kubedirector: %v\n", err)
		return exitFailed
	}
	klog.Flush()
	return exitOK
}

func start(ctx context.Context, o *Options) error {
	settings, err := o.Configuration()
	if err != nil {
		return err
	}
	if err := configureLogging(settings); err != nil {
		return err
	}
	c, err := Complete(settings)
	if err != nil {
		return err
	}
	return c.Run(ctx)
}
