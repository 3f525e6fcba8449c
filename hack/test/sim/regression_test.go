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
	"strings"
	"testing"
)

// regression is a life that broke an invariant once, as short as it could be made.
type regression struct {
	name string
	// seed is that of the setup.
	seed  uint64
	trace string
}

// regressions tell in their names what went wrong, and what it came to.
var regressions = []regression{
	{"a member that never came is known to those who were configured meanwhile", 57, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		user misspell
		flow
		user misspell
		user scale worker 2`},
	{"a member configured on its volume while nobody looked is still to hear of changes", 57, `
		user create
		watch r1 all
		pass r1
		fault kill r1
		fault start 1
		watch r2 kubedirectorclusters 2
		pass r2
		watch r2 all
		user env controller 1
		pass r2
		user misspell
		flow
		user misspell
		user scale worker 2`},
	{"who was away when status was lost is still to hear of changes", 220, `
		user create
		calm
		fault node-partition node-2
		wait 45s
		flow
		user scale worker 0
		flow
		user wipe`},
	{"who was configured before status was lost is still to hear of changes", 69, `
		user create
		user scale worker 0
		flow
		user scale worker 3
		fault node-partition node-2
		wait 12m
		flow
		user wipe`},
	{"a role on its way to none is not taken for suspended when status was lost", 136, `
		user create
		fault node-stop node-3
		flow
		user scale worker 0
		flow
		wait 300ms
		wait 300ms
		flow
		user scale worker 3
		user wipe`},
	{"who all leave in a suspension say their farewells", 3403, `
		user create
		calm
		user annotate replace 1+volume
		user suspend
		user scale worker 0
		flow`},
	{"who joined while the cluster was suspended is not told of those before when status was lost", 3430, `
		user create
		calm
		user suspend
		flow
		wait 2s
		flow
		user scale worker 0
		flow
		user scale worker 4
		flow
		user wipe`},
	{"who lost its container and keeps its volume is told of joins, not only of leaves", 3472, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		kube statefulset ns/c-worker
		kube bind ns/persist-c-worker-0
		user app-image 2
		user annotate replace 3+volume
		kube schedule ns/c-worker-0
		kube start ns/c-worker-0
		fault node-partition node-3
		flow`},
	{"a process whose cache of clusters lags behind those of objects undoes nothing", 5047, `
		user create
		calm
		user suspend
		user scale worker 0
		fault lease
		flow
		user env controller 2
		flow
		user start
		watch r2 all
		pass r2
		user scale worker 4
		fault node-stop node-2
		fault fuse 1 unsent
		user annotate replace 3+volume
		user package
		user scale worker 0
		user app-delete
		fault compact statefulsets
		wait 5m
		flow
		fault fuse 0 unsent
		user annotate force-remove 2
		wait 20s
		flow
		fault kill r4
		fault start 40
		pass r5`},
	{"who was being configured when a member joined hears that it does not come after all", 5393, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		kube statefulset ns/c-controller
		kube schedule ns/c-controller-0
		kube start ns/c-controller-0
		user scale worker 4
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		fault outage on
		flow
		user scale worker 3`},
	{"a volume made after its member was given up goes with it where the policy says so", 5254, `
		user create
		calm
		user scale worker 4
		watch r1 all
		pass r1
		user annotate replace 4+volume
		fault fuse 1 unsent
		flow
		user scale worker 1
		flow
		user delete`},
	{"who starts over after a removal that was called off hears of who leaves afterwards", 7210, `
		user create
		calm
		user scale worker 0
		flow
		user scale worker 4
		user harm pod c-controller-0
		flow
		user scale worker 1`},
	{"who has run on its volume hears of joins though nothing else tells that it was configured", 7487, `
		user create
		calm
		fault freeze
		user wipe
		flow
		user scale worker 3
		fault node-stop node-2
		wait 45s
		fault container c-worker-0
		flow`},
	{"who joins in the place of one that left is not told of in an event before that", 9317, `
		user create
		user scale worker 3
		flow
		user suspend
		flow
		user annotate replace 4+volume
		fault node-stop node-2
		calm
		user annotate replace 3
		flow`},
	{"a pod made before the volume of a replaced member was deleted does not keep it for ever", 9676, `
		user create
		flow
		fault freeze
		user annotate replace 2+volume
		fault node-stop node-3
		calm`},
	{"node IDs are rebuilt by ordinal also where one in between has gone", 9776, `
		user create
		calm
		user misspell
		fault node-partition node-1
		wait 10s
		user suspend
		user misspell
		flow
		user scale worker 1
		wait 20s
		wait 10s
		flow
		user wipe`},
	{"who was suspended with its volume when status was lost is still to hear of joins", 100014, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		kube statefulset ns/c-worker
		kube bind ns/persist-c-worker-0
		kube schedule ns/c-worker-0
		kube start ns/c-worker-0
		watch r1 all
		pass r1
		exec r1 c-worker-0 delivered
		user suspend
		script c-worker-0 0
		flow
		user wipe
		user scale worker 3`},
	{"who was configured in a new container nobody recorded is still to hear of changes", 200291, `
		user create
		calm
		fault fuse 0
		fault node-stop node-2
		wait 20s
		wait 20s
		fault container c-worker-2
		flow
		fault freeze
		fault node-partition node-1
		wait 20s
		wait 20s
		flow
		user annotate replace 3
		fault thaw
		flow`},
	{"who joins in a place is not taken for who left it when status was lost", 200424, `
		user create
		calm
		fault node-partition node-3
		wait 20s
		wait 20s
		flow
		user scale worker 3
		user annotate replace 4
		flow
		wait 10s
		flow
		wait 45s
		flow
		user wipe`},
	{"who is back before anybody heard that it leaves, and leaves again, is known", 300936, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		user scale worker 4
		kube statefulset ns/c-worker
		fault quota on
		flow
		wait 200ms
		wait 200ms
		wait 200ms
		flow
		wait 5m
		pass r1
		user scale worker 2
		watch r1 all
		pass r1
		user scale worker 4
		flow
		user scale worker 2`},
	{"who was configured on a volume, and has no pod, is still to hear of changes", 301485, `
		user create
		flow
		user scale worker 4
		flow
		user harm set c-worker
		user scale worker 3`},
	{"who is known to have left when status was lost is told of again", 302093, `
		user create
		calm
		user annotate replace 2+volume
		flow
		wait 2s
		flow
		user annotate replace 5+volume
		user wipe`},
	{"who starts over does so though status was lost", 400163, `
		user create
		calm
		user scale worker 2
		fault node-stop node-1
		user annotate replace 3+volume
		flow
		wait 1s
		flow
		wait 20s
		wait 20s
		user scale worker 3
		flow
		user wipe`},
	{"who starts over does so after a suspension, too", 400110, `
		user create
		calm
		fault node-partition node-3
		user scale worker 0
		flow
		user suspend
		user scale worker 1
		flow`},
	{"who starts over knows who joined before it did", 400438, `
		user create
		calm
		user scale worker 0
		watch r1 all
		pass r1
		user scale worker 2
		flow
		user scale worker 3
		watch r1 all
		pass r1
		user misspell
		flow
		user misspell
		flow
		user scale worker 2`},
	{"those who come back together, one of whom has heard that the other left, hear of each other", 400581, `
		user create
		calm
		fault kill r1
		fault start 40
		fault lease
		user scale worker 1
		flow
		user scale worker 0
		watch r3 all
		pass r3
		user scale worker 2`},
	{"who is removed by force while its place is asked for again leaves its volume there", 700099, `
		user create
		fault fuse 4 unsent
		user annotate force-remove 3
		flow
		fault kill r2
		fault start 3
		user scale worker 0
		watch r3 all
		pass r3
		user scale worker 2`},
	{"who stays because its replacement was forgotten hears of who joined", 700803, `
		user create
		calm
		user annotate replace 5
		user scale client 3
		fault node-stop node-2
		flow
		user annotate replace 3
		user wipe`},
	{"what was rebuilt is on record before the first object goes", 701578, `
		user create
		flow
		fault fuse 0
		user wipe
		user delete
		flow`},
	{"a visit meant for the last container configures the next, and it still hears of who joins", 701789, `
		user create
		fault kill r1
		flow
		fault start 30
		fault lease
		user env client 1
		watch r3 all
		pass r3
		watch r3 all
		fault container c-worker-0
		kube restart ns/c-worker-0
		pass r3
		fault freeze
		flow
		user scale client 2`},
	{"who was suspended before it was configured learns of all by its configuration", 700624, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		kube statefulset ns/c-controller
		kube schedule ns/c-controller-0
		kube start ns/c-controller-0
		user suspend
		user scale worker 1
		flow
		user wipe
		user scale worker 3`},
	{"who is still to hear that one left hears of the next in its place", 701110, `
		user create
		flow
		user delete
		fault fuse 1
		flow
		user create
		watch r2 all
		pass r2
		watch r2 all
		pass r2
		fault freeze
		flow
		user annotate replace 2+volume
		user scale worker 2
		fault fuse 2 unsent
		fault thaw
		fault start 40
		watch r3 all
		pass r3
		watch r3 all
		pass r3
		watch r3 all
		pass r3
		wait 10s
		kube statefulset ns/c-worker`},
	{"who is configured once more by newer metadata knows who joined meanwhile", 701168, `
		user create
		user scale worker 1
		flow
		fault container c-controller-0
		kube report ns/c-controller-0
		watch r1 pods 2
		kube restart ns/c-controller-0
		pass r1
		user scale worker 3
		flow
		user scale worker 2`},
	{"what was sent before somebody stayed after all arrives when all is over", 6, `
		user create
		calm
		user scale worker 1
		watch r1 all
		pass r1
		wait 200ms
		watch r1 all
		pass r1
		wait 200ms
		exec r1 c-controller-0 late
		user scale worker 2
		calm
		late c-controller-0`},
	{"what was sent before somebody stayed after all arrives under the next leader", 6, `
		user create
		calm
		user scale worker 1
		watch r1 all
		pass r1
		wait 200ms
		watch r1 all
		pass r1
		wait 200ms
		exec r1 c-controller-0 late
		user scale worker 2
		fault kill r1
		calm
		late c-controller-0`},
	{"who was configured since a leave, and hears of it once more, hears of the successor once more", 901857, `
		user create
		calm
		user suspend
		fault node-stop node-3
		flow
		user annotate replace 4
		flow
		wait 45s
		user start
		flow
		wait 2s
		flow
		user wipe`},
	{"a new process whose cache lacks the pods of those that leave lets them say farewell", 921509, `
		user create
		fault kill r1
		flow
		fault compact kubedirectorclusters
		user scale worker 0
		fault kill r2
		fault start 40
		pass r3`},
	{"who was configured when status was lost and no node answers hears of who joins", 922178, `
		user create
		calm
		fault outage on
		user wipe
		fault node-stop node-1
		fault node-partition node-3
		wait 45s
		fault out-of-service node-2 on
		flow
		user scale worker 4`},
	{"who was never configured when status was lost hears of the leave of those it met in its configuration", 941747, `
		user create
		calm
		fault container c-controller-0
		kube restart ns/c-controller-0
		fault node-partition node-2
		user misspell
		user misspell
		user scale client 3
		flow
		user wipe
		user scale worker 4
		calm
		user scale worker 1`},
	{"a cluster deleted when one is gone and its successor not enlisted leaves no volume of it", 951416, `
		user create
		calm
		user annotate replace 3+volume
		flow
		wait 2s
		fault fuse 0
		pass r1
		fault start 1
		watch r2 all
		pass r2
		kube claim-protection ns/persist-c-worker-1
		watch r2 all
		pass r2
		user delete`},
	{"the record that was lost is rebuilt from what a new process's caches had of yesterday", 960409, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		kube statefulset ns/c-worker
		kube statefulset ns/c-controller
		kube schedule ns/c-controller-0
		kube schedule ns/c-worker-0
		fault lease
		fault start 3
		kube start ns/c-worker-0
		user scale worker 1
		watch r2 all
		pass r2
		watch r2 all
		pass r2
		watch r2 all
		pass r2
		watch r2 all
		fault compact kubedirectorclusters
		user suspend
		fault fuse 2 unsent
		wait 10s
		pass r2
		pass r2
		user wipe
		exec r2 c-worker-0 delivered
		fault start 40
		watch r3 statefulsets 3
		pass r3`},
	{"a member is replaced with its volume while its place is given up, and Kubernetes makes another volume before that", 971527, `
		user create
		flow
		user annotate replace 4+volume
		user scale worker 2
		flow
		wait 10s
		flow
		user delete`},
	{"who was never configured is, in another container, and nothing of that is on record when others join", 981752, `
		user create
		calm
		fault kill r1
		fault start 1
		fault kill r2
		fault start 1
		fault fuse 1 unsent
		user delete
		flow
		user create
		watch r4 all
		pass r4
		watch r4 all
		pass r4
		watch r4 all
		pass r4
		kube statefulset ns/c-controller
		kube schedule ns/c-controller-0
		kube start ns/c-controller-0
		watch r4 all
		wait 5m
		pass r4
		fault container c-controller-0
		kube restart ns/c-controller-0
		flow
		user scale worker 4`},
	{"status is lost while a member is replaced, whose place is given up", 990690, `
		user create
		flow
		user annotate replace 4
		flow
		user wipe
		user scale worker 1
		calm`},
	{"a member is replaced with its volume while its place is given up, and those above it take their time to leave", 1021498, `
		user create
		calm
		fault node-stop node-1
		wait 45s
		kube node-lifecycle node-1
		user suspend
		user annotate replace 2
		watch r1 all
		pass r1
		wait 20s
		flow
		user scale worker 0`},
	// Nobody has seen these go wrong; walks hardly ever come there.
	{"somebody else takes hold of a cluster while our own finalizer is on its way", 6, `
		user create
		fault freeze
		watch r1 all
		pass r1
		user hold
		fault thaw`},
	{"the pod of a member that leaves is deleted by hand before its StatefulSet has given it up", 119, `
		user create
		calm
		user scale worker 1
		watch r1 all
		pass r1
		watch r1 all
		user harm pod c-worker-1
		kube end ns/c-worker-1
		watch r1 all
		pass r1
		watch r1 all
		pass r1`},
	{"status is lost when a suspended cluster is about to start", 55, `
		user create
		calm
		user suspend
		calm
		user start
		user wipe
		calm`},
	{"a member is replaced beside one that is removed, where volumes go with who is removed", 55, `
		user create
		calm
		user annotate replace 2
		user scale worker 1
		calm`},
	{"the app is corrected before the cluster has ever been ready, and again", 55, `
		user create
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		user app-image 2
		calm`},
	{"a member stays after all that was being decommissioned, and the cluster is suspended before it has begun anew", 10, `
		user create
		calm
		user scale worker 1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		watch r1 all
		pass r1
		exec r1 c-client-0 delivered
		exec r1 c-controller-0 delivered
		exec r1 c-worker-0 delivered
		exec r1 c-worker-1 delivered
		user scale worker 2
		watch r1 all
		pass r1
		fault quota on
		user suspend
		calm
		fault quota off
		user start
		calm`},
	{"a volume is bound while its claim, whose size was corrected, is about to be deleted", 6, `
		user create
		watch r1 all
		pass r1
		wait 100ms
		watch r1 all
		pass r1
		wait 100ms
		watch r1 all
		pass r1
		wait 100ms
		watch r1 all
		pass r1
		wait 100ms
		pass r1
		kube statefulset ns/c-worker
		kube statefulset ns/c-worker
		kube statefulset ns/c-controller
		user volume worker 2Gi
		watch r1 all
		pass r1
		watch r1 all
		wait 100ms
		fault freeze
		pass r1
		kube bind ns/persist-c-worker-0
		kube bind ns/persist-c-worker-1
		fault thaw`},
}

func TestRegressions(t *testing.T) {
	for _, r := range regressions {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			var trace []step
			for line := range strings.Lines(r.trace) {
				if line = strings.TrimSpace(line); line != "" {
					trace = append(trace, step(line))
				}
			}
			if res := replay(t, r.seed, trace, true, true); res.broken != nil {
				t.Error(res.report(true))
			}
		})
	}
}
