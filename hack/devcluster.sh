#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds hack/devcluster, a module of its own, and runs it: hack/devcluster.sh up

set -o errexit -o nounset -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$root/.cache/bin"
go build -C "$root/hack/devcluster" -o "$root/.cache/bin/devcluster" .
exec "$root/.cache/bin/devcluster" "$@"
