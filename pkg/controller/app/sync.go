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
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/cache"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	typed "github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/typed/kubedirector/v1alpha1"
	listers "github.com/bluek8s/kubedirector/pkg/generated/listers/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

// Name is the controller's name in metrics and logs.
const Name = "app"

// Syncer makes passes over apps.
type Syncer struct {
	Client typed.KubeDirectorAppsGetter
	Lister listers.KubeDirectorAppLister
}

// Sync writes the app's verdict where it is not written yet.
func (s *Syncer) Sync(ctx context.Context, key cache.ObjectName) (time.Duration, error) {
	seen, err := s.Lister.KubeDirectorApps(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) || err == nil && seen.DeletionTimestamp != nil {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	app := seen.DeepCopy()
	app.Status.ObservedGeneration = app.Generation
	meta.SetStatusCondition(&app.Status.Conditions, verdict(validate.App(app), app.Generation))
	if equality.Semantic.DeepEqual(seen.Status, app.Status) {
		return 0, nil
	}
	_, err = s.Client.KubeDirectorApps(key.Namespace).UpdateStatus(ctx, app, metav1.UpdateOptions{})
	return 0, err
}

// maxMessage is how much is said of an app's faults, well under what a condition may hold.
const maxMessage = 16 << 10

func verdict(faults field.ErrorList, generation int64) metav1.Condition {
	condition := metav1.Condition{
		Type:               v1alpha1.ConditionValid,
		Status:             metav1.ConditionTrue,
		Reason:             v1alpha1.ReasonSpecValid,
		Message:            "clusters can be made of this app",
		ObservedGeneration: generation,
	}
	if len(faults) == 0 {
		return condition
	}
	lines := make([]string, 0, len(faults))
	for _, fault := range faults {
		lines = append(lines, fault.Error())
	}
	condition.Status, condition.Reason = metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec
	if condition.Message = strings.Join(lines, "\n"); len(condition.Message) > maxMessage {
		condition.Message = strings.ToValidUTF8(condition.Message[:maxMessage], "") + "…"
	}
	return condition
}
