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

package names

import (
	"strconv"
	"strings"
)

const (
	// MaxStatefulSet is the longest name of a StatefulSet whose pods can exist:
	// a pod's controller-revision-hash label is that name, a dash and ten
	// characters, and a label value ends at 63.
	MaxStatefulSet = 52

	// MaxLabel is the longest DNS label: the name of a Service or a pod's host name.
	MaxLabel = 63

	// MaxFQDN is the longest domain name, written without the final dot.
	MaxFQDN = 253
)

const (
	// ContainerName is the container of a member's pod that runs the application.
	ContainerName = "app"

	// InstallContainer is the init container that delivers the guest binary.
	InstallContainer = "kubedirector-install"

	// PersistContainer is the init container that fills a member's volume.
	PersistContainer = "kubedirector-persist"

	// ClaimTemplate is the claim template of a StatefulSet whose members have storage.
	ClaimTemplate = "persist"
)

// HeadlessService is the Service that gives the members of a cluster their DNS names.
func HeadlessService(cluster string) string { return cluster }

// StatefulSet is the set of a role's members, and the PodDisruptionBudget over
// them. Different role ids may map to one name; validate refuses those.
func StatefulSet(cluster, roleID string) string {
	return cluster + "-" + legalRole.Replace(strings.ToLower(roleID))
}

// legalRole makes a role id part of a DNS label.
var legalRole = strings.NewReplacer("_", "-", ".", "-")

// Pod is the pod, and so the host name, of a set's member.
func Pod(set string, ordinal int) string { return set + "-" + strconv.Itoa(ordinal) }

// ParsePod is the inverse of Pod. It is not ok for a name that Pod never returns.
func ParsePod(pod string) (set string, ordinal int, ok bool) {
	dash := strings.LastIndexByte(pod, '-')
	if dash <= 0 {
		return "", 0, false
	}
	set = pod[:dash]
	ordinal, err := strconv.Atoi(pod[dash+1:])
	if err != nil || Pod(set, ordinal) != pod {
		return "", 0, false
	}
	return set, ordinal, true
}

// MemberService is the Service of one member. It differs from the pod's name, so
// that the name of a pod alone always finds the pod itself.
func MemberService(pod string) string { return pod + "-svc" }

// Claim is the PersistentVolumeClaim of a member, as a StatefulSet names it.
func Claim(pod string) string { return ClaimTemplate + "-" + pod }

// Revision is the ControllerRevision that holds the app spec in use. Its dot
// keeps it apart from every revision a StatefulSet makes of itself.
func Revision(cluster, hash string) string { return cluster + ".app-" + hash }

// Domain is the DNS domain of a cluster's members.
func Domain(headless, namespace, clusterDomain string) string {
	return headless + "." + namespace + ".svc." + clusterDomain
}

// FQDN is the domain name by which a member is known to its peers and its users.
func FQDN(pod, domain string) string { return pod + "." + domain }
