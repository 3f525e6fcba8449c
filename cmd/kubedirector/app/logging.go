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

package app

import (
	"flag"
	"fmt"
	"strconv"

	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/config"
)

// configureLogging sets klog's levels.
func configureLogging(c *config.KubeDirectorConfiguration) error {
	var fs flag.FlagSet
	klog.InitFlags(&fs)
	if err := fs.Set("v", strconv.Itoa(int(c.Verbosity))); err != nil {
		return fmt.Errorf("--v %d: %w", c.Verbosity, err)
	}
	if err := fs.Set("vmodule", c.VModule); err != nil {
		return fmt.Errorf("--vmodule %q: %w; write file=level, as in sync=4,pool=6", c.VModule, err)
	}
	return nil
}
