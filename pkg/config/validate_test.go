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
	"testing"
	"time"
)

func TestDefaultIsValid(t *testing.T) {
	c := Default()
	SetDerived(c)
	if errs := Validate(c); len(errs) > 0 {
		t.Error(errs)
	}
	if got, want := c.LeaderElection.ResourceNamespace, c.SystemNamespace; got != want {
		t.Errorf("the Lease is in namespace %q, want the system namespace %q", got, want)
	}
}

func TestValidate(t *testing.T) {
	election := func(change func(*LeaderElection)) func(*KubeDirectorConfiguration) {
		return func(c *KubeDirectorConfiguration) { change(&c.LeaderElection) }
	}
	for name, test := range map[string]struct {
		change func(*KubeDirectorConfiguration)
		want   string // the field at fault, empty for none
	}{
		"no rate":                     {func(c *KubeDirectorConfiguration) { c.ClientConnection.QPS = 0 }, "clientConnection.qps"},
		"no burst":                    {func(c *KubeDirectorConfiguration) { c.ClientConnection.Burst = 0 }, "clientConnection.burst"},
		"one namespace":               {func(c *KubeDirectorConfiguration) { c.WatchNamespace = "team-a" }, ""},
		"namespace of no legal name":  {func(c *KubeDirectorConfiguration) { c.WatchNamespace = "Team A" }, "watchNamespace"},
		"no system namespace":         {func(c *KubeDirectorConfiguration) { c.SystemNamespace = "" }, "systemNamespace"},
		"no workers":                  {func(c *KubeDirectorConfiguration) { c.Workers = 0 }, "workers"},
		"negative guest concurrency":  {func(c *KubeDirectorConfiguration) { c.GuestConcurrency = -1 }, "guestConcurrency"},
		"no guest image":              {func(c *KubeDirectorConfiguration) { c.GuestImage = "" }, "guestImage"},
		"guest image with a space":    {func(c *KubeDirectorConfiguration) { c.GuestImage = "a b" }, "guestImage"},
		"domain with a trailing dot":  {func(c *KubeDirectorConfiguration) { c.ClusterDomain = "cluster.local." }, "clusterDomain"},
		"external name":               {func(c *KubeDirectorConfiguration) { c.DefaultServiceType = "ExternalName" }, "defaultServiceType"},
		"class of no legal name":      {func(c *KubeDirectorConfiguration) { c.DefaultStorageClassName = "Fast!" }, "defaultStorageClassName"},
		"health nowhere":              {func(c *KubeDirectorConfiguration) { c.HealthAddress = "0" }, ""},
		"health anywhere":             {func(c *KubeDirectorConfiguration) { c.HealthAddress = ":0" }, ""},
		"health on IPv6":              {func(c *KubeDirectorConfiguration) { c.HealthAddress = "[::1]:8080" }, ""},
		"health without a port":       {func(c *KubeDirectorConfiguration) { c.HealthAddress = "localhost" }, "healthAddress"},
		"metrics at a named port":     {func(c *KubeDirectorConfiguration) { c.MetricsAddress = "localhost:http" }, "metricsAddress"},
		"metrics at too high a port":  {func(c *KubeDirectorConfiguration) { c.MetricsAddress = ":70000" }, "metricsAddress"},
		"negative verbosity":          {func(c *KubeDirectorConfiguration) { c.Verbosity = -1 }, "verbosity"},
		"lease of half seconds":       {election(func(l *LeaderElection) { l.LeaseDuration.Duration = 15500 * time.Millisecond }), "leaderElection.leaseDuration"},
		"renewing as long as a lease": {election(func(l *LeaderElection) { l.RenewDeadline = l.LeaseDuration }), "leaderElection.renewDeadline"},
		"no retry period":             {election(func(l *LeaderElection) { l.RetryPeriod.Duration = 0 }), "leaderElection.retryPeriod"},
		"retries that do not fit":     {election(func(l *LeaderElection) { l.RetryPeriod.Duration = 9 * time.Second }), "leaderElection.renewDeadline"},
		"lease of no legal name":      {election(func(l *LeaderElection) { l.ResourceName = "" }), "leaderElection.resourceName"},
		"lease in no legal namespace": {election(func(l *LeaderElection) { l.ResourceNamespace = "a.b" }), "leaderElection.resourceNamespace"},
		"times that nobody uses":      {election(func(l *LeaderElection) { *l = LeaderElection{} }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := Default()
			SetDerived(c)
			test.change(c)
			errs := Validate(c)
			switch {
			case test.want == "" && len(errs) > 0:
				t.Errorf("refused: %v", errs)
			case test.want != "" && (len(errs) != 1 || errs[0].Field != test.want):
				t.Errorf("got %v, want one error for %s", errs, test.want)
			}
		})
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	c := Default()
	SetDerived(c)
	c.Workers, c.GuestConcurrency, c.SystemNamespace = 0, 0, "A"
	if errs := Validate(c); len(errs) != 3 {
		t.Errorf("got %d errors, want 3: %v", len(errs), errs)
	}
}
