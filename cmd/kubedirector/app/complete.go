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
	"crypto/x509"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"

	"github.com/bluek8s/kubedirector/pkg/config"
	"github.com/bluek8s/kubedirector/pkg/leader"
)

// completedConfig is a configuration and all that was made from it. Only complete makes one.
type completedConfig struct {
	settings *config.KubeDirectorConfiguration
	// packageCA is what --package-ca-file holds.
	packageCA  string
	leadership leadership
	clients    *clients
}

// CompletedConfig is what can run.
type CompletedConfig struct{ *completedConfig }

// Complete reads what a valid configuration names. It sends nothing.
func Complete(settings *config.KubeDirectorConfiguration) (CompletedConfig, error) {
	return complete(settings, func() (*rest.Config, error) { return connection(&settings.ClientConnection) })
}

// CompleteOver is Complete for whoever makes the connection: all that is sent goes over base.
func CompleteOver(base *rest.Config, settings *config.KubeDirectorConfiguration) (CompletedConfig, error) {
	return complete(settings, func() (*rest.Config, error) { return base, nil })
}

func complete(settings *config.KubeDirectorConfiguration, connect func() (*rest.Config, error)) (CompletedConfig, error) {
	packageCA, err := readCertificates(settings.PackageCAFile)
	if err != nil {
		return CompletedConfig{}, err
	}
	base, err := connect()
	if err != nil {
		return CompletedConfig{}, err
	}
	leads, err := newLeadership(base, &settings.LeaderElection)
	if err != nil {
		return CompletedConfig{}, err
	}
	reach, err := newClients(base, &settings.ClientConnection, leader.NewGate(leads.Holds))
	if err != nil {
		return CompletedConfig{}, err
	}
	return CompletedConfig{&completedConfig{
		settings:   settings,
		packageCA:  packageCA,
		leadership: leads,
		clients:    reach,
	}}, nil
}

func readCertificates(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--package-ca-file: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return "", fmt.Errorf("--package-ca-file: %s holds no PEM certificate", path)
	}
	return string(text), nil
}

func newLeadership(base *rest.Config, c *config.LeaderElection) (leadership, error) {
	if !c.LeaderElect {
		return leader.Always{}, nil
	}
	leases, err := newLeaseClient(base, c.RenewDeadline.Duration)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return leader.New(leader.Config{
		Client:    leases.CoordinationV1(),
		Namespace: c.ResourceNamespace,
		Name:      c.ResourceName,
		// A process that is started again is another candidate.
		Identity:      host + "_" + string(uuid.NewUUID()),
		LeaseDuration: c.LeaseDuration.Duration,
		RenewDeadline: c.RenewDeadline.Duration,
		RetryPeriod:   c.RetryPeriod.Duration,
	})
}
