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
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

// readTimeout is how long reading a ConfigMap may take.
const readTimeout = 10 * time.Second

// check is what a look at a package found, for the clusters that wait for its user to mend it.
type check struct {
	found    plan.PackageCheck
	underway bool
	clusters map[cache.ObjectName]bool
}

// CheckPackage finds out what a ConfigMap's package is now. It returns at once;
// Changed tells when Packages has the answer.
func (p *Pool) CheckPackage(cluster cache.ObjectName, key catalog.ConfigMapKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, known := p.checks[key]
	if !known {
		c = &check{clusters: map[cache.ObjectName]bool{}, found: plan.PackageCheck{At: time.Now()}}
		p.checks[key] = c
	}
	c.clusters[cluster] = true
	if p.draining || c.underway {
		return
	}
	c.underway = true
	p.wg.Go(func() { p.look(key, c) })
}

func (p *Pool) look(key catalog.ConfigMapKey, c *check) {
	ctx, cancel := context.WithTimeout(p.ctx, readTimeout)
	defer cancel()
	found := plan.PackageCheck{}
	content, failure := p.readPackage(ctx, key)
	if failure == nil {
		found.Version = versionOf(content)
	}
	found.At = time.Now()

	p.mu.Lock()
	c.found, c.underway = found, false
	clusters := slices.Collect(maps.Keys(c.clusters))
	p.mu.Unlock()
	for _, cluster := range clusters {
		p.Changed(cluster)
	}
}

// Packages are what the looks for a cluster found.
func (p *Pool) Packages(cluster cache.ObjectName) map[catalog.ConfigMapKey]plan.PackageCheck {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[catalog.ConfigMapKey]plan.PackageCheck{}
	for key, c := range p.checks {
		if c.clusters[cluster] {
			found[key] = c.found
		}
	}
	return found
}

// packageFor is the package that goes with a request; nil leaves what is there.
func (p *Pool) packageFor(ctx context.Context, v *visit) (*protocol.Package, *plan.Outcome) {
	source := v.step.Package
	setUp := v.step.Configured == plan.ConfiguredNever
	switch {
	case source == nil:
		return nil, nil
	case v.resumes:
		// A script that runs has the package it runs from: to send what the
		// ConfigMap holds by now would only blur which one that was.
		return nil, nil
	case setUp && v.step.Event == nil:
		// Metadata must not wait for a package that nothing is to run from.
		return nil, nil
	}
	if source.ConfigMap == nil {
		return &protocol.Package{Source: protocol.PackageURL, URL: source.URL, SHA256: v.step.PackageSHA256, CABundle: p.CABundle}, nil
	}
	content, failure := p.readPackage(ctx, *source.ConfigMap)
	switch {
	case failure != nil && setUp && isAbsent(failure):
		return nil, nil // as with a URL, the package that is there will do
	case failure != nil:
		return nil, failure
	}
	return &protocol.Package{
		Source: protocol.PackageInline,
		Bytes:  content,
		URL:    fmt.Sprintf("configmap://%s/%s", source.ConfigMap.Name, source.ConfigMap.Key),
		SHA256: v.step.PackageSHA256,
	}, nil
}

// readPackage reads a package from a ConfigMap.
func (p *Pool) readPackage(ctx context.Context, key catalog.ConfigMapKey) ([]byte, *plan.Outcome) {
	fail := func(phase plan.Phase, reason, format string, args ...any) ([]byte, *plan.Outcome) {
		outcome := ended(phase, reason, fmt.Sprintf(format, args...))
		return nil, &outcome
	}
	object, err := p.ConfigMaps.ConfigMaps(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return fail(plan.PhaseWaiting, v1alpha1.ReasonWaitingForConfigMap,
			"the package is to come from configmap %s/%s key %s, which does not exist yet", key.Namespace, key.Name, key.Key)
	case err != nil:
		return fail(plan.PhaseFaulted, string(protocol.PackageUnreachable), "%s: %v", key, err)
	}
	content, ok := object.BinaryData[key.Key]
	if text, isText := object.Data[key.Key]; isText {
		content, ok = []byte(text), true
	}
	switch {
	case !ok:
		return fail(plan.PhaseFaulted, string(protocol.PackageNotFound), "configmap %s/%s has no key %s: it has %s",
			key.Namespace, key.Name, key.Key, keysOf(object.Data, object.BinaryData))
	case len(content) == 0:
		return fail(plan.PhaseFaulted, string(protocol.PackageNotTgz), "%s is empty", key)
	}
	return content, nil
}

// isAbsent is true when there is no package to be had, good or bad.
func isAbsent(failure *plan.Outcome) bool {
	return failure.Phase == plan.PhaseWaiting ||
		failure.Reason == string(protocol.PackageUnreachable) || failure.Reason == string(protocol.PackageNotFound)
}

func keysOf(text map[string]string, binary map[string][]byte) string {
	keys := slices.Sorted(maps.Keys(text))
	keys = slices.AppendSeq(keys, maps.Keys(binary))
	slices.Sort(keys)
	if len(keys) == 0 {
		return "none"
	}
	return strings.Join(keys, ", ")
}

// versionOf identifies a package's content, as guests do.
func versionOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
