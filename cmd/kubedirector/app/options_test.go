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

package app

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluek8s/kubedirector/pkg/config"
	"github.com/bluek8s/kubedirector/pkg/version"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func runMain(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestHelp(t *testing.T) {
	for _, arg := range []string{"--help", "-h"} {
		code, got, stderr := runMain(t, arg)
		if code != exitOK || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", arg, code, stderr)
		}
		golden := filepath.Join("testdata", "help.txt")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs from %s; go test ./cmd/kubedirector/app -update rewrites it (-want +got):\n%s", arg, golden, diff)
		}
	}
}

func TestVersion(t *testing.T) {
	code, got, _ := runMain(t, "--version")
	if want := "KubeDirector " + version.Get() + "\n"; code != exitOK || got != want {
		t.Errorf("exit code %d, %q; want %q", code, got, want)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--wokers=3"}, "unknown flag: --wokers"},
		{[]string{"--workers=many"}, `invalid argument "many" for "--workers"`},
		{[]string{"--workers"}, "flag needs an argument: --workers"},
		{[]string{"run"}, `unexpected argument "run"`},
	} {
		code, stdout, stderr := runMain(t, test.args...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, test.want) || !strings.Contains(stderr, "--help") {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q; want it to say %q and where help is", test.args, code, stdout, stderr, test.want)
		}
	}
}

// TestEveryFieldHasAFlag holds flags, fields and the table between them together.
func TestEveryFieldHasAFlag(t *testing.T) {
	fields := leaves(reflect.TypeFor[config.KubeDirectorConfiguration](), "")
	var named []string
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, section := range configFlags(config.Default()).FlagSets {
		flags.AddFlagSet(section)
	}
	for path, name := range flagNames {
		named = append(named, path)
		if flags.Lookup(name) == nil {
			t.Errorf("%s names flag --%s, which does not exist", path, name)
		}
	}
	slices.Sort(fields)
	slices.Sort(named)
	if diff := cmp.Diff(fields, named); diff != "" {
		t.Errorf("fields of the file (-), fields with a flag (+):\n%s", diff)
	}
	if got, want := len(flagNames), count(flags); got != want {
		t.Errorf("%d fields have flags, there are %d flags", got, want)
	}
}

// leaves are the paths of a struct's fields that are settings.
func leaves(of reflect.Type, prefix string) []string {
	var paths []string
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" { // inlined: the type of the file
			continue
		}
		if field.Type.Kind() == reflect.Struct && field.Type != reflect.TypeFor[metav1.Duration]() {
			paths = append(paths, leaves(field.Type, prefix+name+".")...)
			continue
		}
		paths = append(paths, prefix+name)
	}
	return paths
}

func count(flags *pflag.FlagSet) int {
	n := 0
	flags.VisitAll(func(*pflag.Flag) { n++ })
	return n
}

// TestEveryFlagSetsItsField gives each flag alone and looks at what changed.
func TestEveryFlagSetsItsField(t *testing.T) {
	values := map[string]string{
		"kubeconfig": "/k", "context": "c", "kube-api-qps": "7.5", "kube-api-burst": "8",
		"watch-namespace": "w", "system-namespace": "s", "workers": "3", "guest-concurrency": "5",
		"guest-image": "i:1", "package-ca-file": "/ca", "cluster-domain": "example.org",
		"default-service-type": "NodePort", "default-storage-class": "fast",
		"leader-elect": "false", "leader-elect-lease-duration": "60s", "leader-elect-renew-deadline": "11s",
		"leader-elect-retry-period": "3s", "leader-elect-resource-name": "r", "leader-elect-namespace": "n",
		"health-address": ":1", "metrics-address": ":2", "v": "4", "vmodule": "sync=4",
	}
	for path, name := range flagNames {
		t.Run(name, func(t *testing.T) {
			c := configure(t, "--"+name+"="+values[name])
			if got := at(t, c, path); got != values[name] {
				t.Errorf("%s is %q, want %q", path, got, values[name])
			}
		})
	}
}

func configure(t *testing.T, args ...string) *config.KubeDirectorConfiguration {
	t.Helper()
	o := NewOptions()
	if err := o.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := o.Configuration()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// at is the value of a field as its flag shows it.
func at(t *testing.T, c *config.KubeDirectorConfiguration, path string) string {
	t.Helper()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, section := range configFlags(c).FlagSets {
		flags.AddFlagSet(section)
	}
	shown := flags.Lookup(flagNames[path]).Value.String()
	if strings.HasSuffix(shown, "m0s") { // 1m0s is how a duration shows 60s
		return "60s"
	}
	return shown
}

func TestFlagsOverrideTheFile(t *testing.T) {
	file := writeConfig(t, `
workers: 9
guestConcurrency: 9
defaultServiceType: NodePort
leaderElection: {leaderElect: false}
`)
	// --guest-concurrency is given at its default, which still overrides the file.
	c := configure(t, "--config="+file, "--guest-concurrency=32", "--default-service-type=LoadBalancer", "--leader-elect")
	if c.Workers != 9 {
		t.Errorf("workers is %d: a flag that was not given has overridden the file", c.Workers)
	}
	if c.GuestConcurrency != 32 {
		t.Errorf("guestConcurrency is %d: the flag's value is lost", c.GuestConcurrency)
	}
	if c.DefaultServiceType != corev1.ServiceTypeLoadBalancer || !c.LeaderElection.LeaderElect {
		t.Errorf("got %s, %t", c.DefaultServiceType, c.LeaderElection.LeaderElect)
	}
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("apiVersion: "+config.APIVersion+"\nkind: "+config.Kind+"\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFaultsNameFlagAndValue(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"each fault": {
			[]string{"--workers=0", "--leader-elect-renew-deadline=15s", "--default-service-type=ExternalName"},
			[]string{"--workers", "0", "at least 1", "--leader-elect-renew-deadline", "15s", "shorter than leaseDuration", "--default-service-type", "ExternalName", "NodePort"},
		},
		"fault in the file":       {[]string{"--config", writeConfig(t, "workers: -4\n")}, []string{"--workers", "workers", "-4"}},
		"unknown field":           {[]string{"--config", writeConfig(t, "wokers: 4\n")}, []string{"--config", `unknown field "wokers"`}},
		"no file":                 {[]string{"--config=/nonexistent/c.yaml"}, []string{"--config", "/nonexistent/c.yaml"}},
		"no kubeconfig":           {[]string{"--kubeconfig=/nonexistent/k"}, []string{"--kubeconfig", "/nonexistent/k"}},
		"no cluster named":        {nil, []string{"--kubeconfig", "--context"}},
		"no certificate":          {[]string{"--package-ca-file", empty}, []string{"--package-ca-file", empty, "no PEM certificate"}},
		"no file of certificates": {[]string{"--package-ca-file=/nonexistent/ca"}, []string{"--package-ca-file", "/nonexistent/ca"}},
		"vmodule":                 {[]string{"--vmodule=sync"}, []string{"--vmodule", "sync", "sync=4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			code, _, stderr := runMain(t, test.args...)
			if code != exitFailed {
				t.Errorf("exit code %d, want %d", code, exitFailed)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("stderr does not say %q:\n%s", want, stderr)
				}
			}
		})
	}
}

// TestKubectlsClusterIsNotTaken: a cluster must be named.
func TestKubectlsClusterIsNotTaken(t *testing.T) {
	kubeconfig := writeKubeconfig(t, "https://192.0.2.1")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBECONFIG", kubeconfig)
	if _, err := connection(&config.ClientConnection{}); err == nil {
		t.Error("took the cluster that KUBECONFIG points at, though none was named")
	}
	for _, named := range []config.ClientConnection{{Context: "here"}, {Kubeconfig: kubeconfig}} {
		c, err := connection(&named)
		if err != nil {
			t.Fatal(err)
		}
		if c.Host != "https://192.0.2.1" || c.UserAgent != "kubedirector/"+version.Get() {
			t.Errorf("%+v: host %q, user agent %q", named, c.Host, c.UserAgent)
		}
	}
	if _, err := connection(&config.ClientConnection{Context: "elsewhere"}); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("a context that does not exist: %v", err)
	}
}

func writeKubeconfig(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := `apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "` + server + `"}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
users: [{name: me, user: {token: t}}]
current-context: here
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
