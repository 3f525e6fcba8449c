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

package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bluek8s/kubedirector/hack/test/crds"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/generated/clientset/versioned"
)

const (
	kubeconfigVariable = "KUBEDIRECTOR_TEST_KUBECONFIG"

	// root is the repository's root, seen from the tests' working directory.
	root = "../../.."

	// testLabel is on the namespaces of these tests.
	testLabel = "kubedirector-crash-test"

	interval = 100 * time.Millisecond
)

// server is the cluster as the tests' user reaches it.
var server struct {
	config       *rest.Config
	kube         kubernetes.Interface
	kubeDirector versioned.Interface
}

func TestMain(m *testing.M) {
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func prepare() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, step := range []func(context.Context) error{connect, installCRDs, clearAway, refuseOtherControllers} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func connect(context.Context) error {
	kubeconfig := os.Getenv(kubeconfigVariable)
	if kubeconfig == "" {
		return fmt.Errorf("%s is not set: name the kubeconfig of a cluster with real kubelets, such as hack/devcluster makes", kubeconfigVariable)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("%s: %w", kubeconfigVariable, err)
	}
	// The controllers bring limits of their own.
	config.QPS = -1
	server.config = config
	user := rest.CopyConfig(config)
	user.UserAgent = "kubedirector-crash-test"
	if server.kube, err = kubernetes.NewForConfig(user); err != nil {
		return err
	}
	server.kubeDirector, err = versioned.NewForConfig(user)
	return err
}

func installCRDs(ctx context.Context) error { return crds.Install(ctx, server.config, root) }

// clearAway removes what an interrupted run has left, whose controllers are no more.
func clearAway(ctx context.Context) error {
	namespaces, err := server.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: testLabel})
	if err != nil {
		return err
	}
	for _, namespace := range namespaces.Items {
		clusters := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters(namespace.Name)
		left, err := clusters.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, cluster := range left.Items {
			_, err := clusters.Patch(ctx, cluster.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
			if err != nil {
				return err
			}
		}
		if err := removeNamespace(namespace.Name); err != nil {
			return err
		}
	}
	return nil
}

// refuseOtherControllers looks whether an app is judged in a namespace that no
// controller of these tests serves: who does it would go on where these die.
func refuseOtherControllers(ctx context.Context) error {
	const while = 3 * time.Second
	namespace, err := makeNamespace(ctx, "unserved")
	if err != nil {
		return err
	}
	defer removeNamespace(namespace)
	apps := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps(namespace)
	if _, err := apps.Create(ctx, newApp(), metav1.CreateOptions{}); err != nil {
		return err
	}
	time.Sleep(while)
	app, err := apps.Get(ctx, newApp().Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if judged := meta.FindStatusCondition(app.Status.Conditions, v1alpha1.ConditionValid); judged != nil {
		return errors.New("a controller serves all namespaces of this cluster, and would go on where those of these tests die: undeploy it, or name another cluster")
	}
	return nil
}

func makeNamespace(ctx context.Context, name string) (string, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "kdcrash-" + name + "-", Labels: map[string]string{testLabel: ""}}}
	made, err := server.kube.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return made.Name, nil
}

// removeNamespace lets a namespace go, which takes Kubernetes a while longer.
func removeNamespace(name string) error {
	err := server.kube.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
