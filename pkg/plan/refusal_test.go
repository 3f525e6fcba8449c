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
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

const overQuota = `services "c" is forbidden: exceeded quota: few, requested: services=1, used: services=3, limited: services=3`

func TestARefusedRequestIsShownUntilItIsGranted(t *testing.T) {
	w := newWorld(t, testCluster(), testApp())
	w.refuse = func(action Action) string {
		if _, is := action.(CreateService); is {
			return overQuota
		}
		return ""
	}
	for range 6 { // what is refused is asked for in each pass, so this does not settle
		w.pass()
	}
	w.expect(v1alpha1.ClusterCreating, v1alpha1.ReasonRequestRefused)
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionProgressing} {
		if message := w.condition(kind).Message; !strings.Contains(message, "create service c ") || !strings.Contains(message, overQuota) {
			t.Errorf("%s says: %s", kind, message)
		}
	}
	if again := Make(w.Observed); again.Status != nil {
		t.Errorf("the status changes though nothing happens:\n%s", again)
	}
	if told := strings.Count(strings.Join(w.lines, ""), "note Warning RequestRefused"); told != 1 {
		t.Errorf("people were told %d times", told)
	}

	w.refuse = func(Action) string { return "" }
	w.settle()
	w.expect(v1alpha1.ClusterCreating, v1alpha1.ReasonCreating)
}

func TestAReadyClusterIsNotReadyForAnEditThatIsRefused(t *testing.T) {
	w := readyWorld(t, testCluster())
	w.refuse = func(Action) string { return "exceeded quota: services.nodeports" }
	w.edit(func(spec *v1alpha1.KubeDirectorClusterSpec) { spec.ServiceType = "NodePort" })
	w.pass()
	if ready := w.condition(v1alpha1.ConditionReady); ready.ObservedGeneration == w.Cluster.Generation {
		t.Errorf("Ready is %s for a generation that is not realised", ready.Status)
	}
	for range 3 {
		w.pass()
	}
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonRequestRefused)
	if progressing := w.condition(v1alpha1.ConditionProgressing); progressing.Status != metav1.ConditionTrue {
		t.Errorf("Progressing is %s", progressing.Status)
	}
	w.refuse = func(Action) string { return "" }
	w.settle()
	w.expect(v1alpha1.ClusterReady, v1alpha1.ReasonClusterReady)
}
