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
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// ContainerStarts starts a container in a pod, in place of the one that may
// run. claims are the UIDs of claims by the names of the pod's volumes.
func (g *Guests) ContainerStarts(spec *corev1.Pod, containerID string, claims map[string]types.UID) {
	g.ContainerEnds(spec.UID)
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.find(spec.UID)
	if p == nil {
		p = &pod{uid: spec.UID, namespace: spec.Namespace, name: spec.Name}
		g.pods = append(g.pods, p)
	}
	g.containers++
	p.container = newContainer(g, p, g.containers, containerID, claims[ledgerVolume(spec)])
}

// ledgerVolume is the volume of which a part is mounted as the member's own
// ledger; empty: there is none.
func ledgerVolume(spec *corev1.Pod) string {
	for _, c := range spec.Spec.Containers {
		for _, mount := range c.VolumeMounts {
			if mount.MountPath == protocol.MountVolumeState {
				return mount.Name
			}
		}
	}
	return ""
}

// ContainerEnds kills all processes of the container that runs in a pod.
func (g *Guests) ContainerEnds(uid types.UID) {
	c := g.in(uid)
	if c == nil {
		return
	}
	for _, script := range g.Running() {
		if script.container == c {
			g.Killed(script.Number)
		}
	}
	g.mu.Lock()
	c.pod.container = nil
	g.mu.Unlock()
	c.kill()
	c.processes.Wait()
	must(os.RemoveAll(c.root))
}

// PodGone removes a pod's emptyDirs.
func (g *Guests) PodGone(uid types.UID) {
	g.ContainerEnds(uid)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pods = slices.DeleteFunc(g.pods, func(p *pod) bool { return p.uid == uid })
	must(os.RemoveAll(g.podDir(uid)))
}

// ClaimGone removes a volume.
func (g *Guests) ClaimGone(claim types.UID) { must(os.RemoveAll(g.claimDir(claim))) }

func (g *Guests) podDir(uid types.UID) string { return filepath.Join(g.dir, "pods", string(uid)) }

func (g *Guests) claimDir(claim types.UID) string {
	return filepath.Join(g.dir, "claims", string(claim))
}

// metadata is the document that this container was given. What an earlier
// container of the pod left is not.
func (c *container) metadata() (document []byte, generation int64) {
	dir := filepath.Join(c.root, protocol.MountMeta)
	content, err := os.ReadFile(filepath.Join(dir, ".kubedirector.json"))
	if err != nil {
		return nil, 0
	}
	var stamp struct {
		Incarnation string `json:"incarnation"`
		Generation  int64  `json:"generation"`
	}
	must(json.Unmarshal(content, &stamp))
	if stamp.Incarnation != c.incarnation {
		return nil, 0
	}
	document, err = os.ReadFile(filepath.Join(dir, protocol.MetadataFile))
	must(err)
	return document, stamp.Generation
}

// must is for what fails only when the machine does, whose files these are.
func must(err error) {
	if err != nil {
		panic(fmt.Errorf("a simulated disk: %w", err))
	}
}
