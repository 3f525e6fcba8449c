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
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// HeadlessService gives the members of a cluster their DNS names. It has no
// port, so that a role may listen where it likes. A member has its name before it is
// Ready, for Ready means configured and scripts find their peers by name while they configure.
//
// Its annotations are what status is rebuilt from when it is lost; they say what the given status says.
func HeadlessService(cluster *v1alpha1.KubeDirectorCluster, status *v1alpha1.KubeDirectorClusterStatus, app string, written Journal) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: ownedMeta(cluster, names.HeadlessService(cluster.Name), names.ClusterLabels(cluster.Name, app)),
		Spec: corev1.ServiceSpec{
			Type:                     corev1.ServiceTypeClusterIP,
			ClusterIP:                corev1.ClusterIPNone,
			PublishNotReadyAddresses: true,
			Selector:                 map[string]string{names.LabelCluster: cluster.Name},
		},
	}
	service.Annotations = map[string]string{
		names.AnnotationLastNodeID: strconv.FormatInt(status.LastNodeID, 10),
	}
	if status.LastEvent == 0 {
		return service // its members' pods tell as much, and the first start is one write less
	}
	service.Annotations[names.AnnotationPendingEvents] = formatJournal(status, written)
	if first := status.FirstReadyTime; first != nil {
		service.Annotations[names.AnnotationFirstReady] = first.UTC().Format(time.RFC3339)
	}
	return service
}

// MemberService is where users reach one member; nil for a role without ports.
// Unlike the headless Service it lists a member only once it is Ready: users are
// to meet a configured application.
func MemberService(cluster *v1alpha1.KubeDirectorCluster, app string, role *catalog.Role, pod string, serviceType corev1.ServiceType) *corev1.Service {
	if !role.HasPorts() {
		return nil
	}
	if serviceType == "" {
		serviceType = corev1.ServiceTypeClusterIP
	}
	service := &corev1.Service{
		ObjectMeta: ownedMeta(cluster, names.MemberService(pod), names.MemberLabels(cluster.Name, app, role.ID, pod)),
		Spec: corev1.ServiceSpec{
			Type:     serviceType,
			Selector: map[string]string{appsv1.StatefulSetPodNameLabel: pod},
		},
	}
	for _, s := range listening(role) {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
			Name:       s.ID,
			Protocol:   corev1.ProtocolTCP,
			Port:       s.Endpoint.Port,
			TargetPort: intstr.FromInt32(s.Endpoint.Port),
		})
	}
	return service
}

// ServiceKind says in a word or two what a Service is: "headless", "ClusterIP 7077,8080".
func ServiceKind(service *corev1.Service) string {
	if service.Spec.ClusterIP == corev1.ClusterIPNone {
		return "headless"
	}
	ports := make([]string, len(service.Spec.Ports))
	for i, port := range service.Spec.Ports {
		ports[i] = strconv.Itoa(int(port.Port))
	}
	return fmt.Sprintf("%s %s", service.Spec.Type, strings.Join(ports, ","))
}

// ownedMeta is the metadata of an object that goes when its cluster goes.
func ownedMeta(cluster *v1alpha1.KubeDirectorCluster, name string, labels map[string]string) metav1.ObjectMeta {
	owner := metav1.NewControllerRef(cluster, v1alpha1.SchemeGroupVersion.WithKind("KubeDirectorCluster"))
	return metav1.ObjectMeta{
		Name:            name,
		Namespace:       cluster.Namespace,
		Labels:          labels,
		OwnerReferences: []metav1.OwnerReference{*owner},
	}
}
