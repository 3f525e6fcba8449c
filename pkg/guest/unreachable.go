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

package guest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/exec"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// Reasons for which a container could not be reached.
const (
	// PodNotFound: the pod is gone.
	PodNotFound = "PodNotFound"
	// ContainerNotFound: the pod's application container does not run.
	ContainerNotFound = "ContainerNotFound"
	// Forbidden: the controller may not exec into the pod.
	Forbidden = "Forbidden"
	// GuestMissing: the container lacks the guest binary, or cannot run it.
	GuestMissing = "GuestMissing"
	// GuestFailed: the guest ended without an answer.
	GuestFailed = "GuestFailed"
	// NoAnswer: the time for an answer is over.
	NoAnswer = "NoAnswer"
	// BadAnswer: what came back is no answer to the request.
	BadAnswer = "BadAnswer"
	// StreamCut: the connection ended before the answer did.
	StreamCut = "StreamCut"
	// ExecFailed: the API server or the node's kubelet cannot connect to the container.
	ExecFailed = "ExecFailed"
)

// errNoAnswer is the cause of a context that ended because a guest was silent.
var errNoAnswer = errors.New("the guest gave no answer in time")

// unreachable is the outcome of an exchange that failed.
func unreachable(err error) plan.Outcome {
	return ended(plan.PhaseUnreachable, unreachableReason(err), err.Error())
}

func unreachableReason(err error) string {
	text := err.Error()
	exit := exec.CodeExitError{}
	switch {
	case errors.Is(err, errNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return NoAnswer
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return Forbidden
	// The API server answers so for a pod that is gone, the kubelet, in plain text, for a container.
	case apierrors.IsNotFound(err):
		return PodNotFound
	case contains(text, "container not found", "completed pod", "container is not running", "not in running state", "container not created"):
		return ContainerNotFound
	// 126 and 127 are what runtimes and shells say of a program that they cannot start.
	case contains(text, "executable file not found", "no such file or directory", "permission denied"),
		errors.As(err, &exit) && (exit.Code == 126 || exit.Code == 127):
		return GuestMissing
	case errors.As(err, &exit):
		return GuestFailed
	case isMalformed(err):
		return BadAnswer
	case errors.Is(err, protocol.ErrNoResult):
		return StreamCut
	}
	return ExecFailed
}

// isMalformed is true when the answer could be read and is none.
func isMalformed(err error) bool {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	return errors.Is(err, bufio.ErrTooLong) || errors.As(err, &syntax) || errors.As(err, &mismatch)
}

func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
