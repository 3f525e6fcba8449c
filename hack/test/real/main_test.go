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
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	kubeconfigVariable = "KUBEDIRECTOR_TEST_KUBECONFIG"
	auditLogVariable   = "KUBEDIRECTOR_TEST_AUDIT_LOG"

	// root is the repository's root, seen from the tests' working directory.
	root = "../../.."

	// patience bounds each wait for something that takes Kubernetes seconds; interval paces it.
	patience = 90 * time.Second
	interval = 100 * time.Millisecond
)

// What all tests share: the API server, its audit log, the controller under test.
var (
	server  apiServer
	audit   auditLog
	subject *controller
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := prepare(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := removeNamespaces(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := subject.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	for _, line := range subject.unexpectedErrors() {
		fmt.Fprintln(os.Stderr, "the controller's log has an error that no test expects:", line)
		code = 1
	}
	return code
}

// prepare connects, installs the CRDs, starts the controller and has it finish
// what an interrupted run has left.
func prepare(ctx context.Context) error {
	kubeconfig := os.Getenv(kubeconfigVariable)
	if kubeconfig == "" {
		return fmt.Errorf("%s is not set: name the kubeconfig of a cluster with real kubelets and an audit log, such as hack/devcluster makes", kubeconfigVariable)
	}
	kubeconfig, err := filepath.Abs(kubeconfig)
	if err != nil {
		return err
	}
	if err := server.connect(kubeconfig); err != nil {
		return err
	}
	if err := audit.locate(kubeconfig); err != nil {
		return err
	}
	if err := server.installCRDs(ctx); err != nil {
		return err
	}
	if err := refuseOthersClusters(ctx); err != nil {
		return err
	}
	if err := makeSystemNamespace(ctx); err != nil {
		return err
	}
	if subject, err = newController(kubeconfig); err != nil {
		return err
	}
	if err := subject.start(); err != nil {
		return err
	}
	return removeNamespaces(ctx)
}

// refuseOthersClusters protects what is not of these tests: the controller would serve it too.
func refuseOthersClusters(ctx context.Context) error {
	clusters, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorClusters("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, cluster := range clusters.Items {
		namespace, err := server.kube.CoreV1().Namespaces().Get(ctx, cluster.Namespace, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if _, ours := namespace.Labels[testLabel]; !ours {
			return fmt.Errorf("KubeDirectorCluster %s/%s is not of these tests, whose controller would serve it too: delete it, or name another cluster", cluster.Namespace, cluster.Name)
		}
	}
	return nil
}

func makeSystemNamespace(ctx context.Context) error {
	_, err := server.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: systemNamespace}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
