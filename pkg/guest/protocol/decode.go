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

package protocol

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// DecodeRequest reads one request. Every error is a refusal that says what to
// correct; a nil refusal means that the request is valid.
//
// It reads no further than the request's closing brace: not every transport
// can tell that there is no more to come.
func DecodeRequest(r io.Reader) (*Request, *Refusal) {
	limited := &io.LimitedReader{R: r, N: MaxRequestBytes}
	var raw json.RawMessage
	if err := json.NewDecoder(limited).Decode(&raw); err != nil {
		if limited.N <= 0 {
			return nil, badRequest("the request is larger than %d bytes", MaxRequestBytes)
		}
		return nil, badRequest("the request is not JSON: %v", err)
	}
	// The version decides how to read the rest, so it is read on its own.
	var head struct {
		ProtocolVersion int `json:"protocolVersion"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, badRequest("the request is not a JSON object: %v", err)
	}
	if head.ProtocolVersion < MinVersion || head.ProtocolVersion > Version {
		return nil, &Refusal{Reason: UnsupportedProtocol, Message: fmt.Sprintf(
			"protocolVersion %d: this guest serves %d to %d", head.ProtocolVersion, MinVersion, Version)}
	}
	// An unknown field is something the sender counts on and this guest would
	// not do, so it is refused rather than passed over.
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	req := &Request{}
	if err := decoder.Decode(req); err != nil {
		return nil, badRequest("%v", err)
	}
	if err := req.Validate(); err != nil {
		return nil, badRequest("%v", err)
	}
	return req, nil
}

func badRequest(format string, args ...any) *Refusal {
	return &Refusal{Reason: BadRequest, Message: fmt.Sprintf(format, args...)}
}

// ErrNoResult tells that the answer ended before its result line: the stream
// was cut, and the work may or may not have been done. Ask again.
var ErrNoResult = errors.New("the guest's answer ended without a result")

// ReadResult reads an answer to its result line. Each record before it is
// given to observe, which may be nil.
func ReadResult(r io.Reader, observe func(Record)) (*Result, error) {
	scanner := bufio.NewScanner(io.LimitReader(r, MaxAnswerBytes))
	scanner.Buffer(nil, MaxRecordBytes)
	for scanner.Scan() {
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		var record Record
		if err := json.Unmarshal(line, &record); err != nil {
			return nil, fmt.Errorf("the guest's answer holds a line that is no record: %w", err)
		}
		if record.Type == RecordResult && record.Result != nil {
			return record.Result, nil
		}
		if observe != nil {
			observe(record)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading the guest's answer: %w", err)
	}
	return nil, ErrNoResult
}
