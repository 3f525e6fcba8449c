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

# Pushes images, given by name or all of them, to REGISTRY, for instance
# registry.example.com/project, as one image for all of PLATFORMS, building
# first what is not current. Log in beforehand with docker or buildah.
# TLS_VERIFY=false is for a registry without certificate, and for buildah only.

set -o errexit -o nounset -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=hack/images/catalog.sh
source hack/images/catalog.sh
# shellcheck source=hack/images/engine.sh
source hack/images/engine.sh

: "${REGISTRY:?must say where to push: make image-push REGISTRY=registry.example.com/project}"

# archives NAME: one archive per platform that could be built.
archives() {
    local platform
    for platform in ${PLATFORMS//,/ }; do
        if [[ -f $(archive_of "$1" "$platform") ]]; then
            archive_of "$1" "$platform"
        fi
    done
}

# push_with_docker TARGET ARCHIVE...: a tag per platform, then one that has them all.
push_with_docker() {
    local target=$1 archive parts=() part
    shift
    for archive in "$@"; do
        part=$target-$(sed -E 's/.*_([a-z0-9]+)\.tar$/\1/' <<<"$archive")
        docker tag "$(docker load --quiet --input "$archive" | sed 's/^Loaded image: //')" "$part"
        docker push --quiet "$part"
        parts+=("$part")
    done
    docker manifest rm "$target" 2>/dev/null || true
    docker manifest create "$target" "${parts[@]}"
    docker manifest push --purge "$target"
}

push_with_buildah() {
    local target=$1 archive
    shift
    "${BUILDAH[@]}" manifest rm kubedirector-push >/dev/null 2>&1 || true
    "${BUILDAH[@]}" manifest create kubedirector-push >/dev/null
    for archive in "$@"; do
        "${BUILDAH[@]}" manifest add kubedirector-push "docker-archive:$archive" >/dev/null
    done
    "${BUILDAH[@]}" manifest push --all --quiet --tls-verify="${TLS_VERIFY:-true}" kubedirector-push "docker://$target"
    "${BUILDAH[@]}" manifest rm kubedirector-push >/dev/null
}

if (($# == 0)); then
    # shellcheck disable=SC2046 # names hold no blanks
    set -- $(all_images)
fi

PLATFORMS=$PLATFORMS hack/images/image.sh "$@"
choose_engine
for name in "$@"; do
    tag=$(tag_of "$name")
    target=$REGISTRY/${tag##*/}
    echo "$tag: pushing to $target"
    built=()
    while read -r archive; do
        built+=("$archive")
    done < <(archives "$name")
    "push_with_$ENGINE" "$target" "${built[@]}"
done
