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
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

func TestHeadlessService(t *testing.T) {
	cluster := testCluster()
	service := HeadlessService(cluster, &cluster.Status, "spark41", Journal{})
	if !service.Spec.PublishNotReadyAddresses || service.Spec.ClusterIP != corev1.ClusterIPNone || len(service.Spec.Ports) != 0 {
		t.Errorf("not a headless Service of members that are not Ready yet: %+v", service.Spec)
	}
	if !metav1.IsControlledBy(service, cluster) {
		t.Error("the cluster does not own it")
	}
	want := map[string]string{names.AnnotationLastNodeID: "4"}
	if diff := cmp.Diff(want, service.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	status := &v1alpha1.KubeDirectorClusterStatus{
		LastNodeID: 5, LastEvent: 1,
		FirstReadyTime: ptr.To(metav1.NewTime(time.Date(2026, 5, 4, 5, 2, 1, 0, time.FixedZone("CEST", 2*60*60)))),
	}
	want = map[string]string{
		names.AnnotationLastNodeID:    "5",
		names.AnnotationPendingEvents: `{"last":1}`,
		names.AnnotationFirstReady:    "2026-05-04T03:02:01Z",
	}
	if diff := cmp.Diff(want, HeadlessService(cluster, status, "spark41", Journal{}).Annotations); diff != "" {
		t.Errorf("annotations of a cluster that was ready (-want +got):\n%s", diff)
	}
	if got := ServiceKind(service); got != "headless" {
		t.Errorf("ServiceKind is %q", got)
	}
}

func TestMemberService(t *testing.T) {
	in := testInput(t, "Worker_1")
	service := MemberService(in.Cluster, "spark41", in.Role, "spark-worker-1-0", corev1.ServiceTypeNodePort)
	want := []corev1.ServicePort{
		{Name: "worker", Protocol: corev1.ProtocolTCP, Port: 7078, TargetPort: intstr.FromInt32(7078)},
		{Name: "8081", Protocol: corev1.ProtocolTCP, Port: 8081, TargetPort: intstr.FromInt32(8081)},
	}
	if diff := cmp.Diff(want, service.Spec.Ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	if got := ServiceKind(service); got != "NodePort 7078,8081" {
		t.Errorf("ServiceKind is %q", got)
	}
	if service.Name != "spark-worker-1-0-svc" || service.Labels[names.LabelMember] != "spark-worker-1-0" {
		t.Errorf("name %q, labels %v", service.Name, service.Labels)
	}
	if unset := MemberService(in.Cluster, "spark41", in.Role, "p", ""); unset.Spec.Type != corev1.ServiceTypeClusterIP {
		t.Errorf("type by default is %s", unset.Spec.Type)
	}
	shell := testInput(t, "shell")
	if got := MemberService(shell.Cluster, "spark41", shell.Role, "p", ""); got != nil {
		t.Errorf("a role without ports has the Service %v", got)
	}
}
