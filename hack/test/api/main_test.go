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
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	kubeconfigVariable = "KUBEDIRECTOR_TEST_KUBECONFIG"

	// patience bounds every wait, pollInterval paces it.
	patience     = time.Minute
	pollInterval = 100 * time.Millisecond
)

// server is the API server under test.
var server apiServer

type apiServer struct {
	objects   dynamic.Interface
	discovery discovery.DiscoveryInterface
	kinds     meta.RESTMapper
}

func TestMain(m *testing.M) {
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := installCRDs(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// connect reaches the server that the kubeconfig names, and no other.
func connect() error {
	path := os.Getenv(kubeconfigVariable)
	if path == "" {
		return fmt.Errorf("%s is not set: name the kubeconfig of a cluster to test the CRDs on", kubeconfigVariable)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return fmt.Errorf("%s: %w", kubeconfigVariable, err)
	}
	// The tables make some hundreds of requests; a limit of the client's would only slow them.
	config.QPS = -1
	return server.reach(config)
}

func (s *apiServer) reach(config *rest.Config) error {
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	s.objects = objects
	s.discovery = client
	s.kinds = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	return nil
}

// resource is where objects of obj's kind live in namespace.
func (s *apiServer) resource(obj *unstructured.Unstructured, namespace string) (dynamic.ResourceInterface, error) {
	kind := obj.GroupVersionKind()
	mapping, err := s.kinds.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return s.objects.Resource(mapping.Resource), nil
	}
	return s.objects.Resource(mapping.Resource).Namespace(namespace), nil
}

// crdResource is where CustomResourceDefinitions live.
var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
