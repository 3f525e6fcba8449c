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

package app

import (
	cliflag "k8s.io/component-base/cli/flag"

	"github.com/bluek8s/kubedirector/pkg/config"
)

// configFlags are flags that set fields of c; what c holds is their default.
func configFlags(c *config.KubeDirectorConfiguration) cliflag.NamedFlagSets {
	var sections cliflag.NamedFlagSets
	sections.FlagSet("general")
	addConnectionFlags(&sections, &c.ClientConnection)
	addWorkFlags(&sections, c)
	addClusterFlags(&sections, c)
	addElectionFlags(&sections, &c.LeaderElection)
	addServingFlags(&sections, c)
	return sections
}

func addConnectionFlags(sections *cliflag.NamedFlagSets, c *config.ClientConnection) {
	fs := sections.FlagSet("API server")
	fs.StringVar(&c.Kubeconfig, "kubeconfig", c.Kubeconfig, "Kubeconfig file of the cluster to serve. Without it and without --context, the pod's service account is used.")
	fs.StringVar(&c.Context, "context", c.Context, "Context of the kubeconfig. Without --kubeconfig, it is looked up where kubectl does.")
	fs.Float32Var(&c.QPS, "kube-api-qps", c.QPS, "Requests a second to the API server in the long run.")
	fs.IntVar(&c.Burst, "kube-api-burst", c.Burst, "Requests to the API server that may be sent at once.")
}

func addWorkFlags(sections *cliflag.NamedFlagSets, c *config.KubeDirectorConfiguration) {
	fs := sections.FlagSet("work")
	fs.StringVar(&c.WatchNamespace, "watch-namespace", c.WatchNamespace, "The only namespace whose clusters are served. (default all)")
	fs.StringVar(&c.SystemNamespace, "system-namespace", c.SystemNamespace, "Namespace of the apps that every namespace may use.")
	fs.IntVar(&c.Workers, "workers", c.Workers, "Clusters that are reconciled at a time.")
	fs.IntVar(&c.GuestConcurrency, "guest-concurrency", c.GuestConcurrency, "Containers that are worked in at a time. A script that runs does not count.")
}

func addClusterFlags(sections *cliflag.NamedFlagSets, c *config.KubeDirectorConfiguration) {
	fs := sections.FlagSet("cluster")
	fs.StringVar(&c.GuestImage, "guest-image", c.GuestImage, "KubeDirector's own image, from which members' pods take the guest.")
	fs.StringVar(&c.PackageCAFile, "package-ca-file", c.PackageCAFile, "PEM file of certificates to trust beside the known ones when config packages are fetched.")
	fs.StringVar(&c.ClusterDomain, "cluster-domain", c.ClusterDomain, "DNS domain of Kubernetes.")
	fs.StringVar((*string)(&c.DefaultServiceType), "default-service-type", string(c.DefaultServiceType), "Type of members' Services where a cluster names none: ClusterIP, NodePort or LoadBalancer.")
	fs.StringVar(&c.DefaultStorageClassName, "default-storage-class", c.DefaultStorageClassName, "Storage class of members' volumes where a cluster names none. (default Kubernetes' own default)")
}

func addElectionFlags(sections *cliflag.NamedFlagSets, c *config.LeaderElection) {
	fs := sections.FlagSet("leader election")
	fs.BoolVar(&c.LeaderElect, "leader-elect", c.LeaderElect, "Work only while holding the Lease. Switch it off only where a second controller never runs.")
	fs.DurationVar(&c.LeaseDuration.Duration, "leader-elect-lease-duration", c.LeaseDuration.Duration, "How long others wait after the leader's last renewal before they take over. Whole seconds.")
	fs.DurationVar(&c.RenewDeadline.Duration, "leader-elect-renew-deadline", c.RenewDeadline.Duration, "How long a leader tries to renew before it gives up and exits.")
	fs.DurationVar(&c.RetryPeriod.Duration, "leader-elect-retry-period", c.RetryPeriod.Duration, "Time between two tries to acquire or to renew.")
	fs.StringVar(&c.ResourceName, "leader-elect-resource-name", c.ResourceName, "Name of the Lease.")
	fs.StringVar(&c.ResourceNamespace, "leader-elect-namespace", c.ResourceNamespace, "Namespace of the Lease. (default the system namespace)")
}

func addServingFlags(sections *cliflag.NamedFlagSets, c *config.KubeDirectorConfiguration) {
	fs := sections.FlagSet("observability")
	fs.StringVar(&c.HealthAddress, "health-address", c.HealthAddress, `Serves /healthz and /readyz. Port 0 picks a free one and logs it; "0" alone serves nothing.`)
	fs.StringVar(&c.MetricsAddress, "metrics-address", c.MetricsAddress, `Serves /metrics. Port 0 picks a free one and logs it; "0" alone serves nothing.`)
	fs.Int32VarP(&c.Verbosity, "v", "v", c.Verbosity, "Level of the log: 0 faults and milestones, 2 changes, 4 each pass, 6 and above each request.")
	fs.StringVar(&c.VModule, "vmodule", c.VModule, "Other levels for source files: sync=4,pool=6.")
}

// flagNames are the flags by the path of the field that they set.
var flagNames = map[string]string{
	"clientConnection.kubeconfig":      "kubeconfig",
	"clientConnection.context":         "context",
	"clientConnection.qps":             "kube-api-qps",
	"clientConnection.burst":           "kube-api-burst",
	"watchNamespace":                   "watch-namespace",
	"systemNamespace":                  "system-namespace",
	"workers":                          "workers",
	"guestConcurrency":                 "guest-concurrency",
	"guestImage":                       "guest-image",
	"packageCAFile":                    "package-ca-file",
	"clusterDomain":                    "cluster-domain",
	"defaultServiceType":               "default-service-type",
	"defaultStorageClassName":          "default-storage-class",
	"leaderElection.leaderElect":       "leader-elect",
	"leaderElection.leaseDuration":     "leader-elect-lease-duration",
	"leaderElection.renewDeadline":     "leader-elect-renew-deadline",
	"leaderElection.retryPeriod":       "leader-elect-retry-period",
	"leaderElection.resourceName":      "leader-elect-resource-name",
	"leaderElection.resourceNamespace": "leader-elect-namespace",
	"healthAddress":                    "health-address",
	"metricsAddress":                   "metrics-address",
	"verbosity":                        "v",
	"vmodule":                          "vmodule",
}
