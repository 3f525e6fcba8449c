#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Writes everything that is generated and committed: clients and CRDs from
# pkg/apis, the lifecycle tables in docs/, the API reference, the catalog's packages.

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
hack/update-codegen.sh
go run ./hack/docs artifacts/crds >docs/api-reference.md
go test ./pkg/lifecycle -update >/dev/null
go run ./hack/setup-package artifacts/catalog/spark
