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

# The images of this repository: their names, tags, and where their archives
# are. Sourced; the working directory is the repository's root.

readonly IMAGE_CACHE=$PWD/.cache/images
HOST_PLATFORM=linux/$(go env GOHOSTARCH)
PLATFORMS=${PLATFORMS:-$HOST_PLATFORM}

all_images() {
    local entry
    echo kubedirector
    for entry in artifacts/catalog/*/image; do
        entry=${entry%/image}
        echo "${entry##*/}"
    done
    echo testapp-debian testapp-scratch
}

# tag_of NAME: a catalog image's tag is the one its app names.
tag_of() {
    if [[ -f artifacts/catalog/$1/app.yaml ]]; then
        awk '$1 == "defaultImageRepoTag:" { print $2 }' "artifacts/catalog/$1/app.yaml"
    elif [[ -d artifacts/images/$1 ]]; then
        echo "kubedirector/$1:${VERSION:?is set by make}"
    else
        echo "no image is called $1; there are: $(all_images | xargs)" >&2
        return 1
    fi
}

# archive_of NAME PLATFORM
archive_of() {
    echo "$IMAGE_CACHE/$1_${2//\//_}.tar"
}
