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
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

const (
	// maxOutputFile bounds each output file while its script is supervised.
	maxOutputFile = 16 << 20
	// maxEndedOutput bounds it from then on.
	maxEndedOutput = 1 << 20
	// keptOutput is what stays of one that went over its bound.
	keptOutput = 512 << 10
)

// openOutput makes the attempt's two output files and shows them in the
// package's directory under the event's name, where application developers
// look for them.
func (a *Agent) openOutput(d *attemptDir) (stdout, stderr *os.File, err error) {
	if stdout, err = openAppend(d.file("stdout")); err != nil {
		return nil, nil, err
	}
	if stderr, err = openAppend(d.file("stderr")); err != nil {
		stdout.Close()
		return nil, nil, err
	}
	for _, name := range []string{"stdout", "stderr"} {
		shown := a.path(protocol.MountPackage, d.Event+"."+name)
		target, err := filepath.Rel(filepath.Dir(shown), d.file(name))
		if err == nil {
			err = atomicfile.Symlink(target, shown)
		}
		if err != nil {
			stdout.Close()
			stderr.Close()
			return nil, nil, err
		}
	}
	return stdout, stderr, nil
}

// openAppend opens for appending, so that a file cut short by capOutput goes
// on at its new end.
func openAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o644)
}

// showStatus keeps the file <event>.status as existing packages know it:
// "<who ran it>=<exit code>", with no code while it runs.
func (a *Agent) showStatus(d *attemptDir, code *int) error {
	status := d.Incarnation + "="
	if code != nil {
		status += fmt.Sprint(*code)
	}
	return atomicfile.Write(a.path(protocol.MountPackage, d.Event+".status"), []byte(status), 0o644)
}

// capSettledOutput bounds the output of attempts that do not run. What a
// script left running prints to its files for as long as it lives, and only
// requests look at them by then. Output is a help to people: what cannot be
// bounded fails no request.
func (l *ledger) capSettledOutput() error {
	entries, err := os.ReadDir(l.path("attempts"))
	if err != nil {
		return err
	}
	var failed error
	for _, entry := range entries {
		d := &attemptDir{path: l.path("attempts", entry.Name())}
		for _, name := range []string{"stdout", "stderr"} {
			info, err := os.Stat(d.file(name))
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				failed = errors.Join(failed, err)
			case info.Size() > maxEndedOutput:
				failed = errors.Join(failed, d.capSettled(name))
			}
		}
	}
	return failed
}

// capSettled bounds one output file, unless the attempt's supervisor does.
func (d *attemptDir) capSettled(name string) error {
	phase, err := d.phase()
	if err != nil || phase == attemptAlive {
		return err
	}
	file, err := os.OpenFile(d.file(name), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	return errors.Join(capOutput(file, maxEndedOutput), file.Close())
}

// capOutput keeps the end of a file that grew over the limit. It stays the
// same file, so whoever appends to it goes on at its new end; a line printed
// in the same instant may be lost.
func capOutput(file *os.File, limit int64) error {
	info, err := file.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	tail, err := readTail(file, keptOutput)
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.Write(append([]byte("[earlier output dropped]\n"), tail...))
	return err
}

func readTail(file *os.File, limit int64) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-limit)
	return io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
}

// tails are the clean ends of what an attempt printed so far.
func (d *attemptDir) tails(limit int) (stdout, stderr string) {
	return tailOf(d.file("stdout"), limit), tailOf(d.file("stderr"), limit)
}

// tailOf is empty for a file that cannot be read: output is a help to
// people, and nothing depends on it.
func tailOf(path string, limit int) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	tail, err := readTail(file, int64(limit))
	if err != nil {
		return ""
	}
	return protocol.CleanText(tail, limit)
}
