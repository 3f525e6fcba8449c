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

package sim

import (
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/names"
)

// user is who wants something of the cluster.
type user struct {
	*world
	setup    setup
	packages int
	// backup is a status that was kept.
	backup *v1alpha1.KubeDirectorClusterStatus
}

func newUser(w *world, s setup) *user {
	u := &user{world: w, setup: s, packages: 1}
	w.must(apiserver.Create(w.api, s.app()))
	return u
}

// userActions are what a user does, by the word that a trace has for it. They
// return false where there is nothing to do it to.
var userActions = map[string]func(u *user, args []string) bool{
	"create": (*user).create,
	"delete": (*user).deleteCluster,
	"scale":  (*user).scale,
	"suspend": func(u *user, _ []string) bool {
		return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.Suspend = true })
	},
	"start": func(u *user, _ []string) bool {
		return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.Suspend = false })
	},
	"pause": func(u *user, _ []string) bool {
		return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.Paused = true })
	},
	"resume": func(u *user, _ []string) bool {
		return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.Paused = false })
	},
	"env":        (*user).env,
	"service":    (*user).serviceType,
	"volume":     (*user).volume,
	"misspell":   (*user).misspell,
	"annotate":   (*user).annotate,
	"app-image":  (*user).appImage,
	"app-delete": (*user).appDelete,
	"app-create": (*user).appCreate,
	"package":    (*user).configPackage,
	"wipe":       (*user).wipeStatus,
	"back-up":    (*user).backUpStatus,
	"restore":    (*user).restoreStatus,
	"harm":       (*user).harm,
	"own":        (*user).own,
	"note":       (*user).note,
	"hold":       (*user).hold,
	"correct":    (*user).correct,
}

// do performs an action; its first word names it.
func (u *user) do(words []string) bool {
	act, known := userActions[words[0]]
	if !known {
		panic("users can't " + words[0])
	}
	u.book.edited = u.book.edited || slices.Contains(renewing, words[0])
	return act(u, words[1:])
}

// renewing are the actions after which pods may have to be made anew. Scaling is none, nor is an upgrade of the controller.
var renewing = []string{"env", "volume", "misspell", "correct", "app-image", "app-create"}

func (u *user) create([]string) bool {
	if u.cluster() != nil {
		return false
	}
	cluster := u.setup.cluster()
	made, err := apiserver.Create(u.api, cluster)
	if err != nil {
		panic(err)
	}
	u.book.born(made)
	return true
}

func (u *user) deleteCluster([]string) bool {
	cluster := u.cluster()
	if cluster == nil || cluster.DeletionTimestamp != nil {
		return false
	}
	u.must(nil, apiserver.Delete[*v1alpha1.KubeDirectorCluster](u.api, namespace, clusterName, metav1.DeleteOptions{}))
	return true
}

// edit changes the spec.
func (u *user) edit(change func(*v1alpha1.KubeDirectorClusterSpec)) bool {
	return u.update(func(c *v1alpha1.KubeDirectorCluster) { change(&c.Spec) })
}

func (u *user) update(change func(*v1alpha1.KubeDirectorCluster)) bool {
	cluster := u.cluster()
	if cluster == nil || cluster.DeletionTimestamp != nil {
		return false
	}
	cluster = cluster.DeepCopy()
	change(cluster)
	u.must(apiserver.Update(u.api, cluster))
	return true
}

// scale ROLE MEMBERS
func (u *user) scale(args []string) bool {
	return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) {
		for i := range s.Roles {
			if s.Roles[i].ID == args[0] {
				s.Roles[i].Members = ptr.To(int32(number(args[1])))
			}
		}
	})
}

// env ROLE VALUE
func (u *user) env(args []string) bool {
	return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) {
		for i := range s.Roles {
			if s.Roles[i].ID == args[0] {
				s.Roles[i].Env = []corev1.EnvVar{{Name: "A", Value: args[1]}}
			}
		}
	})
}

// volume ROLE SIZE
func (u *user) volume(args []string) bool {
	return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) {
		for i := range s.Roles {
			if s.Roles[i].ID == args[0] {
				s.Roles[i].Storage = &v1alpha1.Storage{Size: resource.MustParse(args[1])}
			}
		}
	})
}

// service TYPE
func (u *user) serviceType(args []string) bool {
	return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) { s.ServiceType = corev1.ServiceType(args[0]) })
}

// misspell the last role; again: correct it.
func (u *user) misspell([]string) bool {
	return u.edit(func(s *v1alpha1.KubeDirectorClusterSpec) {
		last := &s.Roles[len(s.Roles)-1]
		if last.ID == "wroker" {
			last.ID = u.setup.cluster().Spec.Roles[len(s.Roles)-1].ID
		} else {
			last.ID = "wroker"
		}
	})
}

// annotate replace|force-remove|retry VALUE
func (u *user) annotate(args []string) bool {
	key := names.ReservedPrefix + args[0]
	u.book.asked(args[0], args[1])
	return u.update(func(c *v1alpha1.KubeDirectorCluster) {
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[key] = args[1]
	})
}

// app-image TAG
func (u *user) appImage(args []string) bool {
	app, found := apiserver.Get[*v1alpha1.KubeDirectorApp](u.api, namespace, appName)
	if !found {
		return false
	}
	app = app.DeepCopy()
	app.Spec.DefaultImageRepoTag = "example/app:" + args[0]
	u.must(apiserver.Update(u.api, app))
	return true
}

func (u *user) appDelete([]string) bool {
	if _, found := apiserver.Get[*v1alpha1.KubeDirectorApp](u.api, namespace, appName); !found {
		return false
	}
	u.must(nil, apiserver.Delete[*v1alpha1.KubeDirectorApp](u.api, namespace, appName, metav1.DeleteOptions{}))
	return true
}

func (u *user) appCreate([]string) bool {
	if _, found := apiserver.Get[*v1alpha1.KubeDirectorApp](u.api, namespace, appName); found {
		return false
	}
	u.must(apiserver.Create(u.api, u.setup.app()))
	return true
}

// configPackage corrects the config package in its ConfigMap.
func (u *user) configPackage([]string) bool {
	found, _ := apiserver.Get[*corev1.ConfigMap](u.api, namespace, "setup")
	u.packages++
	u.book.repackaged = true
	found = found.DeepCopy()
	found.BinaryData = map[string][]byte{"setup.tgz": packageOf(u.packages)}
	u.must(apiserver.Update(u.api, found))
	return true
}

// backUpStatus keeps the status as it is.
func (u *user) backUpStatus([]string) bool {
	u.backup = u.cluster().Status.DeepCopy()
	return true
}

// restoreStatus brings the kept status back.
func (u *user) restoreStatus([]string) bool { return u.replaceStatus(*u.backup) }

// wipeStatus loses the status, as a backup does that was made without it.
func (u *user) wipeStatus([]string) bool {
	cluster := u.cluster()
	if cluster == nil || cluster.DeletionTimestamp != nil || !u.book.bearsRecord(cluster) {
		return false
	}
	return u.replaceStatus(v1alpha1.KubeDirectorClusterStatus{})
}

func (u *user) replaceStatus(status v1alpha1.KubeDirectorClusterStatus) bool {
	cluster := u.cluster().DeepCopy()
	cluster.Status = status
	u.must(apiserver.UpdateStatus(u.api, cluster))
	u.book.wiped++
	u.book.rebuilt = true
	return true
}

func (u *user) statusIsLost() bool {
	cluster := u.cluster()
	return u.book.wiped > 0 && cluster != nil && len(cluster.Status.Roles) == 0
}

// harm KIND NAME deletes an object of the cluster by hand; not while status is
// lost, for what both have told is lost with them.
func (u *user) harm(args []string) bool {
	if u.statusIsLost() {
		return false
	}
	var err error
	switch args[0] {
	case "pod":
		pod := u.pod(args[1])
		if pod == nil || pod.DeletionTimestamp != nil {
			return false
		}
		err = apiserver.Delete[*corev1.Pod](u.api, namespace, args[1], metav1.DeleteOptions{})
	case "service":
		if _, found := apiserver.Get[*corev1.Service](u.api, namespace, args[1]); !found {
			return false
		}
		err = apiserver.Delete[*corev1.Service](u.api, namespace, args[1], metav1.DeleteOptions{})
	case "set":
		if _, found := apiserver.Get[*appsv1.StatefulSet](u.api, namespace, args[1]); !found {
			return false
		}
		err = apiserver.Delete[*appsv1.StatefulSet](u.api, namespace, args[1], metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)})
	default:
		panic("users can't harm a " + args[0])
	}
	u.must(nil, err)
	return true
}

// ownLabel is on what is somebody else's, as label or, on what is not, as
// annotation; ownFinalizer holds a cluster for somebody else.
const (
	ownLabel     = "example.com/owner"
	ownFinalizer = "example.com/hold"
)

// own SERVICE makes a Service of the user's own in the place of one of the
// cluster's; again: takes it away. Like harm it takes nothing of the
// cluster's while status is lost.
func (u *user) own(args []string) bool {
	present, found := apiserver.Get[*corev1.Service](u.api, namespace, args[0])
	owned := found && present.Labels[ownLabel] != ""
	if !owned && u.statusIsLost() {
		return false
	}
	if found {
		u.must(nil, apiserver.Delete[*corev1.Service](u.api, namespace, args[0], metav1.DeleteOptions{}))
	}
	if owned {
		return true
	}
	u.must(apiserver.Create(u.api, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: args[0], Namespace: namespace, Labels: map[string]string{ownLabel: "user"}},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}))
	return true
}

// note SERVICE puts an annotation of the user's own on one of the cluster's Services.
func (u *user) note(args []string) bool {
	service, found := apiserver.Get[*corev1.Service](u.api, namespace, args[0])
	if !found || service.Labels[ownLabel] != "" {
		return false
	}
	service = service.DeepCopy()
	metav1.SetMetaDataAnnotation(&service.ObjectMeta, ownLabel, "user")
	u.must(apiserver.Update(u.api, service))
	return true
}

// disown takes away all that is the user's own.
func (u *user) disown() {
	for _, service := range apiserver.List[*corev1.Service](u.api, namespace) {
		if service.Labels[ownLabel] != "" {
			u.own([]string{service.Name})
		}
	}
	if cluster := u.cluster(); cluster != nil && slices.Contains(cluster.Finalizers, ownFinalizer) {
		u.hold(nil)
	}
}

// hold has somebody else's finalizer on the cluster; again: takes it off.
func (u *user) hold([]string) bool {
	cluster := u.cluster()
	if cluster == nil {
		return false
	}
	cluster = cluster.DeepCopy()
	if i := slices.Index(cluster.Finalizers, ownFinalizer); i >= 0 {
		cluster.Finalizers = slices.Delete(cluster.Finalizers, i, i+1)
	} else if cluster.DeletionTimestamp == nil {
		cluster.Finalizers = append(cluster.Finalizers, ownFinalizer)
	} else {
		return false
	}
	u.must(apiserver.Update(u.api, cluster))
	return true
}

// correct is what the user asks for in the end: what was asked for last, as far as it can be realised.
func (u *user) correct([]string) bool {
	u.disown()
	cluster := u.cluster()
	if cluster == nil || cluster.DeletionTimestamp != nil {
		return false
	}
	u.packages++
	u.update(func(c *v1alpha1.KubeDirectorCluster) {
		c.Spec.Suspend, c.Spec.Paused = false, false
		good := u.setup.cluster()
		for i := range c.Spec.Roles {
			c.Spec.Roles[i].ID = good.Spec.Roles[i].ID
			c.Spec.Roles[i].Members = ptr.To(ptr.Deref(c.Spec.Roles[i].Members, 1))
		}
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[names.AnnotationRetry] = fmt.Sprint("correct ", u.packages)
	})
	return true
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("a trace has %q where a number is to be", text))
	}
	return n
}
