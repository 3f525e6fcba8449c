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
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// serviceTypes are the types a member's Service may have.
var serviceTypes = []corev1.ServiceType{corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer}

// Validate names everything that is wrong with a configuration whose derived fields are set.
func Validate(c *KubeDirectorConfiguration) field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, validateClientConnection(&c.ClientConnection, field.NewPath("clientConnection"))...)
	if c.WatchNamespace != "" {
		errs = append(errs, dnsLabel(c.WatchNamespace, field.NewPath("watchNamespace"))...)
	}
	errs = append(errs, dnsLabel(c.SystemNamespace, field.NewPath("systemNamespace"))...)
	errs = append(errs, atLeastOne(c.Workers, field.NewPath("workers"))...)
	errs = append(errs, atLeastOne(c.GuestConcurrency, field.NewPath("guestConcurrency"))...)
	if strings.TrimSpace(c.GuestImage) == "" || strings.ContainsAny(c.GuestImage, " \t\n") {
		errs = append(errs, field.Invalid(field.NewPath("guestImage"), c.GuestImage, "must be an image such as registry/kubedirector:tag; leave it out for the image of this version"))
	}
	for _, why := range validation.IsDNS1123Subdomain(c.ClusterDomain) {
		errs = append(errs, field.Invalid(field.NewPath("clusterDomain"), c.ClusterDomain, why+"; it is the domain of Kubernetes' DNS, most often cluster.local"))
	}
	if !slices.Contains(serviceTypes, c.DefaultServiceType) {
		errs = append(errs, field.NotSupported(field.NewPath("defaultServiceType"), c.DefaultServiceType, serviceTypes))
	}
	if c.DefaultStorageClassName != "" {
		for _, why := range validation.IsDNS1123Subdomain(c.DefaultStorageClassName) {
			errs = append(errs, field.Invalid(field.NewPath("defaultStorageClassName"), c.DefaultStorageClassName, why+"; leave it out for Kubernetes' default class"))
		}
	}
	errs = append(errs, validateLeaderElection(&c.LeaderElection, field.NewPath("leaderElection"))...)
	errs = append(errs, address(c.HealthAddress, field.NewPath("healthAddress"))...)
	errs = append(errs, address(c.MetricsAddress, field.NewPath("metricsAddress"))...)
	if c.Verbosity < 0 {
		errs = append(errs, field.Invalid(field.NewPath("verbosity"), c.Verbosity, "must be 0 or more"))
	}
	return errs
}

func validateClientConnection(c *ClientConnection, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.QPS <= 0 {
		errs = append(errs, field.Invalid(path.Child("qps"), c.QPS, "must be more than 0"))
	}
	return append(errs, atLeastOne(c.Burst, path.Child("burst"))...)
}

func validateLeaderElection(l *LeaderElection, path *field.Path) field.ErrorList {
	if !l.LeaderElect {
		return nil
	}
	var errs field.ErrorList
	lease, renew, retry := l.LeaseDuration.Duration, l.RenewDeadline.Duration, l.RetryPeriod.Duration
	if lease < time.Second || lease%time.Second != 0 {
		errs = append(errs, field.Invalid(path.Child("leaseDuration"), lease.String(), "must be whole seconds, at least 1s: a Lease counts in seconds"))
	}
	if renew >= lease {
		errs = append(errs, field.Invalid(path.Child("renewDeadline"), renew.String(), "must be shorter than leaseDuration, "+lease.String()+": a leader must give up before others take over"))
	}
	if retry <= 0 {
		errs = append(errs, field.Invalid(path.Child("retryPeriod"), retry.String(), "must be more than 0s"))
	}
	// Client-go spreads tries by a fifth and wants one to fit.
	if retry > 0 && renew <= retry+retry/5 {
		errs = append(errs, field.Invalid(path.Child("renewDeadline"), renew.String(), "must be longer than 1.2 times retryPeriod, "+retry.String()))
	}
	for _, why := range validation.IsDNS1123Subdomain(l.ResourceName) {
		errs = append(errs, field.Invalid(path.Child("resourceName"), l.ResourceName, why))
	}
	return append(errs, dnsLabel(l.ResourceNamespace, path.Child("resourceNamespace"))...)
}

func dnsLabel(value string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, why := range validation.IsDNS1123Label(value) {
		errs = append(errs, field.Invalid(path, value, why))
	}
	return errs
}

func atLeastOne(value int, path *field.Path) field.ErrorList {
	if value < 1 {
		return field.ErrorList{field.Invalid(path, value, "must be at least 1")}
	}
	return nil
}

// address accepts "0", which serves nothing, and host:port with a numeric port.
func address(value string, path *field.Path) field.ErrorList {
	if value == "0" {
		return nil
	}
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return field.ErrorList{field.Invalid(path, value, `must be host:port, such as 127.0.0.1:8080 or :8080; port 0 picks a free one, "0" alone serves nothing`)}
	}
	return nil
}
