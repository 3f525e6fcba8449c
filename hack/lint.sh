#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# go vet and staticcheck on every Go module, shellcheck on every script.

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p _output/bin
go build -C hack/tools -o "$PWD/_output/bin/staticcheck" honnef.co/go/tools/cmd/staticcheck

go vet -tags api,real ./cmd/... ./pkg/... ./hack/... ./artifacts/...
mapfile -t written < <(go list ./pkg/... | grep -v /pkg/generated/)
_output/bin/staticcheck -tags api,real ./cmd/... ./hack/... ./artifacts/... "${written[@]}"
(cd hack/devcluster && go vet . && ../../_output/bin/staticcheck .)

if ! command -v shellcheck >/dev/null; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "lint: installing the package shellcheck"
		apt-get update -qq
		apt-get install -y -qq --no-remove --no-install-recommends shellcheck >/dev/null
	else
		echo "lint: shellcheck is missing: install your system's package shellcheck" >&2
		exit 1
	fi
fi
mapfile -t scripts < <(git ls-files -- ':!vendor' | while read -r file; do head -n 1 "$file" | grep -qaE '^#!.*\b(ba)?sh\b' && echo "$file"; done)
shellcheck -x "${scripts[@]}"
echo "lint: clean"
