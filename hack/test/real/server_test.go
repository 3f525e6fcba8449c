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
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bluek8s/kubedirector/hack/test/crds"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
)

// apiServer is the cluster as the tests' user reaches it.
type apiServer struct {
	kubeconfig   string
	config       *rest.Config
	kube         kubernetes.Interface
	kubeDirector versioned.Interface
	objects      dynamic.Interface
	kinds        *restmapper.DeferredDiscoveryRESTMapper
}

func (s *apiServer) connect(kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("%s: %w", kubeconfigVariable, err)
	}
	s.kubeconfig = kubeconfig
	config.QPS = -1
	config.UserAgent = "kubedirector-test"
	s.config = config
	if s.kube, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	if s.kubeDirector, err = versioned.NewForConfig(config); err != nil {
		return err
	}
	if s.objects, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	s.kinds = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	return nil
}

// applyManifests applies the objects of a YAML file as kubectl apply --server-side does.
func (s *apiServer) applyManifests(ctx context.Context, file, namespace string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	documents := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		switch err := documents.Decode(object); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", file, err)
		case len(object.Object) == 0:
			continue // a document of comments
		}
		if err := s.apply(ctx, object, namespace); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
}

func (s *apiServer) apply(ctx context.Context, object *unstructured.Unstructured, namespace string) error {
	kind := object.GroupVersionKind()
	mapping, err := s.kinds.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var objects dynamic.ResourceInterface = s.objects.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		objects = s.objects.Resource(mapping.Resource).Namespace(namespace)
	}
	_, err = objects.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "kubedirector-test", Force: true})
	return err
}

// installCRDs has the server serve the CRDs of this tree.
func (s *apiServer) installCRDs(ctx context.Context) error {
	if err := crds.Install(ctx, s.config, root); err != nil {
		return err
	}
	s.kinds.Reset()
	return nil
}
