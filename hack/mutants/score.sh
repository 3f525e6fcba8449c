#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Changes one operator or condition of a package at a time, and tells which of
# these changes the package's own tests do not notice: LIVED. In pkg/plan there
# are hundreds, and each costs a run of its tests; WALKS bounds those.
#
#   hack/mutants/score.sh                   pkg/lifecycle and pkg/plan
#   hack/mutants/score.sh pkg/lifecycle     only this one

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export GOFLAGS="${GOFLAGS:+$GOFLAGS }-trimpath" WALKS=${WALKS:-4}
gremlins=$PWD/_output/bin/gremlins
go build -C hack/mutants/tool -mod=mod -o "$gremlins" github.com/go-gremlins/gremlins/cmd/gremlins

# It copies all that is there, so it is given what belongs to the tree, and nothing that was built.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from - --ignore-failed-read | tar --extract --directory "$tree"
cd "$tree"

packages=("$@")
[ $# -gt 0 ] || packages=(pkg/lifecycle pkg/plan)
for package in "${packages[@]}"; do
	echo "== $package"
	"$gremlins" unleash "./$package" --timeout-coefficient 30 --output-statuses lct
done
