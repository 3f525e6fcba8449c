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

package configmeta

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
)

var update = flag.Bool("update", false, "write the golden documents anew")

func readApp(t *testing.T, name string) *catalog.App {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+"-app.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var spec v1alpha1.KubeDirectorAppSpec
	if err := yaml.UnmarshalStrict(text, &spec); err != nil {
		t.Fatal(err)
	}
	return catalog.New(name, &spec)
}

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func cdhInput(t *testing.T) Input {
	in := Input{
		Cluster: Cluster{Namespace: "hadoop", Name: "cdh5142cm-persistent", UID: "3f3d4b7e-0d5c-4b0a-9a3e-6f1c0a6a7b11"},
		App:     readApp(t, "cdh5142cm"),
		Domain:  "cdh5142cm-persistent.hadoop.svc.cluster.local",
		Roles: []RoleMembers{
			{RoleID: "controller", Resources: corev1.ResourceRequirements{Requests: amounts("2", "16Gi")},
				Members: []Member{{Pod: "cdh5142cm-persistent-controller-0", NodeID: 1}}},
			{RoleID: "worker", Resources: corev1.ResourceRequirements{Requests: amounts("2", "8Gi")}},
		},
	}
	for i := range 10 {
		in.Roles[1].Members = append(in.Roles[1].Members, Member{Pod: fmt.Sprintf("cdh5142cm-persistent-worker-%d", i), NodeID: int64(i + 2)})
	}
	return in
}

func sparkInput(t *testing.T) Input {
	return Input{
		Cluster: Cluster{Namespace: "default", Name: "spark", UID: "9e6d8a0c-5a52-4c7f-8a8a-cb1f8a3a8d20"},
		App:     readApp(t, "spark"),
		Domain:  "spark.default.svc.cluster.local",
		Roles: []RoleMembers{
			{RoleID: "controller", Resources: corev1.ResourceRequirements{Requests: amounts("1", "1Gi"), Limits: amounts("1500m", "2G")},
				Members: []Member{{Pod: "spark-controller-0", NodeID: 1}}},
			{RoleID: "worker", Members: []Member{{Pod: "spark-worker-0", NodeID: 2}, {Pod: "spark-worker-1", NodeID: 5}}},
			{RoleID: "jupyter"},
		},
	}
}

func mustBuild(t *testing.T, in Input) *Document {
	t.Helper()
	document, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func mustForMember(t *testing.T, document *Document, nodeID int64) []byte {
	t.Helper()
	text, err := document.ForMember(nodeID)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		golden string
		in     Input
		nodeID int64
	}{
		{"cdh5142cm-controller.json", cdhInput(t), 1},
		{"spark-worker.json", sparkInput(t), 5},
	} {
		t.Run(c.golden, func(t *testing.T) {
			var got bytes.Buffer
			if err := json.Indent(&got, mustForMember(t, mustBuild(t, c.in), c.nodeID), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			file := filepath.Join("testdata", c.golden)
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("document (-want +got); -update writes it anew:\n%s", diff)
			}
		})
	}
}

// find follows keys, and the references it meets, as the tools of a config package do.
func find(t *testing.T, root any, keys ...string) any {
	t.Helper()
	at := root
	for i, key := range keys {
		object, ok := at.(map[string]any)
		if !ok {
			t.Fatalf("%s: no object", strings.Join(keys[:i], "."))
		}
		if at, ok = object[key]; !ok {
			t.Fatalf("%s: absent", strings.Join(keys[:i+1], "."))
		}
		if target := referenceIn(at); target != nil {
			at = find(t, root, target...)
		}
	}
	return at
}

// referenceIn returns the keys of a reference, nil for anything else.
func referenceIn(value any) (keys []string) {
	object, _ := value.(map[string]any)
	list, ok := object["bdvlibrefkey"].([]any)
	if !ok {
		return nil
	}
	for _, key := range list {
		keys = append(keys, key.(string))
	}
	return keys
}

func parse(t *testing.T, text []byte) any {
	t.Helper()
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	return root
}

func TestEveryReferenceResolves(t *testing.T) {
	for _, c := range []struct {
		in   Input
		want int
	}{
		// Services in roles, two more for each, a distro, the cluster's metadata.
		{cdhInput(t), 9 + 2*9 + 1 + 1},
		{sparkInput(t), 3 + 2*3 + 1 + 1},
	} {
		root := parse(t, mustForMember(t, mustBuild(t, c.in), 1))
		seen := 0
		var walk func(any)
		walk = func(value any) {
			if keys := referenceIn(value); keys != nil {
				seen++
				find(t, root, keys...)
				return
			}
			switch value := value.(type) {
			case map[string]any:
				for _, inner := range value {
					walk(inner)
				}
			case []any:
				for _, inner := range value {
					walk(inner)
				}
			}
		}
		walk(root)
		if seen != c.want {
			t.Errorf("%s: %d references, want %d", c.in.Cluster.Name, seen, c.want)
		}
	}
}

// The keys are those that packages ask for.
func TestWhatPackagesAskFor(t *testing.T) {
	cdh := parse(t, mustForMember(t, mustBuild(t, cdhInput(t)), 3))
	spark := parse(t, mustForMember(t, mustBuild(t, sparkInput(t)), 1))
	const worker0, worker1 = "spark-worker-0.spark.default.svc.cluster.local", "spark-worker-1.spark.default.svc.cluster.local"
	for _, c := range []struct {
		root any
		keys string
		want any
	}{
		{spark, "version", "8"},
		{cdh, "version", "7"},
		{cdh, "node role_id", "worker"},
		{cdh, "node id", "3"},
		{cdh, "node distro_id", "cdh5142cm"},
		{cdh, "node fqdn", "cdh5142cm-persistent-worker-1.cdh5142cm-persistent.hadoop.svc.cluster.local"},
		{cdh, "node domain", "cdh5142cm-persistent.hadoop.svc.cluster.local"},
		{cdh, "distros cdh5142cm 1 catalog_entry_version", "1.4"},
		{cdh, "cluster config_metadata 1 cdh_major_version", "CDH5"},
		{cdh, "cluster config_metadata 1 cdh_parcel_repo", "https://foo.com/parcels?cdh=5.14.2&os=el7"},
		{cdh, "services hdfs-dn 1 worker exported_service", "hdfs"},
		{cdh, "services hdfs-dn 1 worker endpoints", nil},
		{cdh, "services cdh-scm-srvr 1 controller name", "Cloudera Manager"},
		{cdh, "services ssh 1 controller name", "ssh"},
		{cdh, "services ssh 1 controller endpoints", []any{"://cdh5142cm-persistent-controller-0.cdh5142cm-persistent.hadoop.svc.cluster.local:22"}},
		{spark, "distros bluedata/spark 1 distro_id", "bluedata/spark"},
		{spark, "cluster id", "9e6d8a0c-5a52-4c7f-8a8a-cb1f8a3a8d20"},
		{spark, "cluster config_metadata 1", map[string]any{}},
		{spark, "nodegroups 1 roles worker node_ids", []any{"2", "5"}},
		{spark, "nodegroups 1 roles worker hostnames", []any{worker0, worker1}},
		{spark, "nodegroups 1 roles worker fqdn_mappings", map[string]any{worker0: "2", worker1: "5"}},
		{spark, "services spark-worker-ui 1 worker fqdns", []any{worker0, worker1}},
		{spark, "services spark-worker-ui 1 worker global_id", "1_worker_spark-worker-ui"},
		{spark, "services spark-master 1 controller endpoints", []any{"spark://spark-controller-0.spark.default.svc.cluster.local:7077"}},
		{spark, "connections", map[string]any{"clusters": map[string]any{}, "configmaps": map[string]any{}, "secrets": map[string]any{}}},
	} {
		if diff := cmp.Diff(c.want, find(t, c.root, strings.Fields(c.keys)...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.keys, diff)
		}
	}
}

func TestFlavor(t *testing.T) {
	for _, c := range []struct {
		what          string
		resources     corev1.ResourceRequirements
		cores, memory string
	}{
		{"limits before requests, cores rounded up, MiB rounded down",
			corev1.ResourceRequirements{Requests: amounts("1", "1Gi"), Limits: amounts("1500m", "2G")}, "2", "1907"},
		{"requests where there are no limits", corev1.ResourceRequirements{Requests: amounts("2", "8Gi")}, "2", "8192"},
		{"one of each", corev1.ResourceRequirements{Requests: amounts("2", "8Gi"),
			Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("16Gi")}}, "2", "16384"},
		{"less than one core", corev1.ResourceRequirements{Limits: amounts("100m", "64Mi")}, "1", "64"},
		{"nothing known", corev1.ResourceRequirements{}, "0", "0"},
	} {
		want := flavor{Storage: "n/a", Name: "n/a", Description: "n/a", Memory: c.memory, Cores: c.cores}
		if got := newFlavor(c.resources); got != want {
			t.Errorf("%s: got %+v, want %+v", c.what, got, want)
		}
	}
}

func TestRolesWithoutMembersAreLeftOut(t *testing.T) {
	root := parse(t, mustForMember(t, mustBuild(t, sparkInput(t)), 1)).(map[string]any)
	if _, ok := find(t, root, "nodegroups", "1", "roles").(map[string]any)["jupyter"]; ok {
		t.Error("the role stands under nodegroups")
	}
	if _, ok := root["services"].(map[string]any)["jupyter"]; ok {
		t.Error("its service stands under services")
	}
}

func TestMembersShareAllButTheirNode(t *testing.T) {
	document := mustBuild(t, cdhInput(t))
	first, second := parse(t, mustForMember(t, document, 1)).(map[string]any), parse(t, mustForMember(t, document, 2)).(map[string]any)
	if cmp.Equal(first["node"], second["node"]) {
		t.Errorf("two members have one node section: %v", first["node"])
	}
	delete(first, "node")
	delete(second, "node")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the shared part differs (-first +second):\n%s", diff)
	}
}

func TestBuildIsStable(t *testing.T) {
	in := cdhInput(t)
	want := mustForMember(t, mustBuild(t, in), 2)
	for range 20 {
		if got := mustForMember(t, mustBuild(t, in), 2); !bytes.Equal(want, got) {
			t.Fatalf("the same input gives other bytes:\n%s\n%s", want, got)
		}
	}
	if diff := cmp.Diff(cdhInput(t), in, cmp.AllowUnexported(catalog.App{}, catalog.Role{})); diff != "" {
		t.Errorf("the input changed (-before +after):\n%s", diff)
	}
}

func TestWhatIsNotThereIsAnError(t *testing.T) {
	if _, err := mustBuild(t, sparkInput(t)).ForMember(3); err == nil || !strings.Contains(err.Error(), "node ID 3") {
		t.Errorf("a node ID that no member has: %v", err)
	}
	in := sparkInput(t)
	in.Roles[0].RoleID = "master"
	if _, err := Build(in); err == nil || !strings.Contains(err.Error(), `no role "master"`) {
		t.Errorf("a role that the app does not have: %v", err)
	}
}
