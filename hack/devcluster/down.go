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
	"syscall"
)

// down ends and removes everything of the devcluster but the built binaries, whatever of it there still is.
func (c *cluster) down() error {
	exists, err := c.load()
	if err != nil {
		return err
	}
	if !exists {
		c.out.say("there is no devcluster in %s", c.dir)
		return nil
	}
	return c.out.step("taking down the devcluster in "+c.dir, func() error {
		if err := c.kill(""); err != nil {
			return err
		}
		if !c.state.ControlPlaneOnly {
			if err := c.restoreMachine(); err != nil {
				return err
			}
		}
		return os.RemoveAll(c.dir)
	})
}

// restoreMachine undoes what up did outside the devcluster's folder.
func (c *cluster) restoreMachine() error {
	if err := c.removeCgroup(""); err != nil {
		return err
	}
	// After a crash of this one another may have been started: the network is that one's now.
	if other, err := c.otherOwner(); err != nil || other != "" {
		return err
	}
	if err := tearDownNetwork(); err != nil {
		return err
	}
	if err := c.restoreSysctls(); err != nil {
		return err
	}
	// A folder that is removed takes along what is mounted on it in other mount namespaces.
	if others, err := c.otherNodes(); err != nil || len(others) > 0 {
		return err
	}
	for _, path := range c.state.MountPoints {
		// Somebody else may have put something in there: that is not ours to remove.
		err := syscall.Rmdir(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	return nil
}
