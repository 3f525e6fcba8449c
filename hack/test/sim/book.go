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
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluek8s/kubedirector/hack/test/sim/apiserver"
	"github.com/bluek8s/kubedirector/hack/test/sim/guests"
	"github.com/bluek8s/kubedirector/pkg/apis/kubedirector/v1alpha1"
	"github.com/bluek8s/kubedirector/pkg/guest/protocol"
	"github.com/bluek8s/kubedirector/pkg/names"
	"github.com/bluek8s/kubedirector/pkg/resources"
)

// book is what an observer of everything knows who is no part of it: which
// scripts ran where, what the application in each container knows, what users
// asked for. The invariants compare what the controller does and says with it.
type book struct {
	world *world
	// mu is held by who writes down what happens: requests, and scripts that start and end.
	mu       sync.Mutex
	failures []string // passes that ended with an error

	// writes are those of the controller that succeeded, by verb and resource; refused those that did not.
	writes  map[string]int
	refused []string
	// owners are the pods that node IDs belong to, by cluster.
	owners map[types.UID]map[int64]string
	// lastID and lastMetadata are the highest that a cluster's status has said.
	lastID, lastMetadata map[types.UID]int64
	// held are the revisions of the app that clusters use since they were first ready.
	held map[types.UID]string
	// succeeded are the events that have, by the identity within which they may only once.
	succeeded map[string]*guests.Script
	// started are the attempts that were started, by container.
	started map[string]bool
	// ended is when attempts have, as status records them.
	ended map[string]time.Time
	// parted are the containers in which decommission was begun.
	parted map[string]bool
	// configured are the members that have been, farewelled those that have been decommissioned, by cluster and node ID.
	configured, farewelled map[string]bool
	// attempts are those that status has ever recorded.
	attempts map[string]bool
	// asleep are the members that were suspended and are not on record as back.
	asleep map[string]bool
	// leaves is true of members that were last on record as leaving, or being deleted.
	leaves map[string]bool
	// away are the members that were lost and are not on record as back: a request may be on its way that was sent without them.
	away map[string]bool
	// unheard are the members that began to leave when nobody knew yet whether they were configured.
	unheard map[string]bool
	// announced are the calls for events that status has ever said are due.
	announced map[string]bool
	// minds are what applications know, by the disk that they know it from.
	minds map[string]*mind

	// volumes are node IDs that users asked to replace with their volumes.
	volumes map[int64]bool
	// sentAway are node IDs that users asked to replace or to remove by force.
	sentAway map[int64]bool
	// edited is true once a user has changed what pods are made of.
	edited bool
	// repackaged is true once a user has changed the package, which has failed scripts tried again.
	repackaged bool
	// wiped is not 0 while status is lost and not yet rebuilt; rebuilt is true once it was.
	wiped   int
	rebuilt bool
}

// mind is what an application knows: who it is, and who its peers are, by the names of their pods.
type mind struct {
	nodeID    int64
	container string
	peers     map[string]int64
	// returned has the containers in which it was told that it is in another one than it was configured in.
	returned map[string]bool
	// parted is true once it may have been decommissioned, until it is configured again.
	parted bool
}

func newBook(w *world) *book {
	return &book{
		world: w, writes: map[string]int{}, owners: map[types.UID]map[int64]string{}, lastID: map[types.UID]int64{}, lastMetadata: map[types.UID]int64{}, held: map[types.UID]string{},
		succeeded: map[string]*guests.Script{}, started: map[string]bool{}, ended: map[string]time.Time{}, parted: map[string]bool{}, configured: map[string]bool{}, farewelled: map[string]bool{},
		attempts: map[string]bool{}, asleep: map[string]bool{}, leaves: map[string]bool{}, unheard: map[string]bool{}, away: map[string]bool{}, announced: map[string]bool{}, minds: map[string]*mind{}, volumes: map[int64]bool{}, sentAway: map[int64]bool{},
	}
}

// born notes a cluster that was made: what was asked of an earlier one of its name counts no more.
func (b *book) born(*v1alpha1.KubeDirectorCluster) {
	b.volumes, b.sentAway, b.edited, b.repackaged, b.wiped, b.rebuilt = map[int64]bool{}, map[int64]bool{}, false, false, 0, false
}

// asked notes what a user asked for by an annotation.
func (b *book) asked(what, value string) {
	if what == "retry" {
		return
	}
	id, volume := strings.CutSuffix(value, "+volume")
	b.sentAway[number(id)] = true
	if volume {
		b.volumes[number(id)] = true
	}
}

// bearsRecord is true while the objects tell of the members that status records,
// so that status can be rebuilt from them.
func (b *book) bearsRecord(cluster *v1alpha1.KubeDirectorCluster) bool {
	api := b.world.api
	for _, role := range cluster.Status.Roles {
		var ids []int64
		for _, m := range role.Members {
			_, ordinal, _ := names.ParsePod(m.Pod)
			for len(ids) < ordinal {
				ids = append(ids, 0)
			}
			ids = append(ids, m.NodeID)
		}
		set, found := apiserver.Get[*appsv1.StatefulSet](api, namespace, role.StatefulSet)
		if !found || set.DeletionTimestamp != nil || set.Annotations[names.AnnotationNodeIDs] != names.FormatNodeIDs(ids) ||
			set.Annotations[names.AnnotationMetadataGeneration] != fmt.Sprint(cluster.Status.MetadataGeneration) {
			return false
		}
	}
	service, found := apiserver.Get[*corev1.Service](api, namespace, names.HeadlessService(clusterName))
	return found && service.Annotations[names.AnnotationLastNodeID] == fmt.Sprint(cluster.Status.LastNodeID) && b.bearsEvents(&cluster.Status, service)
}

// bearsEvents is true while the journal tells of the events that status records.
func (b *book) bearsEvents(status *v1alpha1.KubeDirectorClusterStatus, service *corev1.Service) bool {
	journal, err := resources.ReadJournal(service)
	if err != nil || journal.Last != status.LastEvent {
		return false
	}
	starts := func(m *v1alpha1.MemberStatus) bool {
		return m.Retired != nil && m.Retired.StartsOver && !slices.Contains(journal.StartOver, m.NodeID)
	}
	if memberThat(status, starts) != nil {
		return false
	}
	// Until something is recorded there, a pod that is Ready tells that the cluster has been.
	ready := service.Annotations[names.AnnotationFirstReady] != "" || journal.Last == 0 && b.anyReady()
	return ready == (status.FirstReadyTime != nil) && slices.EqualFunc(journal.Events, status.PendingEvents, func(a, b v1alpha1.PendingEvent) bool {
		return a.Number == b.Number && a.Open == b.Open && slices.Equal(a.NodeIDs, b.NodeIDs) &&
			!slices.ContainsFunc(b.For, func(id int64) bool { return !slices.Contains(a.For, id) })
	})
}

func (b *book) anyReady() bool {
	return slices.ContainsFunc(apiserver.List[*corev1.Pod](b.world.api, namespace), func(pod *corev1.Pod) bool {
		return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
	})
}

// identity is that within which an event may succeed once, with where its ledger is.
func identity(s *guests.Script) string {
	within := ""
	switch s.Scope {
	case protocol.ScopeIncarnation:
		within = s.ContainerID
	case protocol.ScopeNodeGeneration:
		within = fmt.Sprint(s.Generation)
	}
	ledger := string(s.PodUID)
	if s.Claim != "" {
		ledger = string(s.Claim)
	}
	return fmt.Sprintf("%s/%d/%s/%s/%s in %s", s.Cluster, s.NodeID, s.Event, s.Scope, within, ledger)
}

func memberKey(cluster types.UID, nodeID int64) string { return fmt.Sprintf("%s/%d", cluster, nodeID) }

// disk is where an application keeps what it knows.
func disk(s *guests.Script) string {
	if s.Claim != "" {
		return string(s.Claim)
	}
	return s.ContainerID
}

// metadata is what of the metadata document an application reads here.
type metadata struct {
	NodeGroups map[string]struct {
		Roles map[string]struct {
			NodeIDs []string `json:"node_ids"`
			FQDNs   []string `json:"fqdns"`
		} `json:"roles"`
	} `json:"nodegroups"`
	Node struct {
		ID string `json:"id"`
	} `json:"node"`
}

// rosterOf is who is in a metadata document, by the names of their pods.
func rosterOf(document []byte) (map[string]int64, error) {
	var m metadata
	if err := json.Unmarshal(document, &m); err != nil {
		return nil, err
	}
	roster := map[string]int64{}
	for _, group := range m.NodeGroups {
		for _, role := range group.Roles {
			for i, fqdn := range role.FQDNs {
				roster[podOf(fqdn)] = number(role.NodeIDs[i])
			}
		}
	}
	return roster, nil
}

// podOf is the pod of a fully qualified name.
func podOf(fqdn string) string {
	pod, _, _ := strings.Cut(fqdn, ".")
	return pod
}

// named are the pods that a script's arguments name.
func named(s *guests.Script) []string {
	for i, arg := range s.Args {
		if arg == "--fqdns" && i+1 < len(s.Args) {
			var pods []string
			for _, fqdn := range strings.Split(s.Args[i+1], ",") {
				pods = append(pods, podOf(fqdn))
			}
			return pods
		}
	}
	return nil
}

// memberThat is the first member of which something is true; nil: none.
func memberThat(status *v1alpha1.KubeDirectorClusterStatus, is func(*v1alpha1.MemberStatus) bool) *v1alpha1.MemberStatus {
	for i := range status.Roles {
		for j := range status.Roles[i].Members {
			if m := &status.Roles[i].Members[j]; is(m) {
				return m
			}
		}
	}
	return nil
}

func memberOf(status *v1alpha1.KubeDirectorClusterStatus, pod string) *v1alpha1.MemberStatus {
	return memberThat(status, func(m *v1alpha1.MemberStatus) bool { return m.Pod == pod })
}

func memberOfClaim(status *v1alpha1.KubeDirectorClusterStatus, claim string) *v1alpha1.MemberStatus {
	return memberThat(status, func(m *v1alpha1.MemberStatus) bool { return names.Claim(m.Pod) == claim })
}

func memberByID(status *v1alpha1.KubeDirectorClusterStatus, id int64) *v1alpha1.MemberStatus {
	return memberThat(status, func(m *v1alpha1.MemberStatus) bool { return m.NodeID == id })
}

// claimOf is the UID of the claim that a pod mounts; empty: none.
func (b *book) claimOf(pod *corev1.Pod) string {
	claim, found := apiserver.Get[*corev1.PersistentVolumeClaim](b.world.api, namespace, names.Claim(pod.Name))
	if !found || !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.PersistentVolumeClaim != nil }) {
		return ""
	}
	return string(claim.UID)
}

func asText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
