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

# shellcheck shell=bash

# The base image of the Dockerfiles where there is no docker engine. Sourced.

readonly LOCAL_BASE=localhost/kubedirector-base:debian-12
readonly REGISTRY_BASE=docker.io/library/debian:12-slim

# choose_base sets BASE: the one asked for by BASE_IMAGE, else Debian from the
# registry, else the same made here from Debian's packages.
choose_base() {
    if [[ -n ${BASE_IMAGE:-} ]]; then
        BASE=$BASE_IMAGE
        "${BUILDAH[@]}" inspect --type image "$BASE" >/dev/null 2>&1 || "${BUILDAH[@]}" pull --quiet "$BASE" >/dev/null
        return
    fi
    for BASE in "$LOCAL_BASE" "$REGISTRY_BASE"; do
        if [[ -z ${REFRESH:-} ]] && "${BUILDAH[@]}" inspect --type image "$BASE" >/dev/null 2>&1; then
            return
        fi
    done
    BASE=$REGISTRY_BASE
    echo "pulling $BASE"
    if ! timeout 120 "${BUILDAH[@]}" pull --quiet "$BASE" >/dev/null 2>&1; then
        BASE=$LOCAL_BASE
        echo "no registry answers: making $BASE from Debian's packages"
        make_base
    fi
}

make_base() {
    local context=$IMAGE_CACHE/context/base
    mkdir -p "$context"
    mmdebstrap --quiet --variant=minbase bookworm "$context/base.tar"
    printf 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n' >"$context/Dockerfile"
    "${BUILDAH[@]}" bud --quiet --tag "$LOCAL_BASE" "$context" >/dev/null
    rm -r "$context"
}
