#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Generates deepcopy functions, clientset, listers, informers, apply
# configurations and the CRDs from pkg/apis. Everything it writes is committed;
# hack/verify-codegen.sh fails when that is stale.

set -o errexit -o nounset -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export GOBIN="$root/_output/bin"
mkdir -p "$GOBIN"

codegen=$(go list -m -f '{{.Dir}}' k8s.io/code-generator)
if [ -z "$codegen" ] && [ -d vendor/k8s.io/code-generator ]; then
	codegen="$root/vendor/k8s.io/code-generator"
fi
# shellcheck source=/dev/null
source "$codegen/kube_codegen.sh"

kube::codegen::gen_helpers --boilerplate boilerplate.go.txt pkg/apis

kube::codegen::gen_client \
	--with-watch \
	--with-applyconfig \
	--output-dir pkg/generated \
	--output-pkg github.com/bluek8s/kubedirector/pkg/generated \
	--boilerplate boilerplate.go.txt \
	pkg/apis

go build -C hack/tools -o "$GOBIN/controller-gen" sigs.k8s.io/controller-tools/cmd/controller-gen
"$GOBIN/controller-gen" crd:maxDescLen=400 paths=./pkg/apis/... output:crd:dir=artifacts/crds
