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
	"encoding/json"
	"fmt"
	"io"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// progressFunc tells the listener what is being done.
type progressFunc func(step protocol.Step, message string)

// answer writes the records of one answer. A listener that is gone must not
// keep the work from being finished, so only the result's failure counts.
type answer struct {
	out io.Writer
	// gone, if set, is called when there is no listener any more. Some
	// container runtimes go on reading, so it is not relied on.
	gone func()
}

func (w answer) write(record protocol.Record) error {
	line, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	_, err = w.out.Write(append(line, '\n'))
	return err
}

func (w answer) progress(step protocol.Step, message string) {
	err := w.write(protocol.Record{
		Type:     protocol.RecordProgress,
		Progress: &protocol.Progress{Step: step, Message: protocol.CleanText([]byte(message), 4<<10)},
	})
	if err != nil && w.gone != nil {
		w.gone()
	}
}

func (w answer) started(attempt int, s *started) {
	// Nobody listens any more: the work goes on.
	_ = w.write(protocol.Record{
		Type:    protocol.RecordStarted,
		Started: &protocol.Started{Attempt: attempt, StartedAt: s.StartedAt, Deadline: s.Deadline},
	})
}

func (w answer) result(r *protocol.Result) error {
	return w.write(protocol.Record{Type: protocol.RecordResult, Result: r})
}
