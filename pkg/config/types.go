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

package config

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The file's type.
const (
	APIVersion = "config.kubedirector.bluedata.io/v1alpha1"
	Kind       = "KubeDirectorConfiguration"
)

// KubeDirectorConfiguration is everything that can be set on the controller.
type KubeDirectorConfiguration struct {
	metav1.TypeMeta `json:",inline"`

	// ClientConnection is how the API server is reached.
	ClientConnection ClientConnection `json:"clientConnection"`

	// WatchNamespace is the only namespace whose clusters are served; empty serves all.
	WatchNamespace string `json:"watchNamespace"`
	// SystemNamespace holds the system catalog, the apps that every namespace may use.
	SystemNamespace string `json:"systemNamespace"`

	// Workers is the number of clusters that are reconciled at a time.
	Workers int `json:"workers"`
	// GuestConcurrency is the number of containers that are worked in at a time.
	GuestConcurrency int `json:"guestConcurrency"`
	// GuestImage is KubeDirector's own image, from which members' pods take the guest.
	GuestImage string `json:"guestImage"`
	// PackageCAFile is a PEM file of certificates that guests trust beside the
	// known ones when they fetch config packages.
	PackageCAFile string `json:"packageCAFile"`

	// ClusterDomain is the DNS domain of Kubernetes.
	ClusterDomain string `json:"clusterDomain"`
	// DefaultServiceType is the type of member Services where a cluster says none.
	DefaultServiceType corev1.ServiceType `json:"defaultServiceType"`
	// DefaultStorageClassName is the class of members' volumes where a cluster
	// says none; empty is Kubernetes' own default.
	DefaultStorageClassName string `json:"defaultStorageClassName"`

	// LeaderElection lets several controllers run of which one works.
	LeaderElection LeaderElection `json:"leaderElection"`

	// HealthAddress serves /healthz and /readyz; "0" serves none, port 0 picks a free one.
	HealthAddress string `json:"healthAddress"`
	// MetricsAddress serves /metrics; "0" serves none, port 0 picks a free one.
	MetricsAddress string `json:"metricsAddress"`

	// Verbosity is the level of the log: 0 faults and milestones, 2 changes, 4 each pass, 6 and above each request.
	Verbosity int32 `json:"verbosity"`
	// VModule sets other levels for source files: "sync=4,pool=6".
	VModule string `json:"vmodule"`
}

// ClientConnection is how the API server is reached.
type ClientConnection struct {
	// Kubeconfig is a file; empty is what kubectl would use, or in a pod its service account.
	Kubeconfig string `json:"kubeconfig"`
	// Context of the kubeconfig; empty is its current one.
	Context string `json:"context"`
	// QPS is how many requests a second are sent in the long run.
	QPS float32 `json:"qps"`
	// Burst is how many may be sent at once.
	Burst int `json:"burst"`
}

// LeaderElection is how controllers agree on the one that works.
type LeaderElection struct {
	// LeaderElect is false only where there is never a second controller.
	LeaderElect bool `json:"leaderElect"`
	// LeaseDuration is how long others wait after the leader's last renewal.
	LeaseDuration metav1.Duration `json:"leaseDuration"`
	// RenewDeadline is how long a leader tries to renew before it gives up.
	RenewDeadline metav1.Duration `json:"renewDeadline"`
	// RetryPeriod lies between two tries.
	RetryPeriod metav1.Duration `json:"retryPeriod"`
	// ResourceName is the Lease's name.
	ResourceName string `json:"resourceName"`
	// ResourceNamespace is the Lease's namespace; empty is the system namespace.
	ResourceNamespace string `json:"resourceNamespace"`
}
