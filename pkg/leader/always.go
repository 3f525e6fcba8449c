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

package leader

import (
	"context"
	"net/http"
)

// Always leads without a Lease, where there is never a second controller.
type Always struct{}

// Holds is always nil.
func (Always) Holds() error { return nil }

// Leader is no term: a guest has nothing to compare.
func (Always) Leader() (leaseUID string, epoch int64) { return "", 0 }

// Healthy is always nil.
func (Always) Healthy(*http.Request) error { return nil }

// Run has work done at once.
func (Always) Run(ctx context.Context, work func(context.Context) error) error {
	return supervise(ctx, work, nil, nil)
}
