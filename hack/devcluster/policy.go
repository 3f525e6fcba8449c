//go:build linux

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

package main

import (
	"errors"
	"io/fs"
	"os"
)

// policyPath is what Debian's packages ask whether they may start services.
const policyPath = "/usr/sbin/policy-rc.d"

// forbiddingPolicy says no. By its text a policy that a killed run left behind is told from the machine's own.
const forbiddingPolicy = "#!/bin/sh\n# Written by KubeDirector's devcluster while it installs packages.\nexit 101\n"

// forbidServices makes packages start no service until the returned function is called, which puts the machine's own
// policy back if it has one.
func forbidServices(path string) (restore func() error, err error) {
	saved := path + ".kubedirector-devcluster"
	current, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil && string(current) != forbiddingPolicy {
		if err := os.Rename(path, saved); err != nil {
			return nil, err
		}
	}
	restore = func() error {
		err := os.Rename(saved, path)
		if errors.Is(err, fs.ErrNotExist) {
			return os.Remove(path) // The machine has no policy of its own.
		}
		return err
	}
	if err := os.WriteFile(path, []byte(forbiddingPolicy), 0o755); err != nil {
		return nil, errors.Join(err, restore())
	}
	return restore, nil
}
