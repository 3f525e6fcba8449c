//go:build real

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

package real

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// crewApp is an app of a head and of any number of workers, whose scripts take
// these events beside those that every app takes.
func crewApp(events ...v1alpha1.LifecycleEvent) *v1alpha1.KubeDirectorApp {
	return newApp("testapp", hooks(300, 1, 1), func(app *v1alpha1.KubeDirectorAppSpec) {
		app.Roles = []v1alpha1.Role{{ID: "head", Cardinality: "1"}, {ID: "worker", Cardinality: "0+"}}
		app.DefaultPersistDirs = []v1alpha1.Directory{"/var/lib/testapp"}
		app.DefaultEventList = append([]v1alpha1.LifecycleEvent{v1alpha1.EventConfigure, v1alpha1.EventAddNodes, v1alpha1.EventDelNodes}, events...)
		app.Services = []v1alpha1.Service{{ID: "work", Endpoint: &v1alpha1.Endpoint{Port: 9090}}}
		app.Config.RoleServices = []v1alpha1.RoleServices{{RoleID: "worker", ServiceIDs: []v1alpha1.ServiceID{"work"}}}
	})
}

// crew is a head with so many workers.
func crew(workers int32) func(*v1alpha1.KubeDirectorClusterSpec) {
	return func(cluster *v1alpha1.KubeDirectorClusterSpec) {
		cluster.Roles = []v1alpha1.ClusterRole{{ID: "head"}, {ID: "worker", Members: ptr.To(workers)}}
	}
}

// workersWithStorage gives each worker of a crew a volume.
func workersWithStorage(cluster *v1alpha1.KubeDirectorClusterSpec) {
	cluster.Roles[1].Storage = &v1alpha1.Storage{Size: resource.MustParse("100Mi")}
}

// scriptThat is the test app's script, which begins with commands of a test's own.
func scriptThat(commands string) string {
	const place = "set -o errexit -o nounset\n"
	before, after, found := strings.Cut(recordingScript, place)
	if !found {
		panic("the test app's script has no line " + place)
	}
	return before + place + commands + after
}

// speaksOf is the call by which a member hears of members of a role.
func (f *fixture) speaksOf(event v1alpha1.LifecycleEvent, role string, pods ...string) string {
	hosts := make([]string, len(pods))
	for i, pod := range pods {
		cluster, _, _ := strings.Cut(pod, "-")
		hosts[i] = names.FQDN(pod, names.Domain(cluster, f.namespace, "cluster.local"))
	}
	return fmt.Sprintf("--%s --nodegroup 1 --role %s --fqdns %s", event, role, strings.Join(hosts, ","))
}

// fqdnsOf is what the metadata of a member says of a role, as names of pods.
func (f *fixture) fqdnsOf(pod, role string) []string {
	f.Helper()
	return podsOf(f.configcli(pod, "nodegroups.1.roles."+role+".fqdns"))
}

// podsOf are the first labels of host names that commas separate.
func podsOf(fqdns string) []string {
	var pods []string
	for _, fqdn := range strings.Split(fqdns, ",") {
		pod, _, _ := strings.Cut(fqdn, ".")
		pods = append(pods, pod)
	}
	return pods
}

// mentioning are the objects of a cluster whose names contain one of the parts.
func (f *fixture) mentioning(cluster string, parts ...string) []string {
	f.Helper()
	return slices.DeleteFunc(f.childrenOf(f.Context(), cluster), func(child string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(child, part) })
	})
}

// wantSamePods tells whether pods and their containers are still those they were.
func (f *fixture) wantSamePods(before ...*corev1.Pod) {
	f.Helper()
	for _, pod := range before {
		now := f.pod(pod.Name)
		if now.UID != pod.UID || containerID(now) != containerID(pod) {
			f.Errorf("pod or container of %s is another one", pod.Name)
		}
	}
}

// witness calls a function for each change of a cluster's objects until the test ends,
// and for what there is to begin with.
func (f *fixture) witness(start func(context.Context, metav1.ListOptions) (watch.Interface, error), options metav1.ListOptions, see func(watch.Event)) {
	f.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	watcher, err := start(ctx, options)
	if err != nil {
		cancel()
		f.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watcher.ResultChan() {
			see(event)
		}
	}()
	f.Cleanup(func() {
		cancel()
		watcher.Stop()
		<-done
	})
}

// logSince logs how long something took.
func (f *fixture) logSince(begun time.Time, what string) {
	f.Helper()
	f.Logf("%s: %s", what, time.Since(begun).Round(time.Millisecond))
}
