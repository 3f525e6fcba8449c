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
	"regexp"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/mountinfo"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// Identity says which pod and which of its containers' lives this is.
type Identity struct {
	PodUID string
	// Incarnation is a token that no other container has, fit for file names.
	Incarnation string
}

// terminationLog is the source of the termination message mount, of which the
// kubelet makes a new one at each container start. A shared PID namespace
// makes no difference to it.
var terminationLog = regexp.MustCompile(`/pods/([^/]+)/containers/[^/]+/([0-9a-f]{8})$`)

// Identity reads who this is from the environment and the mount table.
func (a *Agent) Identity() (Identity, error) {
	podUID := a.Getenv(protocol.EnvPodUID)
	mountedUID, start, err := a.terminationLogMount()
	switch {
	case err == nil && podUID != "" && podUID != mountedUID:
		return Identity{}, fmt.Errorf("%s says that this is pod %s, the mounts say %s", protocol.EnvPodUID, podUID, mountedUID)
	case err == nil:
		return Identity{PodUID: mountedUID, Incarnation: mountedUID + "." + start}, nil
	case podUID == "":
		return Identity{}, fmt.Errorf("environment variable %s is not set, and %w", protocol.EnvPodUID, err)
	}
	start, err = a.firstProcessStart()
	if err != nil {
		return Identity{}, err
	}
	return Identity{PodUID: podUID, Incarnation: podUID + "." + start}, nil
}

func (a *Agent) terminationLogMount() (podUID, start string, err error) {
	mounts, err := mountinfo.Read(a.path("proc/self/mountinfo"))
	if err != nil {
		return "", "", err
	}
	for _, m := range mounts {
		if match := terminationLog.FindStringSubmatch(m.Root); match != nil {
			return match[1], match[2], nil
		}
	}
	return "", "", errors.New("no mount of a container's termination log is in /proc/self/mountinfo")
}

// firstProcessStart tells container starts apart where the runtime mounts no
// termination log: by the boot of the machine and the start of process 1.
func (a *Agent) firstProcessStart() (string, error) {
	boot, err := os.ReadFile(a.path("proc/sys/kernel/random/boot_id"))
	if err != nil {
		return "", err
	}
	stat, err := os.ReadFile(a.path("proc/1/stat"))
	if err != nil {
		return "", err
	}
	start, err := startTime(stat)
	if err != nil {
		return "", fmt.Errorf("/proc/1/stat: %w", err)
	}
	bootID, _, _ := strings.Cut(strings.TrimSpace(string(boot)), "-")
	return bootID + "-" + start, nil
}

// startTime is field 22 of proc_pid_stat(5). The command, field 2, may itself
// hold spaces and parentheses, so fields are counted from its last one.
func startTime(stat []byte) (string, error) {
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return "", fmt.Errorf("%q has no start time", text)
	}
	return fields[19], nil
}
