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

package archive

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// Error is a failure with the reason that the controller shows.
type Error struct {
	Reason  protocol.FaultReason
	Message string
}

func (e *Error) Error() string { return e.Message }

func fail(reason protocol.FaultReason, format string, args ...any) *Error {
	return &Error{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// WriteError tells a full disk from other failures to write.
func WriteError(err error) *Error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fail(protocol.DiskFull, "%v", err)
	}
	return fail(protocol.PackageNotWritable, "%v", err)
}
