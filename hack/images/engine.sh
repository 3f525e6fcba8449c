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

# Builds with docker where an engine answers, else with buildah, whose storage
# is below .cache/images, so that nothing of it is left elsewhere. Sourced.

# shellcheck source=hack/images/build-settings.sh
source hack/images/build-settings.sh
# shellcheck source=hack/images/base.sh
source hack/images/base.sh

# choose_engine sets ENGINE to docker or buildah.
choose_engine() {
    if [[ -n ${ENGINE:-} ]]; then
        return
    elif docker info >/dev/null 2>&1; then
        ENGINE=docker
    else
        install_buildah
        ENGINE=buildah
        set_buildah
    fi
}

# set_buildah sets BUILDAH, the command with its settings. Each call has a mount
# namespace of its own: buildah leaves mounts behind, which would outlive the
# call and stand in the way of whoever removes .cache; and there its one fixed
# directory, /var/lib/containers, is below .cache, too.
set_buildah() {
    local driver=overlay
    # On these, overlay cannot be put on top.
    if [[ $(stat --file-system --format %T "$IMAGE_CACHE") == @(overlayfs|nfs|fuseblk) ]]; then
        driver=vfs
    fi
    mkdir -p "$IMAGE_CACHE/containers" /var/lib/containers
    # shellcheck disable=SC2016 # the inner shell expands these
    BUILDAH=(env BUILDAH_ISOLATION=chroot "STORAGE_DRIVER=$driver" unshare --mount
        sh -c 'mount --bind "$0" /var/lib/containers && exec buildah "$@"' "$IMAGE_CACHE/containers"
        --root "$IMAGE_CACHE/storage" --runroot "$IMAGE_CACHE/run")
}

# clean_up leaves nothing outside .cache, nor the settings in it.
clean_up() {
    [[ -z ${SETTINGS_DIR:-} ]] || rm -r "$SETTINGS_DIR"
    [[ ${ENGINE:-} != buildah ]] || rmdir /var/lib/containers 2>/dev/null || true
}
trap clean_up EXIT

# engine_can_build CONTEXT PLATFORM: a build that runs programs needs a machine
# that can run them.
engine_can_build() {
    [[ $2 == "$HOST_PLATFORM" ]] || ! grep -q '^RUN' "$1/Dockerfile" || emulates "${2#*/}"
}

emulates() {
    local machine=$1
    case $machine in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    esac
    [[ -e /proc/sys/fs/binfmt_misc/qemu-$machine ]] ||
        [[ $(docker info --format '{{.OperatingSystem}}' 2>/dev/null) == "Docker Desktop" ]]
}

# engine_archive TAG PLATFORM CONTEXT ARCHIVE: builds, and saves as a docker archive.
engine_archive() {
    local tag=$1 platform=$2 context=$3 archive=$4 log
    choose_engine
    build_settings
    BASE=${BASE_IMAGE:-}
    if [[ $ENGINE == buildah ]] && takes_base "$context"; then
        choose_base
    fi
    rm -f "$archive.new"
    log=${archive%.tar}.log
    # The log has it all; people see the steps, and the end of what fails. In a
    # condition errexit does not hold, so these functions return by themselves.
    if ! "archive_with_$ENGINE" 2>&1 | tee "$log" | grep --line-buffered -E '^STEP |^#[0-9]+ \['; then
        tail -n 30 "$log" >&2
        echo "building $tag failed; the whole log is $log" >&2
        return 1
    fi
    mv "$archive.new" "$archive"
}

takes_base() {
    grep -q '^ARG BASE_IMAGE' "$1/Dockerfile"
}

archive_with_docker() {
    local options=("${BUILD_SETTINGS[@]}")
    if [[ -n $BASE ]] && takes_base "$context"; then
        options+=(--build-arg "BASE_IMAGE=$BASE")
    fi
    [[ -z ${REFRESH:-} ]] || options+=(--no-cache --pull)
    DOCKER_BUILDKIT=1 docker build --platform "$platform" --tag "$tag" "${options[@]}" "$context" || return
    docker save --output "$archive.new" "$tag"
}

archive_with_buildah() {
    local options=("${BUILD_SETTINGS[@]}")
    if takes_base "$context"; then
        options+=(--build-arg "BASE_IMAGE=$BASE")
    fi
    [[ -z ${REFRESH:-} ]] || options+=(--no-cache)
    # The name is spelled out, or buildah would add a second one, localhost/….
    "${BUILDAH[@]}" bud --layers --pull=never --platform "$platform" --tag "docker.io/$tag" "${options[@]}" "$context" || return
    "${BUILDAH[@]}" push --quiet "docker.io/$tag" "docker-archive:$archive.new:$tag"
}

install_buildah() {
    local tools=(buildah mmdebstrap)
    if [[ $(type -P "${tools[@]}" | wc -l) == "${#tools[@]}" ]]; then
        return
    fi
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        echo "building images needs a docker engine, or buildah and mmdebstrap: install one of them (as root on Debian, this installs the latter)" >&2
        return 1
    fi
    echo "installing ${tools[*]} from Debian, removing no package"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends --no-remove "${tools[@]}" >/dev/null
}
