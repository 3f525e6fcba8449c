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
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
)

const (
	// claimProtection has a claim stay while pods use it. Who looks after that removes it.
	claimProtection = "kubernetes.io/pvc-protection"
	defaultClass    = "storageclass.kubernetes.io/is-default-class"
)

// admit judges a new object, and adds what the server's admission adds.
func (s *Server) admit(st *store, o Object) error {
	if !st.global {
		if err := s.refuseTerminating(st, o); err != nil {
			return err
		}
	}
	switch o := o.(type) {
	case *corev1.PersistentVolumeClaim:
		if !slices.Contains(o.Finalizers, claimProtection) {
			o.Finalizers = append(slices.Clip(o.Finalizers), claimProtection)
		}
		if o.Spec.StorageClassName == nil {
			o.Spec.StorageClassName = s.defaultClass()
		}
		o.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}
	case *corev1.Pod:
		o.Status = corev1.PodStatus{Phase: corev1.PodPending}
	case *corev1.Namespace:
		o.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
		if !slices.Contains(o.Spec.Finalizers, corev1.FinalizerKubernetes) {
			o.Spec.Finalizers = append(slices.Clip(o.Spec.Finalizers), corev1.FinalizerKubernetes)
		}
		if o.Labels == nil {
			o.Labels = map[string]string{}
		}
		o.Labels[corev1.LabelMetadataName] = o.Name
	case *corev1.Node: // a kubelet tells its status when it registers
	default:
		if st.status != nil {
			st.status.share(o, st.make())
		}
	}
	return nil
}

// defaultClass is the newest of those that say that they are the default.
func (s *Server) defaultClass() *string {
	var newest *storagev1.StorageClass
	for _, r := range storeOf[*storagev1.StorageClass](s).in("") {
		class := r.object.(*storagev1.StorageClass)
		if class.Annotations[defaultClass] != "true" {
			continue
		}
		if newest == nil || class.CreationTimestamp.Time.After(newest.CreationTimestamp.Time) {
			newest = class
		}
	}
	if newest == nil {
		return nil
	}
	return &newest.Name
}

// complete sets what a new object, or a new spec, leaves to the server.
func (s *Server) complete(st *store, o Object) {
	setDefaults(o)
	if service, is := o.(*corev1.Service); is {
		s.allocate(service)
	}
}

// allocate gives a Service its addresses and ports. A headless one has the address None.
func (s *Server) allocate(service *corev1.Service) {
	sp := &service.Spec
	if sp.Type == corev1.ServiceTypeExternalName {
		return
	}
	if sp.ClusterIP == "" {
		sp.ClusterIP = s.given.address()
	}
	if len(sp.ClusterIPs) == 0 {
		sp.ClusterIPs = []string{sp.ClusterIP}
	}
	if !needsNodePorts(sp.Type) {
		return
	}
	sp.Ports = slices.Clone(sp.Ports) // those of a patched Service may be those of the one before
	for i := range sp.Ports {
		if sp.Ports[i].NodePort == 0 {
			sp.Ports[i].NodePort = s.given.port()
		}
	}
}

func needsNodePorts(t corev1.ServiceType) bool {
	return t == corev1.ServiceTypeNodePort || t == corev1.ServiceTypeLoadBalancer
}

// carry takes over what a Service was given, unless its writer says otherwise.
func (s *Server) carry(before, after Object) {
	service, is := after.(*corev1.Service)
	if !is {
		return
	}
	had, want := &before.(*corev1.Service).Spec, &service.Spec
	if had.Type == corev1.ServiceTypeExternalName || want.Type == corev1.ServiceTypeExternalName {
		return
	}
	want.ClusterIP = cmp.Or(want.ClusterIP, had.ClusterIP)
	if len(want.ClusterIPs) == 0 && want.ClusterIP == had.ClusterIP {
		want.ClusterIPs = had.ClusterIPs
	}
	if !needsNodePorts(had.Type) {
		return
	}
	if !needsNodePorts(want.Type) && want.ExternalTrafficPolicy == had.ExternalTrafficPolicy {
		want.ExternalTrafficPolicy = ""
	}
	want.Ports = slices.Clone(want.Ports)
	for i := range want.Ports {
		port := &want.Ports[i]
		for _, old := range had.Ports {
			switch same := old.Port == port.Port && old.Protocol == cmp.Or(port.Protocol, corev1.ProtocolTCP); {
			case same && !needsNodePorts(want.Type) && old.NodePort == port.NodePort:
				port.NodePort = 0
			case same && needsNodePorts(want.Type) && port.NodePort == 0:
				port.NodePort = old.NodePort
			}
		}
	}
}
