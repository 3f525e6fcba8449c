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

# Builds images, given by name or all of them, for PLATFORMS, and leaves each as
# an archive in .cache/images. An archive whose inputs have not changed is kept;
# one that another checkout of this machine has built is taken from the user's
# cache. Reads VERSION, PLATFORMS, BASE_IMAGE; REFRESH=1 builds all anew.

set -o errexit -o nounset -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=hack/images/catalog.sh
source hack/images/catalog.sh
# shellcheck source=hack/images/context.sh
source hack/images/context.sh
# shellcheck source=hack/images/engine.sh
source hack/images/engine.sh

readonly USER_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kubedirector/images

# build NAME PLATFORM: makes the archive current.
build() {
    local name=$1 platform=$2 tag context archive kept stamp
    tag=$(tag_of "$name")
    context=$(context_of "$name" "$platform")
    archive=$(archive_of "$name" "$platform")
    kept=$USER_CACHE/${archive##*/}

    prepare_context "$name" "$platform" "$context"
    stamp=$(stamp_of "$tag" "$platform" "$context")
    if is_current "$archive" "$stamp"; then
        echo "$tag for $platform: current"
    elif is_current "$kept" "$stamp"; then
        echo "$tag for $platform: taken from $USER_CACHE"
        keep "$kept" "$archive" "$stamp"
    elif ! engine_can_build "$context" "$platform"; then
        echo "$tag for $platform: left out, its build runs programs of $platform, which this machine cannot (it is another's, and binfmt_misc emulates none)"
    else
        echo "$tag for $platform: building"
        rm -f "$archive.inputs"
        engine_archive "$tag" "$platform" "$context" "$archive"
        echo "$stamp" >"$archive.inputs"
        keep "$archive" "$kept" "$stamp"
    fi
}

# stamp_of TAG PLATFORM CONTEXT: a hash of all that goes into the image.
stamp_of() {
    {
        echo "$1 $2 ${BASE_IMAGE:-}"
        (cd "$3" && find . -type f -perm -u+x | LC_ALL=C sort)
        (cd "$3" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 "${SHA256[@]}")
    } | "${SHA256[@]}" | cut -c1-64
}

is_current() {
    [[ -z ${REFRESH:-} && -f $1 && -f $1.inputs && $(<"$1.inputs") == "$2" ]]
}

# keep FROM TO STAMP: a second name for the archive, or a copy where there can be none.
keep() {
    mkdir -p "${2%/*}"
    rm -f "$2" "$2.inputs"
    ln "$1" "$2" 2>/dev/null || cp "$1" "$2"
    echo "$3" >"$2.inputs"
}

SHA256=(sha256sum)
command -v sha256sum >/dev/null || SHA256=(shasum -a 256)

mkdir -p "$IMAGE_CACHE"
if (($# == 0)); then
    # shellcheck disable=SC2046 # names hold no blanks
    set -- $(all_images)
fi
for name in "$@"; do
    for platform in ${PLATFORMS//,/ }; do
        build "$name" "$platform"
    done
done
