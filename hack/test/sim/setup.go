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

package sim

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
)

// setup is what kind of application and cluster a world is about.
type setup struct {
	// volumes says which roles have storage.
	volumes map[string]bool
	// events are those that the package takes; nil: the usual four.
	events []v1alpha1.LifecycleEvent
	// client adds a third role, which is configured after the workers.
	client  bool
	workers int32
	// deletes has volumes deleted on scale-down and with the cluster.
	deletes bool
	// reschedules has members of dead nodes go on elsewhere.
	reschedules bool
	// served gives each worker a Service of its own.
	served bool
}

// allEvents are all that a package can take.
var allEvents = []v1alpha1.LifecycleEvent{v1alpha1.EventConfigure, v1alpha1.EventAddNodes, v1alpha1.EventDelNodes, v1alpha1.EventDecommission,
	v1alpha1.EventRestart, v1alpha1.EventStop, v1alpha1.EventStart, v1alpha1.EventDelete}

// setupOf is the setup of a seed.
func setupOf(seed uint64) setup {
	rng := rand.New(rand.NewPCG(seed, 2))
	s := setup{volumes: map[string]bool{}, workers: int32(1 + rng.IntN(3)), client: rng.IntN(3) == 0, deletes: rng.IntN(4) == 0, reschedules: rng.IntN(4) == 0}
	for _, role := range []string{controllerRole, workerRole, clientRole} {
		s.volumes[role] = rng.IntN(2) == 0
	}
	switch rng.IntN(8) {
	case 0:
		s.events = nil
	case 1:
		s.events = []v1alpha1.LifecycleEvent{v1alpha1.EventConfigure, v1alpha1.EventRestart}
	default:
		s.events = allEvents
	}
	s.served = rng.IntN(3) == 0
	return s
}

func (s setup) String() string {
	return fmt.Sprintf("volumes %v, events %v, client %t, workers %d, deletes %t, reschedules %t, served %t", s.volumes, s.events, s.client, s.workers, s.deletes, s.reschedules, s.served)
}

// The roles: clients are configured after workers.
const (
	controllerRole = "controller"
	workerRole     = "worker"
	clientRole     = "client"
)

// app is the application.
func (s setup) app() *v1alpha1.KubeDirectorApp {
	app := &v1alpha1.KubeDirectorApp{
		ObjectMeta: metav1.ObjectMeta{Name: appName, Namespace: namespace},
		Spec: v1alpha1.KubeDirectorAppSpec{
			Label:                v1alpha1.Label{Name: "App"},
			DefaultImageRepoTag:  "example/app:1",
			DefaultConfigPackage: &v1alpha1.ConfigPackage{PackageURL: "configmap://setup/setup.tgz"},
			DefaultPersistDirs:   []v1alpha1.Directory{"/data"},
			DefaultEventList:     s.events,
			Services:             []v1alpha1.Service{{ID: "web", Endpoint: &v1alpha1.Endpoint{Port: 8080, URLScheme: "http", Path: "/", IsDashboard: true}}},
			Roles: []v1alpha1.Role{
				{ID: controllerRole, Cardinality: "1"},
				{ID: workerRole, Cardinality: "0+"},
			},
			Config: v1alpha1.AppConfig{RoleServices: []v1alpha1.RoleServices{{RoleID: controllerRole, ServiceIDs: []v1alpha1.ServiceID{"web"}}}},
		},
	}
	if s.served {
		app.Spec.Config.RoleServices = append(app.Spec.Config.RoleServices, v1alpha1.RoleServices{RoleID: workerRole, ServiceIDs: []v1alpha1.ServiceID{"web"}})
	}
	if s.client {
		app.Spec.Roles = append(app.Spec.Roles, v1alpha1.Role{ID: clientRole, Cardinality: "0+", ConfigureAfter: []string{workerRole}})
	}
	return app
}

// cluster is the cluster as its user first asks for it.
func (s setup) cluster() *v1alpha1.KubeDirectorCluster {
	cluster := &v1alpha1.KubeDirectorCluster{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName, Namespace: namespace},
		Spec: v1alpha1.KubeDirectorClusterSpec{
			App:   appName,
			Roles: []v1alpha1.ClusterRole{s.role(controllerRole, 1), s.role(workerRole, s.workers)},
		},
	}
	if s.client {
		cluster.Spec.Roles = append(cluster.Spec.Roles, s.role(clientRole, 1))
	}
	if s.deletes {
		cluster.Spec.DeletionPolicy = &v1alpha1.DeletionPolicy{Volumes: &v1alpha1.VolumePolicy{OnDelete: v1alpha1.VolumeDelete, OnScaleDown: v1alpha1.VolumeDelete}}
	}
	if s.reschedules {
		cluster.Spec.Recovery = &v1alpha1.Recovery{NodeDown: &v1alpha1.NodeDown{Action: v1alpha1.NodeDownReschedule}}
	}
	return cluster
}

func (s setup) role(id string, members int32) v1alpha1.ClusterRole {
	role := v1alpha1.ClusterRole{ID: id, Members: &members}
	if s.volumes[id] {
		role.Storage = &v1alpha1.Storage{Size: resource.MustParse("1Gi")}
	}
	return role
}

// packageOf is a config package; its content differs by its number.
func packageOf(n int) []byte {
	var content bytes.Buffer
	zipped := gzip.NewWriter(&content)
	archive := tar.NewWriter(zipped)
	script := fmt.Sprintf("#!/bin/sh\n# %d\n", n)
	header := &tar.Header{Name: "app/startscript", Mode: 0o755, Size: int64(len(script)), Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(header); err != nil {
		panic(err)
	}
	if _, err := archive.Write([]byte(script)); err != nil {
		panic(err)
	}
	if archive.Close() != nil || zipped.Close() != nil {
		panic("a package could not be written to memory")
	}
	return content.Bytes()
}
