#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# All tests, tier by tier (docs/testing.md says what each proves). A fresh
# machine is enough: what a tier needs is built first and cached. A tier that
# cannot run is named in one line; with REQUIRE_ALL=1 it is a failure.
#
#   hack/test.sh               everything
#   hack/test.sh tables plan   only these tiers

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
logs=$root/_output/test
mkdir -p "$logs"
export KUBE_CACHE_MUTATION_DETECTOR=true
# What one checkout has compiled serves another, wherever it lies.
export GOFLAGS="${GOFLAGS:+$GOFLAGS }-trimpath"

core=(./pkg/names ./pkg/catalog ./pkg/configmeta ./pkg/resources ./pkg/plan ./pkg/validate ./pkg/apis/... ./hack/docs ./hack/mutants)
passed=0 failed=0 skipped=0

# run_tests NAME DESCRIPTION ARGS...: one line for the tier, the log when it fails.
run_tests() {
	local name=$1 what=$2 log=$logs/$1.json begun=$SECONDS status=ok
	shift 2
	go test -json "$@" >"$log" 2>"$log.err" || status=FAILED
	local ran broke
	ran=$(grep -c '"Action":"pass".*"Test":' "$log" || true)
	broke=$(grep -c '"Action":"fail".*"Test":' "$log" || true)
	skipped=$((skipped + $(grep -c '"Action":"skip".*"Test":' "$log" || true)))
	passed=$((passed + ran))
	failed=$((failed + broke))
	[ "$ran" -gt 0 ] || status=FAILED
	printf 'tier %-10s %-62s %4d tests  %4ds  %s\n' "$name" "$what" "$ran" "$((SECONDS - begun))" "$status"
	if [ "$status" = FAILED ]; then
		[ "$broke" -gt 0 ] || failed=$((failed + 1))
		sed -n 's/.*"Output":"\(.*\)"}$/\1/p' "$log" | sed 's/\\n$//; s/\\t/\t/g; s/\\"/"/g; s/\\u003e/>/g; s/\\u003c/</g' | tail -200
		cat "$log.err"
	fi
}

# cannot NAME WHY: a tier that this machine cannot run.
cannot() {
	printf 'tier %-10s cannot run here: %s\n' "$1" "$2"
	[ -z "${REQUIRE_ALL:-}" ] || failed=$((failed + 1))
}

race=()
if command -v gcc >/dev/null || command -v clang >/dev/null; then race=(-race); fi

# tree is what no test runs: generated files, vendor/, formatting, linters.
tree() {
	local begun=$SECONDS status=ok script
	for script in verify lint; do
		if "hack/$script.sh" >"$logs/$script.log" 2>&1; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1)) status=FAILED
			tail -50 "$logs/$script.log"
		fi
	done
	printf 'tier %-10s %-62s %4d checks %4ds  %s\n' tree "generated files, vendor/ and formatting are current; linters" 2 "$((SECONDS - begun))" "$status"
}

tables() { run_tests tables "both state machines, their proofs and documents" -count=1 ./pkg/lifecycle; }

plan() { run_tests plan "decisions: golden plans, objects, metadata, validation" -count=1 "${core[@]}"; }

properties() {
	run_tests properties "fuzz seeds, fixpoints, rings of imports" -count=1 -run 'Fuzz|Property|Rings' ./pkg/... ./cmd/... ./hack/test/rings
}

# sim is the real controller in a simulated world; some lives also with the race detector.
sim() {
	run_tests sim "random lives in a simulated world, a death at each request" -count=1 -timeout 30m ./hack/test/sim/...
	[ ${#race[@]} = 0 ] || WALKS=20 run_tests sim-race "some of these lives (race detector)" "${race[@]}" -count=1 -timeout 15m -run 'TestWalks|TestRegressions|TestBudget|TestOwnWrites' ./hack/test/sim
}

wiring() {
	run_tests wiring "guest, pool, queues, executor, options${race:+ (race detector)}" "${race[@]}" -count=1 \
		./pkg/guest/... ./pkg/freshness ./pkg/execute ./pkg/observe ./pkg/controller/... ./pkg/leader ./pkg/config ./cmd/... ./hack/setup-package
}

# need_devcluster starts the devcluster, once; false where it cannot run. One that
# was started here is taken down in the end.
need_devcluster() {
	if [ -z "${started:-}" ] && ! hack/devcluster.sh status >/dev/null 2>&1; then started=yes; fi
	if ! hack/devcluster.sh up >"$logs/devcluster.log" 2>&1; then
		cannot "$1" "$(grep -v '^$' "$logs/devcluster.log" | tail -1)"
		return 1
	fi
	KUBEDIRECTOR_TEST_KUBECONFIG=$("$root/.cache/bin/devcluster" kubeconfig)
	export KUBEDIRECTOR_TEST_KUBECONFIG
}

api() {
	need_devcluster api || return 0
	run_tests api "CRDs and rules; the simulated API server is like the real one" -tags api -count=1 -p 1 -timeout 10m ./hack/test/api ./hack/test/sim/apiserver
}

real() {
	need_devcluster real || return 0
	if ! make --no-print-directory image image-load TO=devcluster >"$logs/images.log" 2>&1; then
		cannot real "$(tail -1 "$logs/images.log")"
		return 0
	fi
	make --no-print-directory build >"$logs/build.log" 2>&1
	run_tests real "the main job on real kubelets, bad input, budget of writes" -tags real -count=1 -parallel 3 -timeout 45m ./hack/test/real
	run_tests crash "the controller dies at each request, and another goes on" -tags real -count=1 -timeout 20m ./hack/test/crash
}

# The devcluster's own tests live in namespaces of their own, beside one that runs.
devcluster() {
	if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
		cannot devcluster "it needs Linux and root; use kind or minikube for yourself, see README.md"
		return 0
	fi
	hack/devcluster.sh build >"$logs/devcluster-build.log" 2>&1 || true
	cd hack/devcluster
	KD_DEVCLUSTER_TEST=1 run_tests devcluster "starts, survives kill -9, leaves nothing behind" -mod=mod -count=1 -timeout 20m .
	cd "$root"
}

if [ -f .cache/demo/cluster ]; then
	echo "test: a demo runs; make demo-down first" >&2
	exit 1
fi
mkdir -p .cache
echo $$ >.cache/test.pid # for make demo, which would serve the tests' clusters, too
finish() {
	rm -f "$root/.cache/test.pid"
	if [ -n "${started:-}" ]; then "$root/.cache/bin/devcluster" down >"$logs/devcluster-down.log" 2>&1 || cat "$logs/devcluster-down.log"; fi
}
trap finish EXIT

tiers=("$@")
[ $# -gt 0 ] || tiers=(tree tables plan properties sim wiring api real devcluster)
for tier in "${tiers[@]}"; do "$tier"; done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 1
if [ -n "${REQUIRE_ALL:-}" ] && [ "$skipped" != 0 ]; then
	echo "test: REQUIRE_ALL is set, and $skipped tests were skipped" >&2
	exit 1
fi
