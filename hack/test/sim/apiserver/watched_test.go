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

package apiserver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// follower notes what watches of a namespace tell.
type follower struct {
	*court
	told []chan []string
	ends []func()
}

// last is the object by which a watch's end is known.
const last = "zz-last"

func follow(c *court) *follower {
	f := &follower{court: c}
	core := c.kube.CoreV1()
	followKind(f, core.ConfigMaps(c.space).Watch, listConfigMaps, create(configMaps, configMap(last)))
	followKind(f, core.Pods(c.space).Watch, listPods, create(pods, pod(last, "")))
	followKind(f, core.Services(c.space).Watch, func(c *court, o metav1.ListOptions) (runtime.Object, error) {
		return core.Services(c.space).List(c.Context(), o)
	}, create(services, service(last)))
	followKind(f, core.PersistentVolumeClaims(c.space).Watch, func(c *court, o metav1.ListOptions) (runtime.Object, error) {
		return core.PersistentVolumeClaims(c.space).List(c.Context(), o)
	}, create(claims, claim(last)))
	followKind(f, c.kube.AppsV1().StatefulSets(c.space).Watch, func(c *court, o metav1.ListOptions) (runtime.Object, error) {
		return c.kube.AppsV1().StatefulSets(c.space).List(c.Context(), o)
	}, create(sets, set(last)))
	followKind(f, c.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(c.space).Watch, listClusters, create(clusters, cluster(last)))
	return f
}

// followKind begins a watch at what a list shows.
func followKind(f *follower, open func(context.Context, metav1.ListOptions) (watch.Interface, error), list func(*court, metav1.ListOptions) (runtime.Object, error), end func(*court) outcome) {
	f.Helper()
	listed, err := list(f.court, metav1.ListOptions{})
	if err != nil {
		f.Fatal(err)
	}
	known, err := meta.ListAccessor(listed)
	if err != nil {
		f.Fatal(err)
	}
	w, err := open(f.Context(), metav1.ListOptions{ResourceVersion: known.GetResourceVersion(), AllowWatchBookmarks: true})
	if err != nil {
		f.Fatal(err)
	}
	told := make(chan []string, 1)
	go func() {
		defer w.Stop()
		told <- collect(w)
	}()
	f.told = append(f.told, told)
	f.ends = append(f.ends, func() { end(f.court) })
}

// collect is what a watch tells of each object up to the last. What Kubernetes'
// controllers change of objects, which is not compared, is left out.
func collect(w watch.Interface) []string {
	var lines []string
	known := map[string]string{}
	timeout := time.After(time.Minute)
	for {
		select {
		case e, more := <-w.ResultChan():
			if !more {
				return append(lines, "the watch ended")
			}
			o, is := e.Object.(Object)
			if !is {
				return append(lines, fmt.Sprintf("%s %v", e.Type, e.Object))
			}
			if e.Type == watch.Bookmark || strings.HasPrefix(o.GetName(), collected) || o.GetName() == "kube-root-ca.crt" || o.GetName() == "s-0" || o.GetName() == "data-s-0" {
				continue
			}
			state := describe(o)
			if e.Type != watch.Modified || known[o.GetName()] != state {
				lines = append(lines, fmt.Sprintf("%s %T %s", e.Type, o, state))
			}
			known[o.GetName()] = state
			if o.GetName() == last {
				return lines
			}
		case <-timeout:
			return append(lines, "no end in sight")
		}
	}
}

func describe(o Object) string {
	f := normal(outcome{Answer: factsOf(o, nil)}).Answer
	return fmt.Sprintf("%s generation %d deleting %t in %d held by %v labels %v annotations %v owners %d status %s\n    %s",
		o.GetName(), f.Generation, f.Deleting, f.Grace, f.Finalizers, f.Labels, f.Annotations, f.Owners, f.Status, f.Content)
}

// end is all that was told, kind by kind.
func (f *follower) end() []string {
	for _, end := range f.ends {
		end()
	}
	var lines []string
	for _, told := range f.told {
		lines = slices.Concat(lines, <-told)
	}
	return lines
}
