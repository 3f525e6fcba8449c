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
	"compress/gzip"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// packageKey is the key of packages in ConfigMaps.
const packageKey = "testsetup.tgz"

// startscript is a package with this shell script.
func startscript(t *testing.T, script string) []byte {
	t.Helper()
	return archive(t, "testsetup/startscript", script)
}

// archive is a gzipped tar with one executable file.
func archive(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	entries := tar.NewWriter(zipped)
	if err := entries.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := entries.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := entries.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// packageMap is a ConfigMap that carries a package.
func packageMap(name string, content []byte) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, BinaryData: map[string][]byte{packageKey: content}}
}

// recordingScript is the script of the image testapp-debian: it writes down what
// it was called for, and as whom, and takes as long and ends as it is asked to.
var recordingScript = func() string {
	script, err := os.ReadFile(root + "/artifacts/images/testapp-debian/testsetup/startscript")
	if err != nil {
		panic(err)
	}
	return string(script)
}()

// eventsFile is where the scripts of these tests write down what they were called for.
const eventsFile = "/var/lib/testapp/events"
