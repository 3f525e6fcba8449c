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

package resources

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

func TestNodeTolerations(t *testing.T) {
	reschedule := func(after *metav1.Duration) *v1alpha1.Recovery {
		return &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownReschedule, After: after}}
	}
	for name, test := range map[string]struct {
		recovery *v1alpha1.Recovery
		want     string
	}{
		"nothing said":         {nil, "for ever"},
		"nothing of nodes":     {&v1alpha1.Recovery{}, "for ever"},
		"no action":            {&v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{}}, "for ever"},
		"wait":                 {&v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownWait}}, "for ever"},
		"reschedule":           {reschedule(nil), "5m0s"},
		"reschedule in a time": {reschedule(&metav1.Duration{Duration: 90 * time.Second}), "1m30s"},
	} {
		t.Run(name, func(t *testing.T) {
			in := testInput(t, "Worker_1", func(in *RoleInput) { in.Cluster.Spec.Recovery = test.recovery })
			after, reschedules := RescheduleAfter(in.Cluster)
			if asked := test.want != "for ever"; reschedules != asked || asked && after.String() != test.want {
				t.Errorf("RescheduleAfter is %s, %t, want %s", after, reschedules, test.want)
			}
			got := map[string]string{}
			for _, toleration := range StatefulSet(in).Spec.Template.Spec.Tolerations {
				how := "for ever"
				if seconds := toleration.TolerationSeconds; seconds != nil {
					how = (time.Duration(*seconds) * time.Second).String()
				}
				got[fmt.Sprintf("%s %s:%s", toleration.Key, toleration.Operator, toleration.Effect)] = how
			}
			want := map[string]string{
				"node.kubernetes.io/not-ready Exists:NoExecute":   test.want,
				"node.kubernetes.io/unreachable Exists:NoExecute": test.want,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("tolerations (-want +got):\n%s", diff)
			}
		})
	}
}
