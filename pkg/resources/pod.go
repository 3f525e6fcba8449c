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
	"math"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/names"
)

func podTemplate(in *RoleInput) corev1.PodTemplateSpec {
	spec := corev1.PodSpec{
		InitContainers:  []corev1.Container{installContainer(in)},
		Containers:      []corev1.Container{appContainer(in)},
		Volumes:         append(guestVolumes(), systemdVolumes(in)...),
		SecurityContext: podSecurity(in),
		Tolerations:     nodeTolerations(in.Cluster),
		// A namespace with 2000 Services would put 14000 variables into each container.
		EnableServiceLinks: ptr.To(false),
		// The application and the guest need nothing from the API server.
		AutomountServiceAccountToken: ptr.To(false),
		// The name of a pod alone finds the pod.
		DNSConfig: &corev1.PodDNSConfig{Searches: []string{
			names.Domain(names.HeadlessService(in.Cluster.Name), in.Cluster.Namespace, in.ClusterDomain),
		}},
	}
	if in.keepsDirs() {
		spec.InitContainers = append(spec.InitContainers, persistContainer(in))
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: roleLabels(in), Annotations: podAnnotations(in)},
		Spec:       spec,
	}
}

// podAnnotations say what the pod was rendered from, and which container kubectl exec and logs mean.
func podAnnotations(in *RoleInput) map[string]string {
	annotations := renderedBy(in)
	annotations["kubectl.kubernetes.io/default-container"] = names.ContainerName
	return annotations
}

func appContainer(in *RoleInput) corev1.Container {
	spec := in.Role.ContainerSpec
	return corev1.Container{
		Name:            names.ContainerName,
		Image:           in.Role.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         spec.Command,
		Args:            spec.Args,
		Stdin:           spec.Stdin,
		TTY:             spec.TTY,
		Env:             appEnv(in),
		Ports:           appPorts(in),
		Resources:       in.Spec.Resources,
		VolumeMounts:    slices.Concat(guestMounts(), volumeMounts(in), systemdMounts(in)),
		StartupProbe:    configuredProbe(),
		SecurityContext: appSecurity(in),
	}
}

// configuredProbe makes the pod Ready once its member is configured, however
// long that takes. The guest holds each probe open for 25 seconds, so that its
// answer is prompt and its failures are few.
func configuredProbe() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
			Command: []string{guestProgram, "configured"},
		}},
		PeriodSeconds:    1,
		TimeoutSeconds:   30,
		FailureThreshold: math.MaxInt32,
	}
}

const (
	gpuResources   = "nvidia.com/"
	gpuEnvironment = "NVIDIA_VISIBLE_DEVICES"
)

// appEnv is the user's environment after ours, so that it may refer to ours.
func appEnv(in *RoleInput) []corev1.EnvVar {
	env := []corev1.EnvVar{{
		Name: protocol.EnvPodUID,
		ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.uid"},
		},
	}}
	// Images built for GPUs ask for all of them by this variable, and would see
	// those of their neighbours.
	named := slices.ContainsFunc(in.Spec.Env, func(e corev1.EnvVar) bool { return e.Name == gpuEnvironment })
	if !named && !asksForGPU(in.Spec.Resources) {
		env = append(env, corev1.EnvVar{Name: gpuEnvironment, Value: "void"})
	}
	return append(env, in.Spec.Env...)
}

func asksForGPU(resources corev1.ResourceRequirements) bool {
	for _, list := range []corev1.ResourceList{resources.Limits, resources.Requests} {
		for name, quantity := range list {
			if strings.HasPrefix(string(name), gpuResources) && !quantity.IsZero() {
				return true
			}
		}
	}
	return false
}

// appPorts have no names: a service id may be one that a container port may not have.
func appPorts(in *RoleInput) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	for _, number := range portNumbers(in.Role) {
		ports = append(ports, corev1.ContainerPort{ContainerPort: number, Protocol: corev1.ProtocolTCP})
	}
	return ports
}
