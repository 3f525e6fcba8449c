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
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openVolumes lets every user write to the volumes, those that are there and those to come: the host-path provisioner
// makes folders of root, and nothing applies a pod's fsGroup to a host path.
func openVolumes(dir string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("watching %s: %w", dir, err)
	}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_ONLYDIR); err != nil {
		return fmt.Errorf("watching %s: %w", dir, err)
	}
	go func() {
		// One event is as good as many: it only says that the folder is worth a look.
		events := make([]byte, 64*1024)
		for {
			chmodAll(dir)
			if _, err := unix.Read(fd, events); err != nil && err != unix.EINTR {
				fmt.Printf("watching %s: %v\n", dir, err)
				return
			}
		}
	}()
	return nil
}

func chmodAll(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		fmt.Printf("reading %s: %v\n", dir, err)
	}
	for _, e := range entries {
		// The volume may be deleted by now.
		if err := os.Chmod(filepath.Join(dir, e.Name()), 0o777); err != nil && !os.IsNotExist(err) {
			fmt.Println(err)
		}
	}
}
