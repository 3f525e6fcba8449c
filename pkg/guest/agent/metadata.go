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
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// stampFile lies beside what it vouches for.
const stampFile = ".kubedirector.json"

// metadataStamp vouches for the metadata document.
type metadataStamp struct {
	Incarnation string `json:"incarnation"`
	ClusterUID  string `json:"clusterUID"`
	Generation  int64  `json:"generation"`
	SHA256      string `json:"sha256"`
}

// stageMetadata puts a request's document in place, unless the one there is
// newer. The document is readable for every user of the container, because
// applications read it from services that run as their own users.
func (a *Agent) stageMetadata(req *protocol.Request, incarnation string, progress progressFunc) *protocol.Fault {
	if req.Metadata == nil {
		return nil
	}
	dir := a.path(protocol.MountMeta)
	sum := sha256.Sum256(req.Metadata)
	want := metadataStamp{
		Incarnation: incarnation,
		ClusterUID:  req.Cluster.UID,
		Generation:  req.MetadataGeneration,
		SHA256:      hex.EncodeToString(sum[:]),
	}
	have := a.metadataStamp(incarnation)
	if have != nil && have.ClusterUID == want.ClusterUID && have.Generation > want.Generation {
		progress(protocol.StepMetadata, fmt.Sprintf("generation %d is in place and newer than %d", have.Generation, want.Generation))
		return nil
	}
	document := a.path(protocol.MountMeta, protocol.MetadataFile)
	present, err := os.ReadFile(document)
	if err == nil && have != nil && *have == want && bytes.Equal(present, req.Metadata) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return writeFault(protocol.StepMetadata, protocol.MetadataNotWritable, err)
	}
	if err := atomicfile.Write(document, req.Metadata, 0o644); err != nil {
		return writeFault(protocol.StepMetadata, protocol.MetadataNotWritable, err)
	}
	// The stamp comes last: a crash in between leaves a document that the
	// next request writes again.
	if err := atomicfile.WriteJSON(a.path(protocol.MountMeta, stampFile), want, 0o644); err != nil {
		return writeFault(protocol.StepMetadata, protocol.MetadataNotWritable, err)
	}
	progress(protocol.StepMetadata, fmt.Sprintf("generation %d is in place", want.Generation))
	return nil
}

// metadataStamp is nil unless this incarnation has a document.
func (a *Agent) metadataStamp(incarnation string) *metadataStamp {
	var stamp metadataStamp
	if !readJSON(a.path(protocol.MountMeta, stampFile), &stamp) || stamp.Incarnation != incarnation {
		return nil
	}
	return &stamp
}

// readJSON tells whether the file is there and well-formed. Our files are
// replaced atomically, so one that is neither was never finished or was
// touched by the application; either way it vouches for nothing.
func readJSON(path string, v any) bool {
	content, err := os.ReadFile(path)
	return err == nil && json.Unmarshal(content, v) == nil
}
