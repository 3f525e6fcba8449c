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

package plan

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// Action is one thing to be done. The set of actions is closed: execute has a
// case for each, and a test fails when one is missing. Every action names the
// object as it was observed, so that it has no effect on another of that name.
type Action interface {
	// String is the action as a plan shows it, a verb and its object.
	String() string
	isAction()
}

// Refusal is an action that the API server refused for what it is: tried again it
// is refused again, until somebody has corrected what the server names.
type Refusal struct {
	// Action is the action as a plan shows it.
	Action string
	Err    error
}

// Error names action and refusal.
func (r *Refusal) Error() string { return r.Action + ": " + r.Err.Error() }

// Unwrap is what the API server said.
func (r *Refusal) Unwrap() error { return r.Err }

// Object is an object as it was observed: an action on it is refused when it has been replaced or, where Version is set, changed.
type Object struct {
	Name    string
	UID     types.UID
	Version string // resourceVersion
}

type (
	// AddFinalizer makes deletion of the cluster wait for us.
	AddFinalizer struct{}
	// RemoveFinalizer lets the cluster go.
	RemoveFinalizer struct{}

	// CreateRevision pins an app spec.
	CreateRevision struct{ Revision *appsv1.ControllerRevision }
	// DeleteRevision drops a pin that is no longer in use.
	DeleteRevision struct{ Revision Object }

	// CreateService makes a Service.
	CreateService struct{ Service *corev1.Service }
	// PatchService sets the named fields of a Service.
	PatchService struct {
		Service Object
		Patch   resources.Patch
	}
	// DeleteService removes a Service.
	DeleteService struct{ Service Object }

	// CreateSet makes a StatefulSet.
	CreateSet struct{ Set *appsv1.StatefulSet }
	// PatchSet sets the named fields of a StatefulSet.
	PatchSet struct {
		Set   Object
		Patch resources.Patch
	}
	// DeleteSet removes a StatefulSet; its pods go with it.
	DeleteSet struct{ Set Object }

	// DeletePod removes a pod, for its StatefulSet to make it anew. By force, it
	// is gone at once: its node is not asked whether it has ended.
	DeletePod struct {
		Pod   Object
		Why   string
		Force bool
	}
	// DeleteClaim removes a member's volume.
	DeleteClaim struct{ Claim Object }

	// VisitGuest has a step done in a container. It returns at once; the outcome is an observation.
	VisitGuest struct{ Step Step }
	// CheckPackage finds out what a config package holds at present. It returns at once; the answer is an observation.
	CheckPackage struct{ ConfigMap catalog.ConfigMapKey }
)

func (AddFinalizer) isAction()    {}
func (RemoveFinalizer) isAction() {}
func (CreateRevision) isAction()  {}
func (DeleteRevision) isAction()  {}
func (CreateService) isAction()   {}
func (PatchService) isAction()    {}
func (DeleteService) isAction()   {}
func (CreateSet) isAction()       {}
func (PatchSet) isAction()        {}
func (DeleteSet) isAction()       {}
func (DeletePod) isAction()       {}
func (DeleteClaim) isAction()     {}
func (VisitGuest) isAction()      {}
func (CheckPackage) isAction()    {}

func (AddFinalizer) String() string     { return "add finalizer" }
func (RemoveFinalizer) String() string  { return "remove finalizer" }
func (a CreateRevision) String() string { return "create revision " + a.Revision.Name }
func (a DeleteRevision) String() string { return "delete revision " + a.Revision.Name }
func (a CreateService) String() string {
	return fmt.Sprintf("create service %s %s", a.Service.Name, resources.ServiceKind(a.Service))
}
func (a PatchService) String() string {
	return fmt.Sprintf("patch service %s: %s", a.Service.Name, a.Patch)
}
func (a DeleteService) String() string { return "delete service " + a.Service.Name }
func (a CreateSet) String() string {
	return fmt.Sprintf("create statefulset %s replicas %d", a.Set.Name, *a.Set.Spec.Replicas)
}
func (a PatchSet) String() string {
	return fmt.Sprintf("patch statefulset %s: %s", a.Set.Name, a.Patch)
}
func (a DeleteSet) String() string { return "delete statefulset " + a.Set.Name }
func (a DeletePod) String() string {
	if a.Force {
		return fmt.Sprintf("delete pod %s by force: %s", a.Pod.Name, a.Why)
	}
	return fmt.Sprintf("delete pod %s: %s", a.Pod.Name, a.Why)
}
func (a DeleteClaim) String() string  { return "delete claim " + a.Claim.Name }
func (a VisitGuest) String() string   { return "visit " + a.Step.String() }
func (a CheckPackage) String() string { return "check package in " + a.ConfigMap.String() }
