//go:build api

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

package api

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

const (
	crdFolder = "../../../artifacts/crds"
	group     = "kubedirector.bluedata.io"
	version   = "v1alpha1"
)

// definition is a CustomResourceDefinition of this tree.
type definition struct {
	file   string
	object *unstructured.Unstructured
}

func (d definition) kind() string {
	kind, _, _ := unstructured.NestedString(d.object.Object, "spec", "names", "kind")
	return kind
}

// version is the only version of the definition.
func (d definition) version() map[string]any {
	versions, _, _ := unstructured.NestedSlice(d.object.Object, "spec", "versions")
	return versions[0].(map[string]any)
}

// schema is the structural schema of the only version.
func (d definition) schema() map[string]any {
	return d.version()["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
}

// definitions reads the CRDs of this tree, of which there must be two.
func definitions() ([]definition, error) {
	files, err := filepath.Glob(filepath.Join(crdFolder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) != 2 {
		return nil, fmt.Errorf("%s has %d manifests, want the two CRDs", crdFolder, len(files))
	}
	var found []definition
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		object, err := parseObject(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		found = append(found, definition{file: file, object: object})
	}
	return found, nil
}

func parseObject(manifest []byte) (*unstructured.Unstructured, error) {
	content, err := yaml.YAMLToJSON(manifest)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(content)
}

// installCRDs makes the server serve the CRDs of this tree, and waits until it does.
func installCRDs(ctx context.Context) error {
	found, err := definitions()
	if err != nil {
		return err
	}
	for _, d := range found {
		if err := install(ctx, d); err != nil {
			return fmt.Errorf("installing %s: %w", d.object.GetName(), err)
		}
	}
	for _, d := range found {
		if err := awaitServed(ctx, d); err != nil {
			return fmt.Errorf("waiting for %s: %w", d.object.GetName(), err)
		}
	}
	return nil
}

// install creates the definition, or replaces the spec of the one that is there
// and leaves what others noted in its metadata.
func install(ctx context.Context, d definition) error {
	crds := server.objects.Resource(crdResource)
	_, err := crds.Create(ctx, d.object, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		present, err := crds.Get(ctx, d.object.GetName(), metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		present.Object["spec"] = d.object.Object["spec"]
		_, err = crds.Update(ctx, present, metav1.UpdateOptions{})
		if apierrors.IsConflict(err) {
			return false, nil
		}
		return err == nil, err
	})
}

// awaitServed waits until the definition is established and the server publishes
// this very schema: one that it served before must not be what is tested.
func awaitServed(ctx context.Context, d definition) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		err := served(ctx, d)
		if ctx.Err() == nil {
			last = err
		}
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", err, last)
	}
	return nil
}

func served(ctx context.Context, d definition) error {
	present, err := server.objects.Resource(crdResource).Get(ctx, d.object.GetName(), metav1.GetOptions{})
	if err != nil {
		return err
	}
	conditions, _, _ := unstructured.NestedSlice(present.Object, "status", "conditions")
	if status := conditionStatus(conditions, "Established"); status != "True" {
		return fmt.Errorf("condition Established is %q: %v", status, conditions)
	}
	published, err := publishedSchema(ctx, d.kind())
	if err != nil {
		return err
	}
	for _, part := range []string{"spec", "status"} {
		want := d.schema()["properties"].(map[string]any)[part]
		got := published["properties"].(map[string]any)[part]
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("the schema of %s that is published differs (-want +got):\n%s", part, diff)
		}
	}
	return nil
}

func conditionStatus(conditions []any, name string) string {
	for _, c := range conditions {
		if condition := c.(map[string]any); condition["type"] == name {
			return condition["status"].(string)
		}
	}
	return ""
}

// publishedSchema is what kubectl explain reads of the kind.
func publishedSchema(ctx context.Context, kind string) (map[string]any, error) {
	content, err := server.discovery.RESTClient().Get().AbsPath("/openapi/v3/apis", group, version).Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	document := map[string]any{}
	if err := json.Unmarshal(content, &document); err != nil {
		return nil, err
	}
	name := "io.bluedata.kubedirector." + version + "." + kind
	published, ok, err := unstructured.NestedMap(document, "components", "schemas", name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("no schema %s is published", name)
	}
	return published, nil
}
