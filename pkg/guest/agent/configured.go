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
	"time"
)

// probePause is how often the startup probe looks for the mark.
const probePause = 100 * time.Millisecond

// Configured waits until this container is marked configured or ctx ends, and
// tells which. The startup probe waits because each of its failures is an
// Event on the pod.
func (a *Agent) Configured(ctx context.Context) (bool, error) {
	id, err := a.Identity()
	if err != nil {
		return false, err
	}
	tick := time.NewTicker(probePause)
	defer tick.Stop()
	for {
		if a.ledger().configured(id.Incarnation) {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-tick.C:
		}
	}
}
