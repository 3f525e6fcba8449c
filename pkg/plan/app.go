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

package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/catalog"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/validate"
)

// pinnedApp is an app as a ControllerRevision holds it.
type pinnedApp struct {
	Name      string                       `json:"name"`
	Namespace string                       `json:"namespace"`
	Spec      v1alpha1.KubeDirectorAppSpec `json:"spec"`
}

// adoptApp settles which app spec counts for the cluster. The pin follows the
// app until the cluster has first been ready, so that a wrong image is mended by
// correcting the app; then it holds, so that editing or deleting an app disturbs nobody.
func adoptApp(d *draft) bool {
	pin, pinned := d.pin()
	newest, fault := d.newestApp()
	switch {
	case pinned != nil && (d.everReady() || newest == nil):
		d.use(pinned, pin.Name)
	case newest != nil:
		d.use(newest, names.Revision(d.seen.Cluster.Name, newest.hash()))
	case d.seen.Cluster.DeletionTimestamp != nil:
		return true // it goes without its app
	default:
		d.verdict = *fault
		d.mourn()
		return false
	}
	if fault != nil && fault.reason == v1alpha1.ReasonAppInvalid && !d.everReady() {
		d.verdict, d.hold = *fault, true
	}
	d.newest = newest
	return true
}

// mourn is for a cluster whose members are recorded while neither its app nor
// its pin is left: all stays as it is, and says so.
func (d *draft) mourn() {
	if !d.enrolled() {
		return
	}
	d.silent = true
	d.setValid()
	d.setCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, d.verdict.reason, d.verdict.message)
}

// pin is the revision in use: the one that status names or, if status was lost, the newest.
func (d *draft) pin() (*appsv1.ControllerRevision, *pinnedApp) {
	var chosen *appsv1.ControllerRevision
	for _, revision := range d.seen.Revisions {
		if d.status.App != nil && d.status.App.Revision == revision.Name {
			chosen = revision
			break
		}
		if chosen == nil || revision.Revision > chosen.Revision {
			chosen = revision
		}
	}
	if chosen == nil {
		return nil, nil
	}
	pinned := &pinnedApp{}
	if err := json.Unmarshal(chosen.Data.Raw, pinned); err != nil {
		return nil, nil // not ours, or spoilt: as if there were none
	}
	return chosen, pinned
}

// newestApp is the app as it stands in its catalog; nil with a fault when it is not there or not valid.
func (d *draft) newestApp() (*pinnedApp, *verdict) {
	app := d.seen.App
	if app == nil {
		return nil, &verdict{v1alpha1.ReasonAppNotFound, appNotFound(d.seen.Cluster)}
	}
	if faults := validate.App(app); len(faults) > 0 {
		return nil, &verdict{v1alpha1.ReasonAppInvalid, fmt.Sprintf("KubeDirectorApp %s/%s: %s", app.Namespace, app.Name, listFaults(faults))}
	}
	return &pinnedApp{Name: app.Name, Namespace: app.Namespace, Spec: *app.Spec.DeepCopy()}, nil
}

func appNotFound(cluster *v1alpha1.KubeDirectorCluster) string {
	where := fmt.Sprintf("namespace %s or the system catalog", cluster.Namespace)
	switch cluster.Spec.AppCatalog {
	case v1alpha1.AppCatalogLocal:
		where = "namespace " + cluster.Namespace
	case v1alpha1.AppCatalogSystem:
		where = "the system catalog"
	}
	return fmt.Sprintf("spec.app: Not found: %q: no KubeDirectorApp of that name in %s: apply it there (kubectl get kdapp -A lists those there are), or create the cluster for another app", cluster.Spec.App, where)
}

func (d *draft) use(app *pinnedApp, revision string) {
	d.app, d.appNamespace = catalog.New(app.Name, &app.Spec), app.Namespace
	d.inUse = v1alpha1.AppInUse{Name: app.Name, Namespace: app.Namespace, Version: d.app.Version, Revision: revision}
}

// keepPin makes the revision on record, and drops others once it exists.
func keepPin(d *draft) bool {
	if d.paused() || d.plan.Record != "" {
		return true // the revision is not on record yet
	}
	exists := false
	var last int64
	for _, revision := range d.seen.Revisions {
		exists = exists || revision.Name == d.inUse.Revision
		last = max(last, revision.Revision)
	}
	if !exists && d.newest != nil {
		d.act(CreateRevision{d.newest.revision(d.seen.Cluster, d.inUse.Revision, last+1)})
		return true
	}
	for _, revision := range d.seen.Revisions {
		if revision.Name != d.inUse.Revision {
			d.act(DeleteRevision{objectOf(revision)})
		}
	}
	return true
}

// judgeAge sets AppOutdated for a cluster that holds its pin.
func (d *draft) judgeAge() {
	newest := d.newest
	if d.status.FirstReadyTime == nil || newest == nil {
		return
	}
	if names.Revision(d.seen.Cluster.Name, newest.hash()) == d.inUse.Revision {
		d.setCondition(v1alpha1.ConditionAppOutdated, metav1.ConditionFalse, v1alpha1.ReasonAppCurrent, "the app has not changed since this cluster took it up")
		return
	}
	d.setCondition(v1alpha1.ConditionAppOutdated, metav1.ConditionTrue, v1alpha1.ReasonAppChanged,
		fmt.Sprintf("KubeDirectorApp %s/%s has changed (now version %s); this cluster goes on with the spec it pinned in ControllerRevision %s",
			newest.Namespace, newest.Name, catalog.New(newest.Name, &newest.Spec).Version, d.inUse.Revision))
}

// hash identifies the content of an app.
func (a *pinnedApp) hash() string {
	raw, err := json.Marshal(a)
	if err != nil {
		panic(err) // an API type that came from JSON goes into JSON
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])[:10]
}

func (a *pinnedApp) revision(cluster *v1alpha1.KubeDirectorCluster, name string, number int64) *appsv1.ControllerRevision {
	raw, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name:            name,
			Namespace:       cluster.Namespace,
			Labels:          names.ClusterLabels(cluster.Name, a.Name),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cluster, v1alpha1.SchemeGroupVersion.WithKind("KubeDirectorCluster"))},
		},
		Data:     runtime.RawExtension{Raw: raw},
		Revision: number,
	}
}
