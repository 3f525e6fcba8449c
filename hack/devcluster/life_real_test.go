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
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLife takes one devcluster through its whole life. The steps build on each other.
func TestLife(t *testing.T) {
	p := newTestProgram(t)
	before := machineTraces(t, p)

	interruptUp(t, p)
	p.must("up")
	loadWeb(t, p)
	p.kubectl("apply", "-f", "testdata/web.yaml")
	waitWeb(t, p)
	checkNetwork(t, p)
	p.kubectl("exec", "web-0", "--", "/web", "write", "/files/note", "kept")

	p.must("up") // A second time changes nothing.
	refuseAnother(t, p)
	loseNode(t, p)
	killEverything(t, p)
	p.must("up")
	waitWeb(t, p)
	checkNetwork(t, p)
	if got := p.kubectl("exec", "web-0", "--", "/web", "read", "/files/note"); got != "kept" {
		t.Errorf("the volume's file holds %q after the restart", got)
	}

	p.must("down")
	if _, err := os.Stat(p.dir); !os.IsNotExist(err) {
		t.Errorf("the devcluster's folder after down: %v", err)
	}
	compareTraces(t, before, machineTraces(t, p))
	p.must("down") // There is nothing left to take down.
}

// interruptUp kills up when the control plane is there and the nodes are not yet.
func interruptUp(t *testing.T, p *testProgram) {
	t.Helper()
	cmd := p.command("up")
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A step is a line that ends when it is done, so its beginning is read word by word.
	words := bufio.NewScanner(output)
	words.Split(bufio.ScanWords)
	var seen []string
	for words.Scan() {
		seen = append(seen, words.Text())
		if len(seen) > 3 && slices.Equal(seen[len(seen)-3:], []string{"starting", "the", "nodes"}) {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // It was killed: that is its error.
			return
		}
	}
	t.Fatalf("up never came to start the nodes: %s", strings.Join(seen, " "))
}

func loadWeb(t *testing.T, p *testProgram) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "web")
	t.Setenv("CGO_ENABLED", "0")
	if _, err := run("go", "build", "-C", "testdata/web", "-o", binary, "."); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	image, err := scratchImage("devcluster.local/web:1", "/web", content)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "web.tar")
	if err := os.WriteFile(archive, image, 0o644); err != nil {
		t.Fatal(err)
	}
	p.must("load-image", archive)
}

// waitWeb waits until both pods answer an exec: after a restart the API server believes for a while that they run.
func waitWeb(t *testing.T, p *testProgram) {
	t.Helper()
	for _, pod := range []string{"web-0", "web-1"} {
		err := poll(2*time.Minute, pod+" to run", func() error {
			_, err := p.cluster().kubectl("", "exec", pod, "--", "/web", "get", "http://localhost:8080")
			return err
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, p.kubectl("get", "pods,events,pvc", "-o", "wide"))
		}
	}
}

// checkNetwork reaches pods, Services and the machine from where each should be reachable.
func checkNetwork(t *testing.T, p *testProgram) {
	t.Helper()
	l, err := net.Listen("tcp", machineAddress+":0")
	if err != nil {
		t.Fatal(err)
	}
	machine := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "machine") })}
	go machine.Serve(l)
	defer machine.Close()

	for _, url := range []string{
		"http://web-1.members:8080", "http://web-0.members.default.svc.cluster.local:8080", "http://web", "http://10.178.0.100",
		"http://" + l.Addr().String(),
	} {
		err := poll(30*time.Second, url+" in a pod", func() error {
			_, err := p.cluster().kubectl("", "exec", "web-0", "--", "/web", "get", url)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	client := http.Client{Timeout: 3 * time.Second}
	err = poll(30*time.Second, "the Service from the machine", func() error {
		answer, err := client.Get("http://10.178.0.100")
		if err != nil {
			return err
		}
		return answer.Body.Close()
	})
	if err != nil {
		t.Error(err)
	}
}

// refuseAnother starts a second devcluster, from another folder.
func refuseAnother(t *testing.T, p *testProgram) {
	t.Helper()
	other := &testProgram{t: t, path: p.path, dir: p.dir + "-other"}
	said := p.fails(other.command("up"))
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, p.dir+":") {
		t.Errorf("a second devcluster is refused with:\n%s", said)
	}
	if got := strings.TrimSpace(other.must("kubeconfig")); got != filepath.Join(p.dir, "kubeconfig") {
		t.Errorf("from another folder the kubeconfig is %q", got)
	}
	if _, err := os.Stat(other.dir); !os.IsNotExist(err) {
		t.Errorf("the folder of the refused devcluster: %v", err)
	}
}

func loseNode(t *testing.T, p *testProgram) {
	t.Helper()
	node := p.kubectl("get", "pod", "web-1", "-o", "jsonpath={.spec.nodeName}")
	p.must("stop-node", node)
	running, err := p.cluster().running(node)
	if err != nil || len(running) > 0 {
		t.Errorf("processes of the stopped node: %v, %v", running, err)
	}
	err = poll(time.Minute, node+" to be not Ready", func() error {
		ready := p.kubectl("get", "node", node, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		if ready == "True" {
			return fmt.Errorf("Ready is %s", ready)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	p.must("start-node", node)
	waitWeb(t, p)
}

// killEverything leaves behind what a crash leaves: cgroups, interfaces, rules, sockets and files of running things.
func killEverything(t *testing.T, p *testProgram) {
	t.Helper()
	ps, err := p.cluster().running("")
	if err != nil || len(ps) == 0 {
		t.Fatalf("processes of the devcluster: %v, %v", ps, err)
	}
	for _, process := range ps {
		if err := syscall.Kill(process.pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}
