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
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/klog/v2"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// waitForAPI waits until the API server answers and has our kinds. Both may
// come later than the controller; what is missing is said when it changes.
func waitForAPI(ctx context.Context, api discovery.ServerResourcesInterface) error {
	logger := klog.FromContext(ctx)
	var said string
	return wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		_, err := api.ServerResourcesForGroupVersion(v1alpha1.SchemeGroupVersion.String())
		switch {
		case err == nil:
			return true, nil
		case apierrors.IsUnauthorized(err), apierrors.IsForbidden(err):
			return false, fmt.Errorf("the API server refuses these credentials: %w", err)
		case apierrors.IsNotFound(err):
			err = fmt.Errorf("%s is not served: apply the CustomResourceDefinitions, kubectl apply -f artifacts/crds", v1alpha1.SchemeGroupVersion)
		}
		if message := err.Error(); message != said {
			logger.Info("Waiting for the API", "reason", message)
			said = message
		}
		return false, nil
	})
}
