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

// Command testapp-scratch is the application of the tests that has an image
// without an operating system. Without arguments it is the container's first
// process, which waits to be told to end; with arguments it is the startscript
// of its setup package, which writes down the event it is called for.
package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// events is in the one directory of the image that its user may write to.
const events = "/var/lib/testapp/events"

func main() {
	if len(os.Args) == 1 {
		wait()
		return
	}
	if err := record(os.Args[1:]); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("recorded " + os.Args[1] + "\n")
}

func wait() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
}

func record(call []string) error {
	file, err := os.OpenFile(events, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(strings.Join(call, " ") + "\n"); err != nil {
		return err
	}
	return file.Close()
}
