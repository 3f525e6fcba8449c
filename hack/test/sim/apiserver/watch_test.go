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
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// watched begins a watch of ConfigMaps.
func watched(t *testing.T, s *Server, options metav1.ListOptions) watch.Interface {
	t.Helper()
	w, err := newCourt(t, &rest.Config{Host: "http://sim", Transport: s}, "ns").kube.CoreV1().ConfigMaps("ns").Watch(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// told is what a watch has told once nothing goes on any more.
func told(w watch.Interface) (lines []string) {
	synctest.Wait()
	for {
		select {
		case e, more := <-w.ResultChan():
			if !more {
				return append(lines, "end")
			}
			switch o := e.Object.(type) {
			case *metav1.Status:
				lines = append(lines, fmt.Sprint(e.Type, " ", o.Reason))
			case *corev1.ConfigMap:
				lines = append(lines, strings.TrimSpace(fmt.Sprint(e.Type, " ", o.Name, " ", o.Data["value"])))
			}
		default:
			return lines
		}
		synctest.Wait()
	}
}

func demand(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestAWatchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		inSpace(t, s, configMap("a"))
		begun := fmt.Sprint(s.Version())
		inSpace(t, s, configMap("b"))
		w := watched(t, s, metav1.ListOptions{ResourceVersion: begun, AllowWatchBookmarks: true})
		demand(t, told(w), "ADDED b", "BOOKMARK")
		rewrite(t, s, "a", "2")
		inSpace(t, s, pod("p", ""))
		demand(t, told(w), "MODIFIED a 2")
		time.Sleep(time.Hour)
		demand(t, told(w))
		w.Stop()
		synctest.Wait()
		rewrite(t, s, "a", "3")
		demand(t, told(w), "end")
		if left := len(s.stores[configMapResource].log.watchers); left != 0 {
			t.Errorf("%d watchers are left", left)
		}
	})
}

func TestAWatchWithoutAVersionBeginsWithWhatThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		inSpace(t, s, configMap("b"))
		inSpace(t, s, configMap("a"))
		limit := int64(30)
		w := watched(t, s, metav1.ListOptions{TimeoutSeconds: &limit})
		demand(t, told(w), "ADDED a", "ADDED b")
		time.Sleep(30 * time.Second)
		demand(t, told(w), "end")
	})
}

func TestAWatchOfWhatIsSelected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		w := watched(t, s, metav1.ListOptions{LabelSelector: "name=a"})
		inSpace(t, s, configMap("a"))
		inSpace(t, s, configMap("b"))
		demand(t, told(w), "ADDED a")
		moved := rewrite(t, s, "a", "2").DeepCopy()
		moved.Labels["name"] = "other"
		moved, err := Update(s, moved)
		if err != nil {
			t.Fatal(err)
		}
		demand(t, told(w), "MODIFIED a 2", "DELETED a 2")
		rewrite(t, s, "a", "3")
		moved, _ = Get[*corev1.ConfigMap](s, "ns", moved.Name)
		moved = moved.DeepCopy()
		moved.Labels["name"] = "a"
		if _, err := Update(s, moved); err != nil {
			t.Fatal(err)
		}
		demand(t, told(w), "ADDED a 3")
		w.Stop()
	})
}

func TestAWatchOfWhatIsForgottenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		inSpace(t, s, configMap("a"))
		begun := fmt.Sprint(s.Version())
		w := watched(t, s, metav1.ListOptions{ResourceVersion: begun})
		rewrite(t, s, "a", "2")
		s.Compact(configMapResource)
		demand(t, told(w), "ERROR Expired", "end")
		demand(t, told(watched(t, s, metav1.ListOptions{ResourceVersion: begun})), "ERROR Expired", "end")
		_, err := newCourt(t, &rest.Config{Host: "http://sim", Transport: s}, "ns").kube.CoreV1().ConfigMaps("ns").Watch(t.Context(), metav1.ListOptions{ResourceVersion: "x"})
		if !apierrors.IsBadRequest(err) {
			t.Errorf("a version that is none: %v", err)
		}
	})
}

func TestAWatchEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sim/api/v1/configmaps?watch=1", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := New().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		cancel()
		if _, err := io.ReadAll(response.Body); err != context.Canceled {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestInformersFollow demands that client-go's own informer lists, watches, and
// lists again after the log was lost.
func TestInformersFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		inSpace(t, s, configMap("a"))
		client := newCourt(t, &rest.Config{Host: "http://sim", Transport: s}, "ns").kube.CoreV1().ConfigMaps("ns")
		informer := cache.NewSharedIndexInformer(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return client.List(ctx, o) },
			WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
				return client.Watch(ctx, o)
			},
		}, &corev1.ConfigMap{}, 0, cache.Indexers{})
		ctx, stop := context.WithCancel(t.Context())
		go informer.RunWithContext(ctx)
		knows := func(want string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			o, found, err := informer.GetStore().GetByKey("ns/a")
			if err != nil || !found || o.(*corev1.ConfigMap).Data["value"] != want {
				t.Errorf("it knows %v, %v, want %q", o, err, want)
			}
		}
		knows("")
		rewrite(t, s, "a", "2")
		knows("2")
		rewrite(t, s, "a", "3")
		s.Compact(configMapResource)
		knows("3")
		stop()
		synctest.Wait()
	})
}
