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

package crash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	v1alpha1client "github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned/typed/kubedirector/v1alpha1"
)

const (
	// patience bounds each part of a life; many go side by side.
	patience = 3 * time.Minute
	// silence is how long a controller that has nothing left to do makes no call.
	silence = time.Second
)

// part is a part of a cluster's life.
type part struct {
	name string
	// begin is what the user does.
	begin func(context.Context, *life) error
	// workers are those there are in the end; none is without a cluster.
	workers int
}

// parts come one after the other.
var parts = []part{
	{"create", func(ctx context.Context, l *life) error {
		_, err := l.clusters().Create(ctx, newCluster(2), metav1.CreateOptions{})
		return err
	}, 2},
	{"up", func(ctx context.Context, l *life) error { return l.scale(ctx, 4) }, 4},
	{"down", func(ctx context.Context, l *life) error { return l.scale(ctx, 2) }, 2},
	{"delete", func(ctx context.Context, l *life) error {
		background := metav1.DeletePropagationBackground
		return l.clusters().Delete(ctx, clusterName, metav1.DeleteOptions{PropagationPolicy: &background})
	}, 0},
}

// life is that of a cluster, in a namespace of its own, under controllers of its own.
type life struct {
	namespace string
	log       *log
	subject   *controller
	calls     []call // of those that died
	diedOf    []string
}

// newLife begins where an app waits to be used.
func newLife(t *testing.T) *life {
	t.Helper()
	namespace, err := makeNamespace(t.Context(), "life")
	if err != nil {
		t.Fatal(err)
	}
	l := &life{namespace: namespace, log: &log{}}
	t.Cleanup(func() { l.end(t) })
	apps := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps(namespace)
	if _, err := apps.Create(t.Context(), newApp(), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if l.subject, err = startController(namespace, l.log); err != nil {
		t.Fatal(err)
	}
	l.until(t, "the app is valid", func(ctx context.Context) (bool, string) {
		app, err := apps.Get(ctx, newApp().Name, metav1.GetOptions{})
		return err == nil && meta.IsStatusConditionTrue(app.Status.Conditions, v1alpha1.ConditionValid), fmt.Sprint(err)
	})
	return l
}

// end deletes what there still is.
func (l *life) end(t *testing.T) {
	if t.Failed() {
		t.Logf("the controllers of %s:\n%s", l.namespace, l.log)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if l.subject != nil {
		l.subject.wire.await(fate{})
		if err := errors.Join(l.leave(ctx), l.subject.stop()); err != nil {
			t.Error(err)
		}
	}
	if err := removeNamespace(l.namespace); err != nil {
		t.Error(err)
	}
}

// leave has the last controller let the cluster go, if there is one, whatever scripts wait to be witnessed.
func (l *life) leave(ctx context.Context) error {
	soon := []byte(`[{"op": "add", "path": "/spec/deletionPolicy/hookDeadlineSeconds", "value": 1}]`)
	_, err := l.clusters().Patch(ctx, clusterName, types.JSONPatchType, soon, metav1.PatchOptions{})
	if err == nil {
		err = l.clusters().Delete(ctx, clusterName, metav1.DeleteOptions{})
	}
	if apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, interval, true, func(ctx context.Context) (bool, error) {
		if err := l.succeed(ctx); err != nil {
			return false, err
		}
		_, err := l.clusters().Get(ctx, clusterName, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

// live lives one part and returns what it has led to, line by line.
func (l *life) live(t *testing.T, p part, f fate) []string {
	t.Helper()
	before, err := look(t.Context(), l.namespace)
	if err != nil {
		t.Fatal(err)
	}
	var witnesses []*witness
	for _, pod := range before.pods() {
		w := watchScripts(l.namespace, pod)
		defer w.stop()
		witnesses = append(witnesses, w)
	}
	l.until(t, "every script so far is known", func(context.Context) (bool, string) {
		return !slices.ContainsFunc(witnesses, func(w *witness) bool { return len(w.calls()) == 0 }), ""
	})
	l.calls, l.diedOf = nil, nil
	l.subject.wire.await(f)
	if err := p.begin(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	after := l.untilLived(t, p)
	text := append(after.describe(before.uids()), done(l.namespace, append(l.calls, l.subject.wire.sent()...))...)
	text = append(text, l.scripts(t, after, witnesses)...)
	for i := range text {
		text[i] = strings.ReplaceAll(text[i], l.namespace, "NAMESPACE")
	}
	return text
}

// untilLived waits until a part is over, and the controller that lives has nothing left to do.
func (l *life) untilLived(t *testing.T, p part) *world {
	t.Helper()
	var last *world
	l.until(t, p.name, func(ctx context.Context) (bool, string) {
		if err := l.succeed(ctx); err != nil {
			t.Fatal(err)
		}
		rests := l.subject.wire.rests(silence)
		now, err := look(ctx, l.namespace)
		if err != nil {
			return false, err.Error()
		}
		last = now
		return rests && now.over(p), fmt.Sprintf("the controller rests: %t; there is\n%s", rests, strings.Join(now.describe(nil), "\n"))
	})
	return last
}

// over is true when a part has led to what its user wants.
func (w *world) over(p part) bool {
	if p.workers == 0 {
		return len(w.objects) == 0
	}
	if w.cluster == nil || len(w.pods()) != p.workers+1 || w.count("PersistentVolumeClaim") != p.workers {
		return false
	}
	ready := meta.FindStatusCondition(w.cluster.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == w.cluster.Generation
}

// succeed has another controller take the place of one that has died.
func (l *life) succeed(ctx context.Context) error {
	of, dead := l.subject.wire.death()
	if !dead {
		select {
		case <-l.subject.ended:
			return fmt.Errorf("the controller has ended of itself: %v", l.subject.err)
		default:
			return nil
		}
	}
	if err := l.subject.wait(); err != nil {
		return err
	}
	if err := expireLease(ctx, l.namespace); err != nil {
		return err
	}
	l.calls = append(l.calls, l.subject.wire.sent()...)
	l.diedOf = append(l.diedOf, of.what(l.namespace))
	fmt.Fprintf(l.log, "---- died of %s ----\n", of.what(l.namespace))
	next, err := startController(l.namespace, l.log)
	if err != nil {
		return err
	}
	l.subject = next
	return nil
}

// scripts are the calls of every member's script, of those that have gone, too.
func (l *life) scripts(t *testing.T, now *world, witnesses []*witness) []string {
	t.Helper()
	calls := map[string][]string{}
	for _, w := range witnesses {
		calls[w.pod] = w.calls()
	}
	for _, pod := range now.pods() {
		read, err := scriptsOf(t.Context(), l.namespace, pod)
		if err != nil {
			t.Fatal(err)
		}
		calls[pod] = read
	}
	var text []string
	for pod, made := range calls {
		for i, call := range made {
			text = append(text, fmt.Sprintf("script: %s %d: %s", pod, i+1, call))
		}
	}
	slices.Sort(text)
	return text
}

// until waits until all is as wanted; the text says how things stand.
func (l *life) until(t *testing.T, what string, wanted func(context.Context) (done bool, stands string)) {
	t.Helper()
	var stands string
	err := wait.PollUntilContextTimeout(t.Context(), interval, patience, true, func(ctx context.Context) (done bool, err error) {
		done, stands = wanted(ctx)
		return done, nil
	})
	if err != nil {
		t.Fatalf("%s: not within %s; %s", what, patience, stands)
	}
}

func (l *life) clusters() v1alpha1client.KubeDirectorClusterInterface {
	return server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(l.namespace)
}

// scale sets the number of workers.
func (l *life) scale(ctx context.Context, workers int) error {
	patch := fmt.Appendf(nil, `[{"op": "replace", "path": "/spec/roles/1/members", "value": %d}]`, workers)
	_, err := l.clusters().Patch(ctx, clusterName, types.JSONPatchType, patch, metav1.PatchOptions{})
	return err
}
