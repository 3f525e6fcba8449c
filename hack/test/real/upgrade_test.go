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
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/version"
)

// nextVersion is the version that takes over.
var nextVersion = version.Get() + "-next"

// TestUpgrade has the next version of the controller take over clusters that
// run. It brings another guest, and renders pods otherwise; but no pod is its
// business until its user changes something, and then no other than that.
func TestUpgrade(t *testing.T) {
	f := newFixture(t, "upgrade")
	f.applyGoodPackage()
	f.apply(lifeApp())
	cluster := func(edits ...func(*v1alpha1.KubeDirectorClusterSpec)) *v1alpha1.KubeDirectorCluster {
		return newCluster("life", "testapp", append([]func(*v1alpha1.KubeDirectorClusterSpec){func(spec *v1alpha1.KubeDirectorClusterSpec) {
			spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker", Members: ptr.To[int32](2)}}
		}}, edits...)...)
	}
	f.apply(cluster())
	f.untilReady("life")
	before, sets := f.running("life"), f.generations("life")
	old := guestImage(f.pod("life-worker-0"))

	program, archive := f.buildNext()
	f.devcluster("load-image", archive)
	f.withoutSubject()
	start := audit.now(t)
	f.startNext(program)
	// By the time that a cluster made now is ready, those from before were looked at.
	f.apply(newCluster("after", "testapp", func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker"}}
	}))
	f.untilReady("after")
	f.untilReady("life")
	if diff := cmp.Diff(before, f.running("life")); diff != "" {
		t.Errorf("what runs, before the upgrade and after (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(sets, f.generations("life")); diff != "" {
		t.Errorf("generations of the StatefulSets, before the upgrade and after (-before +after):\n%s", diff)
	}
	for _, r := range writes(audit.byController(t, start), f.namespace) {
		if strings.HasPrefix(r.ObjectRef.Name, "life") && r.ObjectRef.Resource != "events" && r.what() != "update kubedirectorclusters/status" {
			t.Errorf("to take over it wrote: %s", r)
		}
	}
	f.wantGuest("after-worker-0", "kubedirector/kubedirector:"+nextVersion, 2)

	// A role is edited, another grows: one is renewed, the other goes on with the pods it has.
	f.apply(cluster(func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles[0].Env = []corev1.EnvVar{{Name: "COLOUR", Value: "blue"}}
		spec.Roles[1].Members = ptr.To[int32](3)
	}))
	f.untilReady("life")
	f.wantGuest("life-controller-0", "kubedirector/kubedirector:"+nextVersion, 2)
	for _, pod := range []string{"life-worker-0", "life-worker-1", "life-worker-2"} {
		f.wantGuest(pod, old, 1)
	}
	after := f.running("life")
	for _, pod := range []string{"life-worker-0", "life-worker-1"} {
		uid, _, _ := strings.Cut(before[pod], " ")
		if !strings.HasPrefix(after[pod], uid) {
			t.Errorf("%s is another pod, though its role was only scaled", pod)
		}
	}
	if got := f.exec("life-controller-0", "printenv", "COLOUR"); got != "blue\n" {
		t.Errorf("COLOUR is %q", got)
	}
}

// wantGuest checks which guest a pod has, and the period of its probe, in which the versions differ.
func (f *fixture) wantGuest(pod, image string, period int32) {
	f.Helper()
	got := f.pod(pod)
	for _, c := range got.Spec.Containers {
		if c.Name == names.ContainerName && c.StartupProbe.PeriodSeconds != period {
			f.Errorf("%s: probed every %d seconds, want %d", pod, c.StartupProbe.PeriodSeconds, period)
		}
	}
	if guestImage(got) != image {
		f.Errorf("%s has the guest of %s, want that of %s", pod, guestImage(got), image)
	}
}

// guestImage is where a pod has its guest from.
func guestImage(pod *corev1.Pod) string { return pod.Spec.InitContainers[0].Image }

// generations count the changes of the specs of a cluster's StatefulSets.
func (f *fixture) generations(cluster string) map[string]int64 {
	f.Helper()
	sets, err := server.kube.AppsV1().StatefulSets(f.namespace).List(f.Context(), metav1.ListOptions{LabelSelector: names.LabelCluster + "=" + cluster})
	f.must(err)
	generations := map[string]int64{}
	for _, set := range sets.Items {
		generations[set.Name] = set.Generation
	}
	return generations
}

// startNext starts the next version in place of the one that all tests share, until the end of the test.
func (f *fixture) startNext(program string) {
	f.Helper()
	next := &controller{program: program, args: subject.args, logFile: filepath.Join(filepath.Dir(subject.logFile), "controller-next.log")}
	f.must(os.WriteFile(next.logFile, nil, 0o644))
	f.must(next.start())
	f.Cleanup(func() {
		if err := next.stop(); err != nil {
			f.Error(err)
		}
		for _, line := range next.unexpectedErrors() {
			f.Errorf("the next version logged: %s", line)
		}
	})
}

// buildNext builds the next version, as make build and make image do it: the
// controller, and an archive of the image.
func (f *fixture) buildNext() (program, archive string) {
	f.Helper()
	dir := f.TempDir()
	overlay := filepath.Join(dir, "overlay.json")
	f.must(writeJSON(overlay, map[string]any{"Replace": map[string]string{
		f.edit(dir, "pod.go", `PeriodSeconds:    1,`, `PeriodSeconds:    2,`):                       filepath.Join(dir, "pod.go"),
		f.edit(dir, "input.go", `const BuilderVersion = "(\d+)"`, `const BuilderVersion = "${1}0"`): filepath.Join(dir, "input.go"),
	}}))
	build := exec.CommandContext(f.Context(), "go", "build", "-mod=vendor", "-trimpath", "-overlay", overlay,
		"-ldflags", "-s -w -X github.com/bluek8s/kubedirector/pkg/version.gitVersion="+nextVersion, "-o", dir+"/", "./cmd/...")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		f.Fatalf("%v: %s", err, out)
	}
	archive = filepath.Join(dir, "image.tar")
	f.must(writeImage(archive, "kubedirector/kubedirector:"+nextVersion, filepath.Join(dir, "kubedirector"), filepath.Join(dir, "kdguest")))
	return filepath.Join(dir, "kubedirector"), archive
}

// edit writes an edited copy of a file of pkg/resources, and returns the file's own path.
func (f *fixture) edit(dir, name, old, new string) string {
	f.Helper()
	file, err := filepath.Abs(filepath.Join(root, "pkg", "resources", name))
	f.must(err)
	source, err := os.ReadFile(file)
	f.must(err)
	edited := regexp.MustCompile(old).ReplaceAll(source, []byte(new))
	if bytes.Equal(source, edited) {
		f.Fatalf("%s has nothing like %s", file, old)
	}
	f.must(os.WriteFile(filepath.Join(dir, name), edited, 0o644))
	return file
}

// writeImage archives an image of programs and nothing else, as artifacts/images/kubedirector is one.
func writeImage(archive, name string, programs ...string) error {
	var layer bytes.Buffer
	if err := writeTar(&layer, programs...); err != nil {
		return err
	}
	dir := filepath.Dir(archive)
	if err := os.WriteFile(filepath.Join(dir, "layer.tar"), layer.Bytes(), 0o644); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "config.json"), map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"User": "65532:65532", "Entrypoint": []string{"/kubedirector"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer.Bytes()))}},
	}); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "manifest.json"), []map[string]any{
		{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}},
	}); err != nil {
		return err
	}
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	defer out.Close()
	return writeTar(out, filepath.Join(dir, "layer.tar"), filepath.Join(dir, "config.json"), filepath.Join(dir, "manifest.json"))
}

// writeTar archives files under their last names.
func writeTar(out io.Writer, files ...string) error {
	archive := tar.NewWriter(out)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: filepath.Base(file), Mode: 0o755, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

func writeJSON(file string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}
