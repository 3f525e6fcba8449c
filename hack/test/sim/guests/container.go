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

package guests

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/guest/agent"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// container is one that runs, or ran.
type container struct {
	guests      *Guests
	pod         *pod
	id          string
	incarnation string
	claim       types.UID
	root        string
	agent       *agent.Agent

	// life ends with the container.
	life context.Context
	kill context.CancelFunc
	// processes are the goroutines that stand for those in the container.
	processes sync.WaitGroup

	// Guarded by the lock of guests.
	requests int // under way
	ended    int // requests and supervisors, and requests once more when they begin
	seen     look
}

func newContainer(g *Guests, p *pod, number int, id string, claim types.UID) *container {
	token := fmt.Sprintf("%08x", number)
	c := &container{
		guests:      g,
		pod:         p,
		id:          id,
		incarnation: string(p.uid) + "." + token,
		claim:       claim,
		root:        filepath.Join(g.dir, "containers", strconv.Itoa(number)),
	}
	c.life, c.kill = context.WithCancel(context.Background())
	c.mount(token)
	c.agent = agent.New(c.root, "", func(name string) string {
		if name == protocol.EnvPodUID {
			return string(p.uid)
		}
		return ""
	})
	c.agent.Spawn = c.supervise
	// These scripts print nothing, and to look would take most of the time.
	c.agent.OutputCheck = 24 * time.Hour
	return c
}

// mount makes the root file system, with what outlives it.
func (c *container) mount(token string) {
	mounts := filepath.Join(c.root, "proc/self/mountinfo")
	must(os.MkdirAll(filepath.Dir(mounts), 0o755))
	line := fmt.Sprintf("2 1 8:1 /var/lib/kubelet/pods/%s/containers/app/%s /dev/termination-log rw - ext4 /dev/sda1 rw\n", c.pod.uid, token)
	must(os.WriteFile(mounts, []byte(line), 0o644))
	emptyDirs := c.guests.podDir(c.pod.uid)
	c.bind(filepath.Join(emptyDirs, "state"), protocol.MountState)
	c.bind(filepath.Join(emptyDirs, "metadata"), protocol.MountMeta)
	c.bind(filepath.Join(emptyDirs, "package"), protocol.MountPackage)
	if c.claim != "" {
		c.bind(c.guests.claimDir(c.claim), protocol.MountVolumeState)
	}
}

// bind shows a directory, which may be there from an earlier container.
func (c *container) bind(dir, path string) {
	seen := filepath.Join(c.root, path)
	must(os.MkdirAll(dir, 0o777))
	must(os.MkdirAll(filepath.Dir(seen), 0o755))
	must(os.Symlink(dir, seen))
}
