//go:build linux

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
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

const (
	proxyRole = "kube-proxy"
	dnsRole   = "coredns"
)

// startProxy starts kube-proxy. One serves all nodes, for they share the machine's network.
func (c *cluster) startProxy() error {
	config, err := render("kube-proxy.yaml", map[string]string{
		"Node": nodeName(1), "Kubeconfig": c.path(internalKubeconfig), "Range": bridgeRange, "Address": machineAddress,
	})
	if err != nil {
		return err
	}
	return c.startOnce(daemon{
		role: proxyRole, path: c.binary("kube-proxy"),
		args: []string{"--config", c.path("kube-proxy.yaml")}, log: c.path("logs", "kube-proxy.log"),
	}, c.path("kube-proxy.yaml"), config)
}

// startDNS starts CoreDNS on the machine's address of the bridge. Other names go where the machine asks for them.
func (c *cluster) startDNS() error {
	resolvers, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	config, err := render("Corefile", map[string]any{
		"Address": machineAddress, "ClusterDomain": clusterDomain, "Kubeconfig": c.path(internalKubeconfig),
		"Forward": strings.Contains(string(resolvers), "nameserver"),
	})
	if err != nil {
		return err
	}
	return c.startOnce(daemon{
		role: dnsRole, path: c.binary("coredns"),
		args: []string{"-conf", c.path("Corefile")}, log: c.path("logs", "coredns.log"),
	}, c.path("Corefile"), config)
}

// startOnce starts a daemon with its configuration unless it runs already.
func (c *cluster) startOnce(d daemon, configPath, config string) error {
	running, err := c.running(d.role)
	if err != nil || len(running) > 0 {
		return err
	}
	if err := writeFile(configPath, config); err != nil {
		return err
	}
	return c.start(d)
}

// applyStorageClass makes the default StorageClass.
func (c *cluster) applyStorageClass() error {
	manifest, err := render("storageclass.yaml", nil)
	if err != nil {
		return err
	}
	_, err = c.kubectl(manifest, "apply", "-f", "-")
	return err
}

// waitReady returns when the nodes are Ready, names of Services resolve and Services are reachable.
func (c *cluster) waitReady() error {
	for i := 1; i <= c.state.Nodes; i++ {
		if err := c.waitNodeReady(nodeName(i)); err != nil {
			return err
		}
	}
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", machineAddress+":53")
	}}
	err := poll(30*time.Second, "the cluster's DNS (log: "+c.path("logs", "coredns.log")+")", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := resolver.LookupHost(ctx, "kubernetes.default.svc."+clusterDomain+".")
		return err
	})
	if err != nil {
		return err
	}
	return poll(30*time.Second, "the Service network (log: "+c.path("logs", "kube-proxy.log")+")", func() error {
		conn, err := net.DialTimeout("tcp", kubernetesService+":443", time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

func (c *cluster) waitNodeReady(name string) error {
	return poll(60*time.Second, name+" to be Ready (log: "+c.path("nodes", name, "log", "kubelet.log")+")", func() error {
		ready, err := c.kubectl("", "get", "node", name, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		if err != nil {
			return err
		}
		if ready != "True" {
			return fmt.Errorf("its condition Ready is %q", ready)
		}
		return nil
	})
}
