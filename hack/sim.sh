#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Random lives of a cluster in the simulated world (docs/testing.md), on all
# cores. A life that breaks an invariant is shortened to a trace that reads as a
# story, and the same SEED lives it again.
#
#   SEED=17 WALKS=1 hack/sim.sh      one life
#   WALKS=10000 hack/sim.sh          ten thousand

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SEED=${SEED:-1} WALKS=${WALKS:-1000}
go test -count=1 -timeout 0 -v -run '^TestWalks$' ./hack/test/sim |
	grep --line-buffered -vE '^ *(=== |--- PASS: TestWalks/|PASS$)'
