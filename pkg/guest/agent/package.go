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
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bluek8s/kubedirector/pkg/guest/agent/archive"
	"github.com/bluek8s/kubedirector/pkg/guest/agent/atomicfile"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// packageStamp vouches for the unpacked package.
type packageStamp struct {
	Incarnation string `json:"incarnation"`
	// Source is the URL, or the checksum of what came inline.
	Source string `json:"source"`
	SHA256 string `json:"sha256"`
	// Main is the top directory that holds the startscript.
	Main string `json:"main"`
	// Tops are all top directories, so that the next package can remove them.
	Tops []string `json:"tops"`
}

// packageStamp is nil unless this incarnation has a package.
func (a *Agent) packageStamp(incarnation string) *packageStamp {
	var stamp packageStamp
	if !readJSON(a.path(protocol.MountPackage, stampFile), &stamp) || stamp.Incarnation != incarnation {
		return nil
	}
	if _, err := os.Stat(a.startScript(&stamp)); err != nil {
		return nil
	}
	return &stamp
}

func (a *Agent) startScript(stamp *packageStamp) string {
	return a.path(protocol.MountPackage, stamp.Main, protocol.StartScript)
}

// provides tells whether the stamped package is the one asked for.
func (s *packageStamp) provides(pkg *protocol.Package) bool {
	switch {
	case s == nil:
		return false
	case pkg.SHA256 != "":
		return strings.EqualFold(s.SHA256, pkg.SHA256)
	default:
		return s.Source == packageIdentity(pkg)
	}
}

func packageIdentity(pkg *protocol.Package) string {
	if pkg.Source == protocol.PackageInline {
		sum := sha256.Sum256(pkg.Bytes)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return pkg.URL
}

// stagePackage puts a request's package in place. Whoever calls it holds the
// ledger's lock and knows that no script runs from the present one.
//
// refresh asks to look whether the same URL now holds other bytes, which is
// how a user corrects a script that failed. Then a server that does not
// answer is no fault: what was fetched before is still there.
func (a *Agent) stagePackage(ctx context.Context, pkg *protocol.Package, incarnation string, refresh bool, progress progressFunc) *protocol.Fault {
	have := a.packageStamp(incarnation)
	present := have.provides(pkg)
	refresh = refresh && pkg.Source == protocol.PackageURL && pkg.SHA256 == ""
	if present && !refresh {
		return nil
	}
	tell := func(message string) { progress(protocol.StepPackage, message) }
	failure := a.replacePackage(ctx, pkg, incarnation, have, tell)
	if failure == nil {
		return nil
	}
	if present && (failure.Reason == protocol.PackageUnreachable || failure.Reason == protocol.PackageNotFound) {
		tell(failure.Message + "; using what was fetched before")
		return nil
	}
	return &protocol.Fault{Step: protocol.StepPackage, Reason: failure.Reason, Message: failure.Message}
}

func (a *Agent) replacePackage(ctx context.Context, pkg *protocol.Package, incarnation string, have *packageStamp, tell func(string)) *archive.Error {
	dir := a.path(protocol.MountPackage)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return archive.WriteError(err)
	}
	// A staging directory left by a crash is garbage: the lock is ours.
	staging := filepath.Join(dir, ".staging")
	if err := removeTree(staging); err != nil {
		return archive.WriteError(err)
	}
	unpacked := filepath.Join(staging, "unpacked")
	if err := os.MkdirAll(unpacked, 0o755); err != nil {
		return archive.WriteError(err)
	}
	defer removeTree(staging)

	got, failure := a.download(ctx, pkg, filepath.Join(staging, "package.tgz"), unpacked, have, tell)
	if failure != nil || got == nil {
		return failure
	}
	tops, main, failure := archive.Tops(unpacked)
	if failure != nil {
		return failure
	}
	stamp := &packageStamp{Incarnation: incarnation, Source: packageIdentity(pkg), SHA256: got.SHA256, Main: main, Tops: tops}
	if err := a.install(unpacked, stamp); err != nil {
		return archive.WriteError(err)
	}
	tell(fmt.Sprintf("%s is in place, %d bytes, sha256 %s", main, got.Size, got.SHA256))
	return nil
}

// download gets and unpacks the package. It returns neither a download nor a
// failure when the bytes are those that are unpacked already.
func (a *Agent) download(ctx context.Context, pkg *protocol.Package, tgz, unpacked string, have *packageStamp, tell func(string)) (*archive.Download, *archive.Error) {
	file, err := os.OpenFile(tgz, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, archive.WriteError(err)
	}
	defer file.Close()
	var got archive.Download
	var failure *archive.Error
	if pkg.Source == protocol.PackageInline {
		got, failure = archive.Inline(pkg, file)
	} else {
		got, failure = a.Fetcher.Fetch(ctx, pkg, a.Root, file, tell)
	}
	if failure != nil {
		return nil, failure
	}
	if have.provides(pkg) && have.SHA256 == got.SHA256 {
		return nil, nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, archive.WriteError(err)
	}
	if failure := archive.Unpack(file, unpacked, archive.UnpackedLimit(pkg)); failure != nil {
		return nil, failure
	}
	return &got, nil
}

// install moves the unpacked directories to where applications look for them.
// Meanwhile a stamp of no container lists what may be there of the old and
// the new package: a crash leaves a package that vouches for nothing, and
// that the next one removes.
func (a *Agent) install(unpacked string, stamp *packageStamp) error {
	dir := a.path(protocol.MountPackage)
	stampPath := filepath.Join(dir, stampFile)
	var old packageStamp
	readJSON(stampPath, &old)
	if err := atomicfile.WriteJSON(stampPath, &packageStamp{Tops: slices.Concat(old.Tops, stamp.Tops)}, 0o644); err != nil {
		return err
	}
	for _, top := range old.Tops {
		if err := removeTree(filepath.Join(dir, filepath.Base(top))); err != nil {
			return err
		}
	}
	for _, top := range stamp.Tops {
		target := filepath.Join(dir, top)
		if err := removeTree(target); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(unpacked, top), target); err != nil {
			return err
		}
	}
	script := a.startScript(stamp)
	info, err := os.Stat(script)
	if err != nil {
		return err
	}
	if err := os.Chmod(script, info.Mode().Perm()|0o555); err != nil {
		return err
	}
	return atomicfile.WriteJSON(stampPath, stamp, 0o644)
}

// removeTree removes a directory also where a package made some of its
// directories read-only.
func removeTree(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			// What fails here fails again, and is told, in RemoveAll.
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
