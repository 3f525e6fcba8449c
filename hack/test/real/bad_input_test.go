//go:build real

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

package real

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// knowable is how long after a fault can be known it must be shown.
const knowable = 30 * time.Second

// badInput is something wrong that a user can do, what the cluster "c" says to
// it, and how the user mends it.
type badInput struct {
	name string
	// labels are those of the namespace.
	labels []string
	// given makes the cluster "c", and what goes with it.
	given func(*fixture)
	// condition and status, reason and parts of its message are what is shown:
	// the field or object, its value, the remedy.
	condition, reason string
	status            metav1.ConditionStatus
	says              []string
	// nothingMade: no object was made for the cluster.
	nothingMade bool
	// mend is what the user then applies. It deletes nothing that was made for the cluster.
	mend func(*fixture)
}

// invalid is a fault that is known before anything is made.
func invalid(name, reason string, says ...string) badInput {
	return badInput{name: name, condition: v1alpha1.ConditionValid, status: metav1.ConditionFalse, reason: reason, says: says, nothingMade: true}
}

// stuck is a fault that keeps a cluster, which is being made, from being ready.
func stuck(name, reason string, says ...string) badInput {
	return badInput{name: name, condition: v1alpha1.ConditionReady, status: metav1.ConditionFalse, reason: reason, says: says}
}

// when and mended complete a badInput.
func (b badInput) when(given func(*fixture)) badInput  { b.given = given; return b }
func (b badInput) mended(mend func(*fixture)) badInput { b.mend = mend; return b }
func (b badInput) in(labels ...string) badInput        { b.labels = labels; return b }

func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, input := range slices.Concat(badSpecs(), badPackages(), badScripts(), badSurroundings()) {
		t.Run(input.name, func(t *testing.T) {
			t.Parallel()
			input.check(newFixture(t, "bad", input.labels...))
		})
	}
}

// TestAppWithoutImage is refused before it is stored: kubectl apply says why.
func TestAppWithoutImage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "noimage")
	err := server.apply(t.Context(), toUnstructured(t, newApp("testapp", image(""))), f.namespace)
	if err == nil || !mentions(err.Error(), []string{"spec", "each role needs an image", "spec.defaultImageRepoTag"}) {
		t.Errorf("an app without an image is answered by: %v", err)
	}
}

// check gives the bad input, waits for what the cluster says to it, and mends it.
func (b *badInput) check(f *fixture) {
	b.given(f)
	f.within(knowable, "c", "tells what is wrong", func(cluster *v1alpha1.KubeDirectorCluster) bool {
		c := condition(cluster, b.condition)
		return c.Status == b.status && c.Reason == b.reason && c.ObservedGeneration == cluster.Generation && mentions(c.Message, b.says)
	})
	f.Log(condition(f.get("c"), b.condition).Message)
	if b.nothingMade {
		if made := f.childrenOf(f.Context(), "c"); len(made) > 0 {
			f.Errorf("made for an invalid new cluster: %v", made)
		}
		if cluster := f.get("c"); len(cluster.Finalizers) > 0 || cluster.Status.State != v1alpha1.ClusterNew {
			f.Errorf("an invalid new cluster is in state %q and has finalizers %v", cluster.Status.State, cluster.Finalizers)
		}
	}
	b.mend(f)
	f.untilReady("c")
	if valid := condition(f.get("c"), v1alpha1.ConditionValid); valid.Status != metav1.ConditionTrue {
		f.Errorf("Valid is %s once all is mended: %s", valid.Status, valid.Message)
	}
}

func mentions(message string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(message, part) })
}
