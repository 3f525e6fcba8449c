#!/usr/bin/env bash
# Copyright The KubeDirector Authors.
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

# Loads images, given by name or all of them, into a cluster on this machine,
# TO=devcluster, kind or minikube, building first what is not current.
# CLUSTER_NAME chooses among several of kind's or minikube's.

set -o errexit -o nounset -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=hack/images/catalog.sh
source hack/images/catalog.sh

if (($# == 0)); then
    # shellcheck disable=SC2046 # names hold no blanks
    set -- $(all_images)
fi

PLATFORMS=$HOST_PLATFORM hack/images/image.sh "$@"

archives=()
for name in "$@"; do
    archives+=("$(archive_of "$name" "$HOST_PLATFORM")")
done

case ${TO:-} in
devcluster)
    .cache/bin/devcluster load-image "${archives[@]}"
    ;;
kind)
    for archive in "${archives[@]}"; do
        kind load image-archive "$archive" --name "${CLUSTER_NAME:-kind}"
    done
    ;;
minikube)
    for archive in "${archives[@]}"; do
        minikube image load "$archive" --profile "${CLUSTER_NAME:-minikube}"
    done
    ;;
*)
    echo "TO=${TO:-} is not a place to load images into: say TO=devcluster, TO=kind or TO=minikube; for another cluster, make image-push REGISTRY=…" >&2
    exit 1
    ;;
esac
