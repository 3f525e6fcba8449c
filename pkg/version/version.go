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

// Package version says which KubeDirector this is.
package version

import "strings"

// gitVersion is set when a release is built:
//
//	go build -ldflags "-X github.com/bluek8s/kubedirector/pkg/version.gitVersion=v0.1.0"
var gitVersion = "v0.1.0-dev"

// repository holds KubeDirector's own image, which carries the controller and the guest.
const repository = "kubedirector/kubedirector"

// Get is the version as git describes it.
func Get() string { return gitVersion }

// Image is the image of this version. An image tag has no plus sign, which a
// version with build metadata does.
func Image() string {
	return repository + ":" + strings.ReplaceAll(gitVersion, "+", "-")
}
