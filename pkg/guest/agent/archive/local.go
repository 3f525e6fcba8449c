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
	"bytes"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
)

// copyFile gets a package that is part of the application's image.
func copyFile(location *url.URL, pkg *protocol.Package, root string, file *os.File) (Download, *Error) {
	if location.Host != "" && location.Host != "localhost" {
		return Download{}, fail(protocol.PackageNotFound, "file URL names host %q: write file:///path", location.Host)
	}
	source, err := os.Open(filepath.Join(root, filepath.FromSlash(location.Path)))
	if errors.Is(err, fs.ErrNotExist) {
		return Download{}, fail(protocol.PackageNotFound, "no file %s in the container", location.Path)
	}
	if err != nil {
		return Download{}, fail(protocol.PackageUnreachable, "%v", err)
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return Download{}, fail(protocol.PackageUnreachable, "%v", err)
	}
	if !info.Mode().IsRegular() {
		return Download{}, fail(protocol.PackageNotTgz, "%s is no regular file", location.Path)
	}
	got, failure, _ := save(source, pkg, file)
	if failure != nil {
		return Download{}, failure
	}
	return got, verify(got, pkg)
}

// Inline writes the bytes that came with the request.
func Inline(pkg *protocol.Package, file *os.File) (Download, *Error) {
	got, failure, _ := save(bytes.NewReader(pkg.Bytes), pkg, file)
	if failure != nil {
		return Download{}, failure
	}
	return got, verify(got, pkg)
}
