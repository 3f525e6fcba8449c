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

// Package crds gives an API server this tree's CustomResourceDefinitions, for
// tests that need them there and do not test them.
package crds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
)

const interval = 100 * time.Millisecond

// Install applies the CRDs of the tree whose root is given, and waits until they
// are served or the context ends.
func Install(ctx context.Context, config *rest.Config, root string) error {
	files, err := filepath.Glob(filepath.Join(root, "artifacts", "crds", "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("artifacts/crds holds no manifest")
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := apply(ctx, client, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return untilServed(ctx, config)
}

func apply(ctx context.Context, client dynamic.Interface, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &crd.Object); err != nil {
		return err
	}
	kind := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	_, err = client.Resource(kind).Apply(ctx, crd.GetName(), crd, metav1.ApplyOptions{FieldManager: "kubedirector-test", Force: true})
	return err
}

func untilServed(ctx context.Context, config *rest.Config) error {
	client, err := versioned.NewForConfig(config)
	if err != nil {
		return err
	}
	ours := client.KubedirectorV1alpha1()
	var last error
	err = wait.PollUntilContextCancel(ctx, interval, true, func(ctx context.Context) (bool, error) {
		_, ofClusters := ours.KubeDirectorClusters("").List(ctx, metav1.ListOptions{Limit: 1})
		_, ofApps := ours.KubeDirectorApps("").List(ctx, metav1.ListOptions{Limit: 1})
		last = errors.Join(ofClusters, ofApps)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("the CRDs are not served: %w", last)
	}
	return nil
}
