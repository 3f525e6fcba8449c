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

package apiserver

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// setDefaults sets the fields that have a default and that KubeDirector, or what
// is simulated around it, sets, reads or compares.
func setDefaults(o Object) {
	switch o := o.(type) {
	case *corev1.Pod:
		defaultPod(&o.Spec)
	case *corev1.Service:
		defaultService(&o.Spec)
	case *corev1.PersistentVolumeClaim:
		or(&o.Spec.VolumeMode, corev1.PersistentVolumeFilesystem)
	case *appsv1.StatefulSet:
		defaultSet(&o.Spec)
	case *storagev1.StorageClass:
		or(&o.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete)
		or(&o.VolumeBindingMode, storagev1.VolumeBindingImmediate)
	case *corev1.Secret:
		if o.Type == "" {
			o.Type = corev1.SecretTypeOpaque
		}
	case *v1alpha1.KubeDirectorApp:
		if o.Spec.ConfigSchemaVersion == 0 {
			o.Spec.ConfigSchemaVersion = 7
		}
	case *v1alpha1.KubeDirectorCluster:
		if recovery := o.Spec.Recovery; recovery != nil && recovery.NodeDown != nil && recovery.NodeDown.Action == "" {
			recovery.NodeDown.Action = v1alpha1.NodeDownWait
		}
	}
}

// or sets a field that isn't set.
func or[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func orEmpty[T ~string](field *T, value T) {
	if *field == "" {
		*field = value
	}
}

func defaultSet(set *appsv1.StatefulSetSpec) {
	or(&set.Replicas, 1)
	or(&set.RevisionHistoryLimit, 10)
	orEmpty(&set.PodManagementPolicy, appsv1.OrderedReadyPodManagement)
	orEmpty(&set.UpdateStrategy.Type, appsv1.RollingUpdateStatefulSetStrategyType)
	if set.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType {
		or(&set.UpdateStrategy.RollingUpdate, appsv1.RollingUpdateStatefulSetStrategy{})
		if set.UpdateStrategy.RollingUpdate.Partition == nil {
			rolling := *set.UpdateStrategy.RollingUpdate
			or(&rolling.Partition, 0)
			set.UpdateStrategy.RollingUpdate = &rolling
		}
	}
	or(&set.PersistentVolumeClaimRetentionPolicy, appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{})
	if policy := *set.PersistentVolumeClaimRetentionPolicy; policy.WhenDeleted == "" || policy.WhenScaled == "" {
		orEmpty(&policy.WhenDeleted, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
		orEmpty(&policy.WhenScaled, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
		set.PersistentVolumeClaimRetentionPolicy = &policy
	}
	defaultPod(&set.Template.Spec)
	for i := range set.VolumeClaimTemplates {
		claim := &set.VolumeClaimTemplates[i]
		or(&claim.Spec.VolumeMode, corev1.PersistentVolumeFilesystem)
		orEmpty(&claim.Status.Phase, corev1.ClaimPending)
		orEmpty(&claim.APIVersion, "v1")
		orEmpty(&claim.Kind, "PersistentVolumeClaim")
	}
}

func defaultPod(pod *corev1.PodSpec) {
	orEmpty(&pod.RestartPolicy, corev1.RestartPolicyAlways)
	orEmpty(&pod.DNSPolicy, corev1.DNSClusterFirst)
	orEmpty(&pod.SchedulerName, corev1.DefaultSchedulerName)
	or(&pod.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	or(&pod.SecurityContext, corev1.PodSecurityContext{})
	for i := range pod.InitContainers {
		defaultContainer(&pod.InitContainers[i])
	}
	for i := range pod.Containers {
		defaultContainer(&pod.Containers[i])
	}
}

func defaultContainer(c *corev1.Container) {
	orEmpty(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	orEmpty(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	if c.ImagePullPolicy == "" {
		c.ImagePullPolicy = pullPolicy(c.Image)
	}
	for i := range c.Ports {
		orEmpty(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
	for i := range c.Env {
		if from := c.Env[i].ValueFrom; from != nil && from.FieldRef != nil {
			orEmpty(&from.FieldRef.APIVersion, "v1")
		}
	}
	for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if probe != nil {
			defaultProbe(probe)
		}
	}
}

// pullPolicy is to look for a new image only where its tag doesn't say which.
func pullPolicy(image string) corev1.PullPolicy {
	if strings.Contains(image, "@") {
		return corev1.PullIfNotPresent
	}
	_, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	if !tagged || tag == "latest" {
		return corev1.PullAlways
	}
	return corev1.PullIfNotPresent
}

func defaultProbe(p *corev1.Probe) {
	for _, f := range []struct {
		field *int32
		value int32
	}{{&p.TimeoutSeconds, 1}, {&p.PeriodSeconds, 10}, {&p.SuccessThreshold, 1}, {&p.FailureThreshold, 3}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
}

func defaultService(service *corev1.ServiceSpec) {
	orEmpty(&service.Type, corev1.ServiceTypeClusterIP)
	orEmpty(&service.SessionAffinity, corev1.ServiceAffinityNone)
	if service.Type != corev1.ServiceTypeExternalName {
		or(&service.InternalTrafficPolicy, corev1.ServiceInternalTrafficPolicyCluster)
		or(&service.IPFamilyPolicy, corev1.IPFamilyPolicySingleStack)
		if len(service.IPFamilies) == 0 {
			service.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
		}
	}
	if needsNodePorts(service.Type) {
		orEmpty(&service.ExternalTrafficPolicy, corev1.ServiceExternalTrafficPolicyCluster)
	}
	if service.Type == corev1.ServiceTypeLoadBalancer {
		or(&service.AllocateLoadBalancerNodePorts, true)
	}
	for i := range service.Ports {
		port := &service.Ports[i]
		orEmpty(&port.Protocol, corev1.ProtocolTCP)
		if port.TargetPort == (intstr.IntOrString{}) {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
	}
}
