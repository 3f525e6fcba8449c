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
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRefusals starts the devcluster on machines that are not for it. Each is told why, and what to do instead, in
// one line, and has nothing on it afterwards.
func TestRefusals(t *testing.T) {
	p := newTestProgram(t)
	engine := t.TempDir()
	if err := os.WriteFile(filepath.Join(engine, "dockerd"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		env  []string
		attr *syscall.SysProcAttr
		args []string
		says []string
	}{
		{
			name: "without root",
			// The user may read the checkout wherever it is.
			attr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: []uintptr{unix.CAP_DAC_OVERRIDE}},
			says: []string{"root", "kind, minikube"},
		},
		{
			name: "with a Docker engine",
			env:  []string{"PATH=" + engine + ":" + os.Getenv("PATH")},
			says: []string{filepath.Join(engine, "dockerd"), "kind, minikube"},
		},
		{
			name: "not Debian",
			env:  []string{"PATH=/nowhere"},
			says: []string{"containerd iproute2 nftables runc", "apt-get", "kind, minikube"},
		},
		{
			name: "in a folder with other files",
			args: []string{"--dir", engine},
			says: []string{engine, "not a devcluster's", "--dir"},
		},
		{name: "with impossible nodes", args: []string{"--nodes=0"}, says: []string{"--nodes=0", "between 1 and"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := machineTraces(t, p)
			cmd := p.command(append(test.args, "up")...)
			cmd.Env = append(os.Environ(), test.env...)
			cmd.SysProcAttr = test.attr
			said := p.fails(cmd)
			for _, word := range test.says {
				if !strings.Contains(said, word) {
					t.Errorf("it does not say %q:\n%s", word, said)
				}
			}
			if strings.Count(said, "\n") != 1 {
				t.Errorf("more than one line:\n%s", said)
			}
			compareTraces(t, before, machineTraces(t, p))
		})
	}
}

// TestInstallPackages lets a stand-in for apt-get tell how it was called.
func TestInstallPackages(t *testing.T) {
	p := newTestProgram(t)
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	script := "#!/bin/sh\necho \"$@\" >> " + called + "\ncat " + policyPath + " >> " + called + "\n"
	if err := os.WriteFile(filepath.Join(dir, "apt-get"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	policy, policyErr := os.ReadFile(policyPath)

	cmd := p.command("install-package", "some-package")
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	got, err := os.ReadFile(called)
	if err != nil {
		t.Fatal(err)
	}
	// The covered /var/lib has no package lists.
	want := "--quiet update\n" + forbiddingPolicy + "--quiet install --yes --no-remove --no-install-recommends some-package\n" + forbiddingPolicy
	if string(got) != want {
		t.Errorf("apt-get was called with the policy\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(string(output), "installing the Debian packages some-package") {
		t.Errorf("it does not say beforehand what it installs:\n%s", output)
	}
	after, err := os.ReadFile(policyPath)
	if string(after) != string(policy) || os.IsNotExist(err) != os.IsNotExist(policyErr) {
		t.Errorf("the machine's policy was %q, %v and is %q, %v", policy, policyErr, after, err)
	}
}
