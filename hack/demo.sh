#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# The main job, for real: hack/demo.sh up runs Spark with a Jupyter role from the
# catalog and uses it; hack/demo.sh down removes what it made, and nothing else.
#
# It starts a Kubernetes of its own on this machine. A cluster that exists
# already is used only when named: CONTEXT=name-of-a-kubeconfig-context.
# What the demo makes is noted in .cache/demo before it is made, so that an
# interrupted demo can be run again, or be removed.

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
state=$root/.cache/demo
namespace=kubedirector-demo
cluster=spark
log=$state/kubedirector.log
asked=${CONTEXT:-}
context=$asked
begun=$SECONDS

say() { printf '\n\033[1m==> [%3ds] %s\033[0m\n' "$((SECONDS - begun))" "$*"; }
die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}
k() { "$kubectl" --context "$context" "$@"; }
kn() { k --namespace "$namespace" "$@"; }
condition() { kn get kdc "$cluster" -o jsonpath="{.status.conditions[?(@.type==\"$1\")].status}" 2>/dev/null; }

# --- which Kubernetes -------------------------------------------------------

choose_cluster() {
	if [ -f "$state/cluster" ] && [ "$(recall && echo "$asked")" != "$asked" ]; then
		die "a demo of this checkout is on $(recall && echo "context $context of $KUBECONFIG"): make demo-down first"
	fi
	if [ -n "$asked" ]; then
		kubectl=$(command -v kubectl) || die "kubectl is missing: install it, it is what you use your cluster with"
		export KUBECONFIG=${KUBECONFIG:-$HOME/.kube/config}
		k config get-contexts "$context" >/dev/null 2>&1 || die "no context \"$context\" in $KUBECONFIG; kubectl config get-contexts lists those there are"
	else
		hack/devcluster.sh status >/dev/null 2>&1 || touch "$state/devcluster"
		hack/devcluster.sh up
		kubectl=$root/.cache/bin/kubectl
		KUBECONFIG=$(.cache/bin/devcluster kubeconfig)
		export KUBECONFIG
		context=devcluster
	fi
	printf '%s=%q\n' asked "$asked" kubectl "$kubectl" context "$context" KUBECONFIG "$KUBECONFIG" >"$state/cluster"
}

recall() {
	# shellcheck source=/dev/null
	source "$state/cluster"
	export KUBECONFIG
}

# exists is asked before something is made or removed: not to know ends the demo.
exists() {
	local found
	found=$(k get "$@" --ignore-not-found -o name) || die "cannot see whether there is $*"
	[ -n "$found" ]
}

# --- the controller, out of cluster -----------------------------------------

controller_runs() {
	local pid
	pid=$(cat "$state/pid" 2>/dev/null) || return 1
	# The number alone may be another process's by now, say after a reboot.
	case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || ps -p "$pid" -o command=) in
	"$root/_output/bin/kubedirector "*) ;;
	*) return 1 ;;
	esac
} 2>/dev/null

start_controller() {
	[ -x _output/bin/kubedirector ] || make --no-print-directory build
	# Job control gives it a process group of its own, which Ctrl-C does not reach.
	(
		set -o monitor
		nohup "$root/_output/bin/kubedirector" \
			--kubeconfig "$KUBECONFIG" --context "$context" --watch-namespace "$namespace" --system-namespace "$namespace" \
			--metrics-address 127.0.0.1:0 --health-address 127.0.0.1:0 -v 2 \
			>>"$log" 2>&1 </dev/null &
		echo $! >"$state/pid"
	)
}

stop_controller() {
	local deadline=$((SECONDS + 30))
	if controller_runs; then kill "$(cat "$state/pid")"; fi
	while controller_runs; do
		[ $SECONDS -lt $deadline ] || die "the controller, process $(cat "$state/pid"), does not end; see $log"
		sleep 0.2
	done
	rm -f "$state/pid"
}

# --- the cluster ------------------------------------------------------------

install() {
	if ! exists namespace "$namespace"; then
		touch "$state/namespace"
	elif [ ! -f "$state/namespace" ]; then
		die "there is a namespace $namespace already, which no demo of this checkout has made: remove it (make demo-down where it was made), or name another cluster"
	fi
	if exists -f artifacts/crds; then
		[ -f "$state/crds" ] || echo "The CRDs are there already. They are brought to this version, and will stay."
	else
		touch "$state/crds"
	fi
	k apply -f artifacts/crds
	k wait --for=condition=Established --timeout=30s -f artifacts/crds
	exists namespace "$namespace" || k create namespace "$namespace"
}

launch() {
	if ! kn get secret spark-jupyter >/dev/null 2>&1; then
		# The token reaches kubectl by a file descriptor, never by a command line.
		kn create secret generic spark-jupyter --from-file=token=<(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
	fi
	kn apply -f artifacts/catalog/spark/package.yaml -f artifacts/catalog/spark/app.yaml
	kn get kdapp
	kn apply -f artifacts/catalog/spark/cluster.yaml
}

# watch_states prints each change of state or message while the demo goes on.
watch_states() {
	# Not through kn: $! must be kubectl's, to end it.
	"$kubectl" --context "$context" --namespace "$namespace" get kdc "$cluster" --watch --no-headers \
		-o custom-columns='STATE:.status.state,MEMBERS:.status.membership,MESSAGE:.status.conditions[?(@.type=="Ready")].message' \
		2>/dev/null > >(
			while read -r line; do
				[ "$line" = "${last:-}" ] || printf '  [%3ds] %s\n' "$((SECONDS - begun))" "$line"
				last=$line
			done
		) &
	watcher=$!
}
end_background() { kill ${watcher:+"$watcher"} ${forward:+"$forward"} 2>/dev/null || true; }
trap end_background EXIT

wait_ready() {
	local deadline=$((SECONDS + 600))
	until [ "$(condition Ready)" = True ]; do
		controller_runs || die "the controller has ended, see $log"
		[ $SECONDS -lt $deadline ] || {
			kn get kdc "$cluster" -o wide || true
			kn get pods || true
			die "the cluster was not ready in time; the line above says why, $log has the details"
		}
		sleep 0.5
	done
}

# --- using it ---------------------------------------------------------------

# The notebook asks Spark where its tasks ran. It must have been on the workers, all of them.
run_notebook() {
	local want got
	want=$(kn get pods -l kubedirector.bluedata.io/cluster=$cluster,kubedirector.bluedata.io/role=worker -o name | sed 's,pod/,,' | sort | paste -sd' ' -)
	kn exec "$cluster-jupyter-0" -- jupyter nbconvert --to markdown --execute --stdout --log-level WARN \
		/home/spark/notebooks/executors.ipynb >"$state/notebook.out" 2>"$state/notebook.err" ||
		die "the notebook failed: $(tail -5 "$state/notebook.err")"
	sed 's/^/    /' "$state/notebook.out"
	got=$(sed -n 's/^ *executor: *\([^ .]*\).*/\1/p' "$state/notebook.out" | sort -u | paste -sd' ' -)
	[ "$got" = "$want" ] || die "the job ran on \"$got\", not on the workers \"$want\""
	echo "The job ran on the workers: $got"
}

# The Spark master must list as many workers as given, and as alive.
count_workers() {
	local page='' alive=0
	"$kubectl" --context "$context" --namespace "$namespace" port-forward "svc/$cluster-controller-0-svc" :8080 >"$state/port-forward.log" 2>&1 &
	forward=$!
	for _ in $(seq 60); do
		page=$(sed -n 's,^Forwarding from \(127.0.0.1:[0-9]*\) .*,http://\1/json/,p' "$state/port-forward.log")
		alive=$( ([ -z "$page" ] || curl -fsS --noproxy '*' --max-time 5 "$page" 2>/dev/null) | tr -d ' \n' | grep -o '"state":"ALIVE"' | wc -l) || true
		[ "$alive" -ne "$1" ] || break
		sleep 0.5
	done
	kill "$forward" 2>/dev/null || true
	wait "$forward" 2>/dev/null || true
	forward=
	[ "$alive" -eq "$1" ] || die "the Spark master lists $alive ALIVE workers, not $1; $state/port-forward.log says how it was reached"
	echo "curl $page: $((alive)) ALIVE workers"
}

kill_container() {
	local pod=$1 before after
	before=$(kn get pod "$pod" -o jsonpath='{.status.containerStatuses[0].restartCount}')
	kn exec "$pod" -- sh -c 'kill 1' || true # the shell may end with its container; the count decides
	for _ in $(seq 100); do
		after=$(kn get pod "$pod" -o jsonpath='{.status.containerStatuses[0].restartCount}')
		[ "$after" = "$before" ] || break
		sleep 0.3
	done
	[ "$after" != "$before" ] || die "the container of $pod did not end"
	for _ in $(seq 50); do
		[ "$(condition Ready)" = True ] || return 0
		sleep 0.1
	done
}

next_steps() {
	local kubectl_line
	kubectl_line=$(printf '%q ' env "KUBECONFIG=$KUBECONFIG" "$kubectl" --context "$context" -n "$namespace")
	cat <<TEXT

Spark runs. What to try next, with

  alias kd='${kubectl_line% }'

  kd get kdc,pods,svc,pvc                       what there is
  kd describe kdc $cluster                          conditions and events
  kd get kdc $cluster -o yaml                       the members, one by one
  kd port-forward svc/$cluster-controller-0-svc 8080   the Spark master's page on http://localhost:8080
  kd port-forward svc/$cluster-jupyter-0-svc 8888      JupyterLab on http://localhost:8888/lab, with the token from
  kd get secret spark-jupyter -o jsonpath='{.data.token}' | base64 -d
  kd exec -it $cluster-worker-0 -- bash             a shell in a member; /opt/kubedirector/configcli --get node.role_id
  kd delete pod $cluster-worker-1                   lose a member, and watch it return: kd get kdc -w
  kd scale kdc $cluster --replicas 3                   more workers, then fewer; no running job fails: kd get kdc -w
  tail -f $(printf %q "$log")

  make demo-down                                remove all of it
TEXT
	kn get kdc "$cluster" -o jsonpath='{range .status.endpoints[*]}  dashboard of {.member}: {.url}{"\n"}{end}'
}

up() {
	command -v curl >/dev/null || die "curl is missing: install your system's package curl"
	if kill -0 "$(cat .cache/test.pid 2>/dev/null)" 2>/dev/null; then
		die "make test runs (process $(cat .cache/test.pid)): wait for its end"
	fi
	mkdir -p "$state"
	say "Building the controller"
	make --no-print-directory build
	choose_cluster
	say "Using $(k config view --minify -o jsonpath='{.clusters[0].cluster.server}') (context $context of $KUBECONFIG)"
	if [ -z "$asked" ]; then
		say "Images"
		hack/images/image.sh kubedirector spark
		TO=devcluster hack/images/image-load.sh kubedirector spark
	else
		echo "Your cluster must be able to pull or hold the images kubedirector and spark: see make image, image-load, image-push."
	fi
	say "Installing the CRDs, starting the controller (log: $log)"
	install
	stop_controller # one of an earlier run may be an older build
	start_controller
	say "Launching Spark: 1 controller, 2 workers, 1 jupyter"
	launch
	watch_states
	wait_ready
	kn get kdc
	say "Pods and services"
	kn get pods -o wide
	kn get services
	say "Running a notebook in the jupyter member"
	run_notebook
	count_workers 2
	say "Killing the container of $cluster-worker-0"
	kill_container "$cluster-worker-0"
	wait_ready
	say "Running the notebook again"
	run_notebook
	count_workers 2
	say "Done"
	next_steps
}

# remove_objects takes the clusters away while somebody is there to let them go.
remove_objects() {
	local others
	if [ -f "$state/namespace" ] && exists namespace "$namespace"; then
		if exists crd kubedirectorclusters.kubedirector.bluedata.io; then
			controller_runs || start_controller
			kn delete kdc --all --timeout=120s || die "the clusters of namespace $namespace are not gone; $log says why. Try make demo-down again"
		fi
		stop_controller
		k delete namespace "$namespace" --timeout=180s
	fi
	if [ ! -f "$state/crds" ] || ! exists -f artifacts/crds; then return 0; fi
	others=$(k get kdc,kdapp --all-namespaces -o name)
	if [ -n "$others" ]; then
		echo "keeping the CRDs, for these are not the demo's: $others"
	else
		k delete -f artifacts/crds
	fi
}

down() {
	[ -f "$state/cluster" ] || [ -f "$state/devcluster" ] || die "no demo was started from this checkout"
	if [ -f "$state/cluster" ]; then
		recall
		if k get --raw /readyz >/dev/null 2>&1; then
			remove_objects
		elif [ -n "$asked" ] || { [ ! -f "$state/devcluster" ] && [ -e .cache/devcluster ]; }; then
			die "$(k config view --minify -o jsonpath='{.clusters[0].cluster.server}') (context $context of $KUBECONFIG) does not answer, so nothing was removed. Start it and try again, or remove $state to forget the demo"
		fi
	fi
	stop_controller
	if [ -f "$state/devcluster" ]; then hack/devcluster.sh down; fi
	rm -rf "$state"
	echo "demo: nothing of it is left"
}

case ${1:-} in
up | down) "$1" ;;
*) die "usage: hack/demo.sh up|down" ;;
esac
