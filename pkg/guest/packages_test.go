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

package guest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/plan"
)

var setup = catalog.ConfigMapKey{Namespace: "apps", Name: "spark-setup", Key: "setup.tgz"}

func fromConfigMap(s *plan.Step) {
	s.Package = &catalog.Package{ConfigMap: &setup}
	s.PackageSHA256 = "ab"
}

func configMap(edit func(*corev1.ConfigMap)) *corev1.ConfigMap {
	c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: setup.Namespace, Name: setup.Name}}
	edit(c)
	return c
}

func holding(content string) *corev1.ConfigMap {
	return configMap(func(c *corev1.ConfigMap) { c.BinaryData = map[string][]byte{setup.Key: []byte(content)} })
}

func TestAPackageTravelsFromItsConfigMap(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a", fromConfigMap))
		time.Sleep(time.Minute)
		want := &protocol.Package{Source: protocol.PackageInline, Bytes: []byte("tgz"), URL: "configmap://spark-setup/setup.tgz", SHA256: "ab"}
		if diff := cmp.Diff(want, w.guests.sent("uid-a")[0].Package); diff != "" {
			t.Errorf("package (-want +got):\n%s", diff)
		}
	}, holding("tgz"))
}

func TestAPackageIsFetchedByTheGuestFromAURL(t *testing.T) {
	inBubble(t, Options{CABundle: "PEM"}, succeeds, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a", func(s *plan.Step) { s.Package = &catalog.Package{URL: "https://example.com/setup.tgz"} }))
		time.Sleep(time.Minute)
		want := &protocol.Package{Source: protocol.PackageURL, URL: "https://example.com/setup.tgz", CABundle: "PEM"}
		if diff := cmp.Diff(want, w.guests.sent("uid-a")[0].Package); diff != "" {
			t.Errorf("package (-want +got):\n%s", diff)
		}
	})
}

func TestARunningScriptKeepsItsPackage(t *testing.T) {
	inBubble(t, Options{}, runsForever, func(t *testing.T, w *world) {
		for range 2 {
			w.Ensure(cluster(1), step("a", fromConfigMap))
			time.Sleep(time.Minute)
		}
		sent := w.guests.sent("uid-a")
		if len(sent) != 2 || sent[0].Package == nil || sent[1].Package != nil {
			t.Errorf("want two requests, only the first with a package, got %d", len(sent))
		}
	}, holding("tgz"))
}

// isSetUp makes a step that of a container whose own scripts have run: it is called for addnodes.
func isSetUp(s *plan.Step) {
	s.Configured = plan.ConfiguredNever
	s.Event.Name, s.Event.Once, s.Event.Generation = v1alpha1.EventAddNodes, plan.OncePerGeneration, 7
}

func TestMetadataComesWithoutThePackage(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		s := step("a", fromConfigMap, isSetUp, func(s *plan.Step) { s.Event = nil })
		w.Ensure(cluster(1), s)
		time.Sleep(time.Minute)
		w.expect(t, s, plan.PhaseDone, "", 1)
		if sent := w.guests.sent("uid-a"); len(sent) != 1 || sent[0].Package != nil || sent[0].Metadata == nil {
			t.Errorf("want one request with metadata alone, got %+v", sent)
		}
	}, holding("tgz"))
}

func TestAContainerThatIsSetUpDoesWithThePackageItHas(t *testing.T) {
	for _, c := range []struct {
		name      string
		configMap *corev1.ConfigMap
		phase     plan.Phase
		sent      *protocol.Package
	}{
		{"a package", holding("tgz"), plan.PhaseDone,
			&protocol.Package{Source: protocol.PackageInline, Bytes: []byte("tgz"), URL: "configmap://spark-setup/setup.tgz", SHA256: "ab"}},
		{"no ConfigMap", configMap(func(c *corev1.ConfigMap) { c.Name = "another" }), plan.PhaseDone, nil},
		{"no key", configMap(func(*corev1.ConfigMap) {}), plan.PhaseDone, nil},
		{"a bad package", holding(""), plan.PhaseFaulted, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
				s := step("a", fromConfigMap, isSetUp)
				w.Ensure(cluster(1), s)
				time.Sleep(time.Minute)
				if got, _ := w.Outcome("uid-a"); got.Phase != c.phase {
					t.Errorf("phase %s, want %s: %s", got.Phase, c.phase, got.Message)
				}
				var got *protocol.Package
				for _, request := range w.guests.sent("uid-a") {
					got = request.Package
				}
				if diff := cmp.Diff(c.sent, got); diff != "" {
					t.Errorf("package (-want +got):\n%s", diff)
				}
			}, c.configMap)
		})
	}
}

func TestAPackageThatCannotBeSentReachesNoContainer(t *testing.T) {
	for _, c := range []struct {
		name      string
		configMap *corev1.ConfigMap
		phase     plan.Phase
		reason    string
		message   string
	}{
		{"no ConfigMap", configMap(func(c *corev1.ConfigMap) { c.Name = "another" }), plan.PhaseWaiting, v1alpha1.ReasonWaitingForConfigMap,
			"the package is to come from configmap apps/spark-setup key setup.tgz, which does not exist yet"},
		{"no such key", configMap(func(c *corev1.ConfigMap) {
			c.Data, c.BinaryData = map[string]string{"readme": "x"}, map[string][]byte{"setup.tar.gz": nil, "a.tgz": nil}
		}), plan.PhaseFaulted, string(protocol.PackageNotFound), "configmap apps/spark-setup has no key setup.tgz: it has a.tgz, readme, setup.tar.gz"},
		{"no key", configMap(func(*corev1.ConfigMap) {}), plan.PhaseFaulted, string(protocol.PackageNotFound),
			"configmap apps/spark-setup has no key setup.tgz: it has none"},
		{"empty", holding(""), plan.PhaseFaulted, string(protocol.PackageNotTgz), "key setup.tgz of ConfigMap apps/spark-setup is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
				s := step("a", fromConfigMap)
				w.Ensure(cluster(1), s)
				time.Sleep(time.Minute)
				w.expect(t, s, c.phase, c.reason, 1)
				if got, _ := w.Outcome("uid-a"); got.Message != c.message {
					t.Errorf("message %q, want %q", got.Message, c.message)
				}
				if n := w.guests.count(); n != 0 {
					t.Errorf("%d requests, want none", n)
				}
			}, c.configMap)
		})
	}
}

func TestAWaitingStepGoesOnOnceTheConfigMapIsThere(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		s := step("a", fromConfigMap)
		w.Ensure(cluster(1), s)
		time.Sleep(time.Minute)
		w.expect(t, s, plan.PhaseWaiting, v1alpha1.ReasonWaitingForConfigMap, 1)
		if _, err := w.ConfigMaps.ConfigMaps(setup.Namespace).Create(t.Context(), holding("tgz"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		w.Ensure(cluster(1), s)
		time.Sleep(time.Minute)
		w.expect(t, s, plan.PhaseDone, "", 1)
	})
}

func TestALookAtAPackageTellsItsVersion(t *testing.T) {
	inBubble(t, Options{}, succeeds, func(t *testing.T, w *world) {
		began := time.Now()
		w.CheckPackage(cluster(1), setup)
		w.CheckPackage(cluster(2), setup)
		time.Sleep(time.Minute)
		for _, c := range []int{1, 2} {
			if diff := cmp.Diff(map[catalog.ConfigMapKey]plan.PackageCheck{setup: {Version: versionOf([]byte("tgz")), At: began}}, w.Packages(cluster(c))); diff != "" {
				t.Errorf("what cluster %d is told (-want +got):\n%s", c, diff)
			}
			if n := len(w.told(cluster(c))); n != 1 {
				t.Errorf("cluster %d was told %d times, want once", c, n)
			}
		}
		if found := w.Packages(cluster(3)); len(found) != 0 {
			t.Errorf("a cluster that did not ask is told %v", found)
		}
		w.ForgetCluster(cluster(1))
		w.ForgetCluster(cluster(2))
		if n := len(w.checks); n != 0 {
			t.Errorf("%d looks are kept for nobody", n)
		}
	}, holding("tgz"))
}

func TestTheVersionOfAPackageIsThatOfItsContentEverywhere(t *testing.T) {
	inBubble(t, Options{}, func(_ context.Context, request *protocol.Request, emit func(protocol.Record)) error {
		record := result(request, protocol.EventSucceeded)
		if bytes.Equal(request.Package.Bytes, []byte("no tgz")) {
			record.Event, record.Fault = nil, &protocol.Fault{Step: protocol.StepPackage, Reason: protocol.PackageNotTgz, Message: "it is text"}
		}
		emit(record)
		return nil
	}, func(t *testing.T, w *world) {
		w.Ensure(cluster(1), step("a", fromConfigMap))
		w.CheckPackage(cluster(1), setup)
		time.Sleep(time.Minute)
		w.expect(t, step("a", fromConfigMap), plan.PhaseFaulted, string(protocol.PackageNotTgz), 1)
		outcome, _ := w.Outcome("uid-a")
		if check := w.Packages(cluster(1))[setup]; outcome.PackageVersion == "" || outcome.PackageVersion != check.Version {
			t.Errorf("the package at fault is %q, the one in the ConfigMap %q", outcome.PackageVersion, check.Version)
		}
	}, holding("no tgz"))
}
