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
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// deployNamespace is where artifacts/deploy puts the controller.
const deployNamespace = "kubedirector"

var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// TestDeploy installs KubeDirector as users do, has it do its main job with the
// rights it is given there, takes it away and brings it back, and uninstalls it.
// It is not parallel: the controller that all tests share ends meanwhile, and
// the CRDs go, too.
func TestDeploy(t *testing.T) {
	f := newFixture(t, "deploy")
	f.withoutDeployment()
	start := audit.now(t)
	f.makeDeploy("deploy")
	f.checkReplicas()
	f.applyGoodPackage()
	f.apply(lifeApp(), newCluster("life", "testapp", func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker", Members: ptr.To[int32](2)}}
	}))
	f.untilReady("life")
	f.checkUserRoles()
	before := f.running("life")

	f.must(server.kube.AppsV1().Deployments(deployNamespace).Delete(t.Context(), "kubedirector", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}))
	f.eventually(patience, "the controller is gone", func(ctx context.Context) (bool, string) {
		pods := f.controllerPods(ctx)
		return len(pods) == 0, fmt.Sprint(len(pods), " pods")
	})
	if diff := cmp.Diff(before, f.running("life")); diff != "" {
		t.Errorf("what runs, with a controller and without (-with +without):\n%s", diff)
	}
	back := audit.now(t)
	f.makeDeploy("deploy")
	f.apply(newCluster("next", "testapp", func(spec *v1alpha1.KubeDirectorClusterSpec) {
		spec.Roles = []v1alpha1.ClusterRole{{ID: "controller"}, {ID: "worker"}}
	}))
	f.untilReady("next")
	f.untilReady("life")
	if diff := cmp.Diff(before, f.running("life")); diff != "" {
		t.Errorf("what runs, before the controller went and when it is back (-before +after):\n%s", diff)
	}
	for _, r := range writes(audit.byController(t, back), f.namespace) {
		if strings.HasPrefix(r.ObjectRef.Name, "life") && r.what() != "update kubedirectorclusters/status" && r.ObjectRef.Resource != "events" {
			t.Errorf("to come back it wrote: %s", r)
		}
	}
	f.checkNothingForbidden(start)

	out, err := f.make("undeploy")
	if err == nil || !mentions(out, []string{f.namespace, "life", "next", "DELETE_CLUSTERS=yes"}) {
		t.Errorf("undeploy with clusters: %v; want it to fail and to name them:\n%s", err, out)
	}
	if pods := f.controllerPods(t.Context()); len(pods) != 2 {
		t.Errorf("undeploy refused, but %d pods of the controller are left", len(pods))
	}
	f.makeDeploy("undeploy", "DELETE_CLUSTERS=yes")
	f.checkUninstalled()
}

// withoutDeployment ends the controller that all tests share. In the end it is
// back, with the CRDs, and with the apps that went with them.
func (f *fixture) withoutDeployment() {
	f.Helper()
	if _, err := server.kube.CoreV1().Namespaces().Get(f.Context(), deployNamespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		f.Fatalf("namespace %s is there already: make undeploy first (%v)", deployNamespace, err)
	}
	apps, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps("").List(f.Context(), metav1.ListOptions{})
	f.must(err)
	f.withoutSubject()
	f.Cleanup(func() {
		if f.Failed() {
			f.showControllerLogs()
		}
		if out, err := f.make("undeploy", "DELETE_CLUSTERS=yes"); err != nil {
			f.Errorf("%v\n%s", err, out)
		}
		errs := []error{server.installCRDs(context.Background())}
		for i := range apps.Items {
			app := &v1alpha1.KubeDirectorApp{Spec: apps.Items[i].Spec, ObjectMeta: metav1.ObjectMeta{
				Name: apps.Items[i].Name, Labels: apps.Items[i].Labels, Annotations: apps.Items[i].Annotations,
			}}
			_, err := server.kubeDirector.KubedirectorV1alpha1().KubeDirectorApps(apps.Items[i].Namespace).Create(context.Background(), app, metav1.CreateOptions{})
			// The namespaces of earlier tests go meanwhile, and their apps with them.
			ended := apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
			if !apierrors.IsAlreadyExists(err) && !ended {
				errs = append(errs, err)
			}
		}
		if err := errors.Join(errs...); err != nil {
			f.Error(err)
		}
	})
}

// makeDeploy runs make as a user does, on the cluster under test.
func (f *fixture) makeDeploy(args ...string) {
	f.Helper()
	if out, err := f.make(args...); err != nil {
		f.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (f *fixture) make(args ...string) (string, error) {
	f.Helper()
	kubeconfig, err := clientcmd.LoadFromFile(server.kubeconfig)
	f.must(err)
	tools, err := filepath.Abs(filepath.Join(root, ".cache", "bin"))
	f.must(err)
	command := exec.Command("make", append([]string{"--no-print-directory", "--directory", root, "CONTEXT=" + kubeconfig.CurrentContext}, args...)...)
	command.Env = append(os.Environ(), "KUBECONFIG="+server.kubeconfig, "PATH="+tools+":"+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	return string(out), err
}

func (f *fixture) controllerPods(ctx context.Context) []corev1.Pod {
	f.Helper()
	pods, err := server.kube.CoreV1().Pods(deployNamespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=kubedirector"})
	f.must(err)
	return pods.Items
}

// checkReplicas looks for two pods on two nodes, one of which leads.
func (f *fixture) checkReplicas() {
	f.Helper()
	nodes, pods := map[string]bool{}, []string{}
	for _, pod := range f.controllerPods(f.Context()) {
		nodes[pod.Spec.NodeName] = true
		pods = append(pods, pod.Name)
		if !isPodReady(&pod) {
			f.Errorf("pod %s is not Ready, though make deploy has ended", pod.Name)
		}
	}
	if len(pods) != 2 || len(nodes) != 2 {
		f.Errorf("pods %v on %d nodes, want 2 on 2", pods, len(nodes))
	}
	lease, err := server.kube.CoordinationV1().Leases(deployNamespace).Get(f.Context(), "kubedirector", metav1.GetOptions{})
	f.must(err)
	leader, _, _ := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
	if !slices.Contains(pods, leader) {
		f.Errorf("%q leads, want one of %v", leader, pods)
	}
}

// checkUserRoles asks what Kubernetes' own roles for users of a namespace let them do.
func (f *fixture) checkUserRoles() {
	f.Helper()
	rights := map[string][]string{
		"view":  {"get kubedirectorclusters", "watch kubedirectorapps", "get kubedirectorclusters/scale"},
		"edit":  {"create kubedirectorclusters", "delete kubedirectorapps", "patch kubedirectorclusters/scale"},
		"admin": {"get kubedirectorapps", "patch kubedirectorclusters", "update kubedirectorclusters/scale"},
	}
	rights["edit"] = append(rights["edit"], rights["view"]...)
	rights["admin"] = append(rights["admin"], rights["edit"]...)
	refused := map[string][]string{
		"view":  {"create kubedirectorclusters", "patch kubedirectorclusters/scale", "delete kubedirectorapps"},
		"edit":  {"update kubedirectorclusters/status"},
		"admin": {"update kubedirectorapps/status"},
	}
	for role := range rights {
		user := "kdtest-" + role
		_, err := server.kube.RbacV1().RoleBindings(f.namespace).Create(f.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		}, metav1.CreateOptions{})
		f.must(err)
		f.eventually(patience, "what role "+role+" allows", func(ctx context.Context) (bool, string) {
			var wrong []string
			for _, request := range rights[role] {
				if !f.may(ctx, user, request) {
					wrong = append(wrong, "may not "+request)
				}
			}
			return len(wrong) == 0, strings.Join(wrong, "\n")
		})
		for _, request := range refused[role] {
			if f.may(f.Context(), user, request) {
				f.Errorf("role %s allows to %s", role, request)
			}
		}
	}
}

// may says whether a user may do something in the test's namespace: "patch kubedirectorclusters/scale".
func (f *fixture) may(ctx context.Context, user, request string) bool {
	f.Helper()
	verb, resource, _ := strings.Cut(request, " ")
	resource, subresource, _ := strings.Cut(resource, "/")
	review, err := server.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: f.namespace, Group: v1alpha1.GroupName, Resource: resource, Subresource: subresource, Verb: verb,
		}},
	}, metav1.CreateOptions{})
	f.must(err)
	return review.Status.Allowed
}

// running is what must not change while there is no controller: pods, containers, what scripts were called for.
func (f *fixture) running(cluster string) map[string]string {
	f.Helper()
	pods, err := server.kube.CoreV1().Pods(f.namespace).List(f.Context(), metav1.ListOptions{LabelSelector: names.LabelCluster + "=" + cluster})
	f.must(err)
	running := map[string]string{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		running[pod.Name] = fmt.Sprintf("%s %s %s", pod.UID, containerID(pod), f.exec(pod.Name, "cat", eventsFile))
	}
	return running
}

// checkNothingForbidden: the rights are enough. Requests before the rights were in force are sent again.
func (f *fixture) checkNothingForbidden(since mark) {
	f.Helper()
	requests := audit.byController(f.T, since)
	if len(requests) == 0 {
		f.Error("the audit log tells of no request by the controller")
	}
	for _, r := range requests {
		if r.ResponseStatus.Code == http.StatusForbidden {
			f.Errorf("the controller may not: %s", r)
		}
	}
}

// checkUninstalled looks for what is left of an installation.
func (f *fixture) checkUninstalled() {
	f.Helper()
	crds, err := server.objects.Resource(crdResource).List(f.Context(), metav1.ListOptions{})
	f.must(err)
	for _, crd := range crds.Items {
		if strings.HasSuffix(crd.GetName(), "."+v1alpha1.GroupName) {
			f.Errorf("CRD %s is left", crd.GetName())
		}
	}
	if _, err := server.kube.CoreV1().Namespaces().Get(f.Context(), deployNamespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		f.Errorf("namespace %s: %v, want it gone", deployNamespace, err)
	}
	roles, err := server.kube.RbacV1().ClusterRoles().List(f.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=kubedirector"})
	f.must(err)
	bindings, err := server.kube.RbacV1().ClusterRoleBindings().List(f.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=kubedirector"})
	f.must(err)
	if len(roles.Items)+len(bindings.Items) > 0 {
		f.Errorf("%d ClusterRoles and %d ClusterRoleBindings are left", len(roles.Items), len(bindings.Items))
	}
}

func (f *fixture) showControllerLogs() {
	for _, pod := range f.controllerPods(context.Background()) {
		log, err := server.kube.CoreV1().Pods(deployNamespace).GetLogs(pod.Name, &corev1.PodLogOptions{TailLines: ptr.To[int64](100)}).DoRaw(context.Background())
		f.Logf("%s: %v\n%s", pod.Name, err, bytes.TrimSpace(log))
	}
}

const (
	// controllersGroup are users with the rights that artifacts/deploy gives the controller, and no other.
	controllersGroup = "kdtest:controllers"
	controllersRole  = "kdtest-controller"
)

// grantRights gives controllersGroup what artifacts/deploy gives the controller;
// its Role is for the namespace of the Lease.
func grantRights(ctx context.Context) error {
	manifests, err := os.Open(filepath.Join(root, "artifacts", "deploy", "controller-rights.yaml"))
	if err != nil {
		return err
	}
	defer manifests.Close()
	granted := 0
	for documents := utilyaml.NewYAMLOrJSONDecoder(manifests, 4096); ; {
		role := &unstructured.Unstructured{}
		if err := documents.Decode(role); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		kind := role.GetKind()
		if kind != "ClusterRole" && kind != "Role" {
			continue
		}
		role.SetName(controllersRole)
		binding := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": role.GetAPIVersion(), "kind": kind + "Binding",
			"metadata": map[string]any{"name": controllersRole},
			"subjects": []any{map[string]any{"apiGroup": rbacv1.GroupName, "kind": rbacv1.GroupKind, "name": controllersGroup}},
			"roleRef":  map[string]any{"apiGroup": rbacv1.GroupName, "kind": kind, "name": controllersRole},
		}}
		if err := errors.Join(server.apply(ctx, role, systemNamespace), server.apply(ctx, binding, systemNamespace)); err != nil {
			return err
		}
		granted++
	}
	if granted != 2 {
		return fmt.Errorf("%s has %d roles, want a ClusterRole and a Role", manifests.Name(), granted)
	}
	return nil
}

func revokeRights(ctx context.Context) error {
	rights := server.kube.RbacV1()
	return errors.Join(
		rights.ClusterRoleBindings().Delete(ctx, controllersRole, metav1.DeleteOptions{}),
		rights.ClusterRoles().Delete(ctx, controllersRole, metav1.DeleteOptions{}),
		rights.RoleBindings(systemNamespace).Delete(ctx, controllersRole, metav1.DeleteOptions{}),
		rights.Roles(systemNamespace).Delete(ctx, controllersRole, metav1.DeleteOptions{}),
	)
}

// kubeconfigAs writes the tests' kubeconfig for a user of controllersGroup.
func kubeconfigAs(dir, user string) (string, error) {
	kubeconfig, err := clientcmd.LoadFromFile(server.kubeconfig)
	if err != nil {
		return "", err
	}
	for _, credentials := range kubeconfig.AuthInfos {
		credentials.Impersonate = user
		credentials.ImpersonateGroups = []string{controllersGroup}
	}
	file := filepath.Join(dir, "kubeconfig")
	return file, clientcmd.WriteToFile(*kubeconfig, file)
}
