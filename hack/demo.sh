#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# The main job, for real: hack/demo.sh up runs Spark with a Jupyter role from the
# catalog and uses it; hack/demo.sh down removes what it made, and nothing else.
#
# It starts a Kubernetes of its own on this machine. A cluster that exists
# already is used only when named: CONTEXT=name-of-a-kubeconfig-context.

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
state=$root/.cache/demo
namespace=kubedirector-demo
cluster=spark
log=$state/kubedirector.log
context=${CONTEXT:-}
begun=$SECONDS

say() { printf '\n\033[1m==> [%3ds] %s\033[0m\n' "$((SECONDS - begun))" "$*"; }
die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}
k() { "$kubectl" --kubeconfig "$kubeconfig" --context "$context" "$@"; }
kn() { k --namespace "$namespace" "$@"; }
condition() { kn get kdc "$cluster" -o jsonpath="{.status.conditions[?(@.type==\"$1\")].status}" 2>/dev/null; }

# --- which Kubernetes -------------------------------------------------------

choose_cluster() {
	if [ -n "$context" ]; then
		kubectl=$(command -v kubectl) || die "kubectl is missing: install it, it is what you use your cluster with"
		kubeconfig=${KUBECONFIG:-$HOME/.kube/config}
		k config get-contexts "$context" >/dev/null 2>&1 || die "no context \"$context\" in $kubeconfig; kubectl config get-contexts lists those there are"
		return
	fi
	hack/devcluster.sh status >/dev/null 2>&1 || echo started >"$state/devcluster"
	hack/devcluster.sh up
	kubectl=$root/.cache/bin/kubectl
	kubeconfig=$(.cache/bin/devcluster kubeconfig)
	context=devcluster
}

remember() {
	printf 'kubectl=%q\nkubeconfig=%q\ncontext=%q\n' "$kubectl" "$kubeconfig" "$context" >"$state/cluster"
}

recall() {
	[ -f "$state/cluster" ] || die "no demo was started from this checkout"
	# shellcheck source=/dev/null
	source "$state/cluster"
}

# --- the controller, out of cluster -----------------------------------------

controller_runs() { [ -f "$state/pid" ] && kill -0 "$(cat "$state/pid")" 2>/dev/null; }

start_controller() {
	controller_runs && return
	setsid nohup "$root/_output/bin/kubedirector" \
		--kubeconfig "$kubeconfig" --context "$context" --watch-namespace "$namespace" --system-namespace "$namespace" \
		--metrics-address 127.0.0.1:0 --health-address 127.0.0.1:0 -v 2 \
		>>"$log" 2>&1 </dev/null &
	echo $! >"$state/pid"
}

stop_controller() {
	controller_runs || return 0
	local pid
	pid=$(cat "$state/pid")
	kill "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
	rm -f "$state/pid"
}

# --- the cluster ------------------------------------------------------------

install() {
	k get crd kubedirectorclusters.kubedirector.bluedata.io >/dev/null 2>&1 || echo installed >"$state/crds"
	k apply -f artifacts/crds
	k wait --for=condition=Established --timeout=30s crd/kubedirectorapps.kubedirector.bluedata.io crd/kubedirectorclusters.kubedirector.bluedata.io
	k create namespace "$namespace" --dry-run=client -o yaml | k apply -f -
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
	kn get kdc "$cluster" --watch --no-headers \
		-o custom-columns='STATE:.status.state,MEMBERS:.status.membership,MESSAGE:.status.conditions[?(@.type=="Ready")].message' 2>/dev/null |
		while read -r line; do
			[ "$line" = "${last:-}" ] || printf '  [%3ds] %s\n' "$((SECONDS - begun))" "$line"
			last=$line
		done &
	trap 'pkill -P $$ 2>/dev/null || true' EXIT
}

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
	want=$(kn get pods -l kubedirector.bluedata.io/cluster=$cluster,kubedirector.bluedata.io/role=worker -o name | sed 's,pod/,,' | sort | paste -sd' ')
	kn exec "$cluster-jupyter-0" -- jupyter nbconvert --to markdown --execute --stdout --log-level WARN \
		/home/spark/notebooks/executors.ipynb >"$state/notebook.out" 2>"$state/notebook.err" ||
		die "the notebook failed: $(tail -5 "$state/notebook.err")"
	sed 's/^/    /' "$state/notebook.out"
	got=$(sed -n 's/^ *executor: *\([^ .]*\).*/\1/p' "$state/notebook.out" | sort -u | paste -sd' ')
	[ "$got" = "$want" ] || die "the job ran on \"$got\", not on the workers \"$want\""
	echo "The job ran on the workers: $got"
}

count_workers() {
	local port=18080 alive
	kn port-forward "svc/$cluster-controller-0-svc" "$port:8080" >"$state/port-forward.log" 2>&1 &
	local forward=$!
	for _ in $(seq 50); do
		alive=$(curl -fsS --max-time 5 "http://127.0.0.1:$port/json/" 2>/dev/null | tr -d ' \n' | grep -o '"state":"ALIVE"' | wc -l) || true
		[ "${alive:-0}" = "$1" ] && break
		sleep 0.5
	done
	kill "$forward" 2>/dev/null || true
	wait "$forward" 2>/dev/null || true
	[ "${alive:-0}" = "$1" ] || die "the Spark master lists ${alive:-no} ALIVE workers, not $1"
	echo "curl http://127.0.0.1:$port/json/: $alive ALIVE workers"
}

kill_container() {
	local pod=$1 before after
	before=$(kn get pod "$pod" -o jsonpath='{.status.containerStatuses[0].restartCount}')
	kn exec "$pod" -- sh -c 'kill 1'
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
	local kubectl_line="$kubectl --kubeconfig $kubeconfig --context $context -n $namespace"
	cat <<TEXT

Spark runs. What to try next, with

  alias kd="$kubectl_line"

  kd get kdc,pods,svc,pvc                       what there is
  kd describe kdc $cluster                          conditions and events
  kd get kdc $cluster -o yaml                       the members, one by one
  kd port-forward svc/$cluster-controller-0-svc 8080   the Spark master's page on http://localhost:8080
  kd port-forward svc/$cluster-jupyter-0-svc 8888      JupyterLab on http://localhost:8888/lab, with the token from
  kd get secret spark-jupyter -o jsonpath='{.data.token}' | base64 -d
  kd exec -it $cluster-worker-0 -- bash             a shell in a member; configcli --get node.role_id
  kd delete pod $cluster-worker-1                   lose a member, and watch it return: kd get kdc -w
  tail -f $log

  make demo-down                                remove all of it
TEXT
	kn get kdc "$cluster" -o jsonpath='{range .status.endpoints[*]}  dashboard of {.member}: {.url}{"\n"}{end}'
}

up() {
	mkdir -p "$state"
	say "Building the controller"
	make --no-print-directory build
	choose_cluster
	remember
	say "Using $(k config view --minify -o jsonpath='{.clusters[0].cluster.server}') (context $context of $kubeconfig)"
	if [ "$context" = devcluster ] && [ -z "${CONTEXT:-}" ]; then
		say "Images"
		hack/images/image.sh kubedirector spark
		TO=devcluster hack/images/image-load.sh kubedirector spark
	else
		echo "Your cluster must be able to pull or hold the images kubedirector and spark: see make image, image-load, image-push."
	fi
	say "Installing the CRDs, starting the controller (log: $log)"
	install
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

down() {
	mkdir -p "$state"
	recall
	if k get --raw /readyz >/dev/null 2>&1; then
		if [ -x _output/bin/kubedirector ] && k get namespace "$namespace" >/dev/null 2>&1; then
			start_controller # clusters go while somebody is there to let them go
			kn delete kdc --all --wait --timeout=120s
			stop_controller
			k delete namespace "$namespace" --wait --timeout=180s
		fi
		stop_controller
		if [ -f "$state/crds" ]; then
			others=$(k get kdc,kdapp -A -o name 2>/dev/null || true)
			if [ -n "$others" ]; then
				echo "keeping the CRDs, for these are not the demo's: $others"
			else
				k delete -f artifacts/crds
			fi
		fi
	fi
	stop_controller
	[ -f "$state/devcluster" ] && hack/devcluster.sh down
	rm -rf "$state"
	echo "demo: nothing of it is left"
}

case ${1:-} in
up | down) "$1" ;;
*) die "usage: hack/demo.sh up|down" ;;
esac
