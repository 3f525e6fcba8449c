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

package main

import (
	"fmt"
	"net/netip"
)

// The names and addresses that the devcluster uses on the machine.
const (
	clusterName = "devcluster"
	// Where the controller manager's host-path provisioner makes volumes: a constant of Kubernetes.
	hostPathVolumes = "/tmp/hostpath_pv"

	bridge      = "kddev0"
	bridgeRange = "10.177.0.0/16"
	// The machine's own address on the bridge: where pods find the API server and the DNS.
	machineAddress = "10.177.0.1"
	serviceRange   = "10.178.0.0/16"
	// The first address of serviceRange is the Service "kubernetes".
	kubernetesService = "10.178.0.1"
	clusterDomain     = "cluster.local"

	// The nft table of this program, and the one of kube-proxy, whose name is a constant of Kubernetes.
	natTable   = "kubedirector-devcluster"
	proxyTable = "kube-proxy"

	pauseImage = "devcluster.local/pause:1"

	// Node addresses are 10.177.0.11 and up, pods of node N are in 10.177.N.0/24.
	firstNodeHost = 10
	maxNodes      = 99
)

// nodeName returns the name of node number i, counted from 1.
func nodeName(i int) string { return fmt.Sprintf("node-%d", i) }

func nodeAddress(i int) string { return fmt.Sprintf("10.177.0.%d", firstNodeHost+i) }

func podRange(i int) string { return fmt.Sprintf("10.177.%d.0/24", i) }

// ranges are the networks that no other interface of the machine may use.
func ranges() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix(bridgeRange), netip.MustParsePrefix(serviceRange)}
}

// insteadOfDevcluster ends the message to every machine that the devcluster is not for.
const insteadOfDevcluster = "use kind, minikube or a cluster of your own instead"
