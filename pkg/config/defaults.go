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
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/version"
)

// Default is the configuration of a controller that was told nothing.
func Default() *KubeDirectorConfiguration {
	return &KubeDirectorConfiguration{
		TypeMeta:           metav1.TypeMeta{APIVersion: APIVersion, Kind: Kind},
		ClientConnection:   ClientConnection{QPS: 100, Burst: 200},
		SystemNamespace:    "kubedirector",
		Workers:            4,
		GuestConcurrency:   32,
		GuestImage:         version.Image(),
		ClusterDomain:      "cluster.local",
		DefaultServiceType: corev1.ServiceTypeClusterIP,
		LeaderElection: LeaderElection{
			LeaderElect:   true,
			LeaseDuration: metav1.Duration{Duration: 15 * time.Second},
			RenewDeadline: metav1.Duration{Duration: 10 * time.Second},
			RetryPeriod:   metav1.Duration{Duration: 2 * time.Second},
			ResourceName:  "kubedirector",
		},
		HealthAddress:  "127.0.0.1:10291",
		MetricsAddress: "127.0.0.1:10290",
	}
}

// SetDerived fills what another setting stands in for.
func SetDerived(c *KubeDirectorConfiguration) {
	if c.LeaderElection.ResourceNamespace == "" {
		c.LeaderElection.ResourceNamespace = c.SystemNamespace
	}
}
