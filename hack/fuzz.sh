#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Every fuzz target, one after the other, each for FUZZTIME (30s). What one finds
# is written to testdata/fuzz beside it: correct the code and commit the input.
#
#   hack/fuzz.sh                          everything
#   FUZZTIME=10m hack/fuzz.sh ./pkg/plan  the targets of these packages
#   MATCH=FuzzMake hack/fuzz.sh           the targets of that name

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
packages=("$@")
if [ $# -eq 0 ]; then
	mapfile -t packages < <(grep -rl --include='*_test.go' '^func Fuzz' cmd hack pkg | xargs -n1 dirname | sort -u | sed 's|^|./|')
fi

failed=()
ran=0
for package in "${packages[@]}"; do
	listed=$(go test -list "^${MATCH:-Fuzz}" "$package")
	for target in $(grep '^Fuzz' <<<"$listed" || true); do
		printf '%s %s\n' "$package" "$target"
		ran=$((ran + 1))
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" -fuzzminimizetime 3s -parallel "${PARALLEL:-1}" "$package" || failed+=("$package $target")
	done
done

echo "$ran targets, ${#failed[@]} failed"
[ "$ran" -gt 0 ] || exit 1
if [ ${#failed[@]} -gt 0 ]; then
	printf '  %s\n' "${failed[@]}"
	exit 1
fi
