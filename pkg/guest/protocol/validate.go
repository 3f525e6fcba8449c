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
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	eventName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	// identifier is what may become part of a file name in the ledger.
	identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

// Validate tells the first thing that is wrong with a request, by field.
func (r *Request) Validate() error {
	switch {
	case !identifier.MatchString(r.PodUID):
		return fmt.Errorf("podUID %q: must be the pod's UID", r.PodUID)
	case !identifier.MatchString(r.Cluster.UID):
		return fmt.Errorf("cluster.uid %q: must be the cluster's UID", r.Cluster.UID)
	case r.NodeID < 1:
		return fmt.Errorf("nodeID %d: must be at least 1", r.NodeID)
	case r.Leader.Epoch < 0:
		return fmt.Errorf("leader.epoch %d: must not be negative", r.Leader.Epoch)
	case r.Leader.Request < 0:
		return fmt.Errorf("leader.request %d: must not be negative", r.Leader.Request)
	case r.VolumeDir != "" && (!path.IsAbs(r.VolumeDir) || path.Clean(r.VolumeDir) != r.VolumeDir):
		return fmt.Errorf("volumeDir %q: must be a clean absolute path", r.VolumeDir)
	case r.FollowSeconds < 0 || r.FollowSeconds > MaxFollowSeconds:
		return fmt.Errorf("followSeconds %d: must be between 0 and %d", r.FollowSeconds, MaxFollowSeconds)
	case r.Metadata != nil && !isObject(r.Metadata):
		return errors.New("metadata: must be a JSON object")
	}
	switch r.MarkConfigured {
	case MarkNever, MarkHere, MarkAlways:
	default:
		return fmt.Errorf("markConfigured %q: must be %s, %s or %s", r.MarkConfigured, MarkNever, MarkHere, MarkAlways)
	}
	if err := r.Package.validate(); err != nil {
		return fmt.Errorf("package.%w", err)
	}
	if err := r.Event.validate(); err != nil {
		return fmt.Errorf("event.%w", err)
	}
	return nil
}

func isObject(raw json.RawMessage) bool {
	return strings.HasPrefix(strings.TrimSpace(string(raw)), "{")
}

func (p *Package) validate() error {
	switch {
	case p == nil:
		return nil
	case p.Source == PackageInline && len(p.Bytes) == 0:
		return errors.New("bytes: must not be empty for source inline")
	case p.Source == PackageURL && !hasFetchableScheme(p.URL):
		return fmt.Errorf("url %q: must start with http://, https:// or file://", p.URL)
	case p.Source == PackageURL && len(p.Bytes) != 0:
		return errors.New("bytes: must be empty for source url")
	case p.Source != PackageInline && p.Source != PackageURL:
		return fmt.Errorf("source %q: must be %s or %s", p.Source, PackageInline, PackageURL)
	case p.SizeLimit < 0:
		return fmt.Errorf("sizeLimit %d: must not be negative", p.SizeLimit)
	case p.SHA256 != "" && !isSHA256(p.SHA256):
		return fmt.Errorf("sha256 %q: must be 64 hexadecimal digits", p.SHA256)
	}
	return nil
}

func hasFetchableScheme(url string) bool {
	for _, scheme := range []string{"http://", "https://", "file:///"} {
		if strings.HasPrefix(url, scheme) {
			return true
		}
	}
	return false
}

func isSHA256(s string) bool {
	sum, err := hex.DecodeString(s)
	return err == nil && len(sum) == 32
}

func (e *Event) validate() error {
	if e == nil {
		return nil
	}
	switch e.Scope {
	case ScopeIncarnation, ScopeNode, ScopeNodeGeneration:
	default:
		return fmt.Errorf("scope %q: must be %s, %s or %s", e.Scope, ScopeIncarnation, ScopeNode, ScopeNodeGeneration)
	}
	switch {
	case !eventName.MatchString(e.Name):
		return fmt.Errorf("name %q: must be lower-case letters, digits, '-' and '_'", e.Name)
	case e.Attempt < 1:
		return fmt.Errorf("attempt %d: must be at least 1", e.Attempt)
	case e.Generation < 0:
		return fmt.Errorf("generation %d: must not be negative", e.Generation)
	case e.TimeoutSeconds < 1:
		return fmt.Errorf("timeoutSeconds %d: must be at least 1", e.TimeoutSeconds)
	case e.MaxOutputBytes < 0 || e.MaxOutputBytes > MaxOutputLimit:
		return fmt.Errorf("maxOutputBytes %d: must be between 0 and %d", e.MaxOutputBytes, MaxOutputLimit)
	}
	for i, arg := range e.Args {
		if len(arg) > MaxArgBytes || strings.ContainsRune(arg, 0) {
			return fmt.Errorf("args[%d]: must be at most %d bytes without a zero byte", i, MaxArgBytes)
		}
	}
	return nil
}
