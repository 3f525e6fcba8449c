#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Fails when something generated, vendor/ or the formatting is stale, or a CRD
# has grown beyond what client-side apply can carry.

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# The generators run on a copy, so that verifying changes nothing here.
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy" 2>/dev/null || true
(cd "$copy" && git init -q && hack/generate.sh >/dev/null)
generated=(pkg/apis pkg/generated artifacts/crds artifacts/catalog docs)
for tree in "${generated[@]}"; do
	if ! diff -Naur "$root/$tree" "$copy/$tree"; then
		echo "verify: $tree is stale: run make generate and commit the result" >&2
		exit 1
	fi
done

unformatted=$(git ls-files '*.go' ':!vendor' ':!pkg/generated' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "verify: not formatted, run gofmt -w on: $unformatted" >&2
	exit 1
fi

go mod verify >/dev/null
go mod vendor -o "$copy/vendored"
if ! diff -qr vendor "$copy/vendored" >/dev/null; then
	echo "verify: vendor/ is not what go.mod says: run go mod vendor" >&2
	exit 1
fi

for crd in artifacts/crds/*.yaml; do
	size=$(wc -c <"$crd")
	if [ "$size" -gt 204800 ]; then
		echo "verify: $crd has $size bytes; above 204800 kubectl apply, which keeps a copy in an annotation, comes near its limit" >&2
		exit 1
	fi
done
echo "verify: all generated files are current"
