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

# What goes into each image. Sourced; the working directory is the repository's
# root.

# context_of NAME PLATFORM: the directory to build from. Images of our own
# programs get one made by prepare_context.
context_of() {
    case $1 in
    kubedirector | testapp-scratch) echo "$IMAGE_CACHE/context/$1_${2//\//_}" ;;
    testapp-*) echo "artifacts/images/$1" ;;
    *) echo "artifacts/catalog/$1/image" ;;
    esac
}

# prepare_context NAME PLATFORM CONTEXT
prepare_context() {
    local name=$1 platform=$2 context=$3
    case $name in
    kubedirector)
        fresh_context "$name" "$context"
        go_build "$platform" "$context/kubedirector" ./cmd/kubedirector
        go_build "$platform" "$context/kdguest" ./cmd/kdguest
        ;;
    testapp-scratch)
        fresh_context "$name" "$context"
        mkdir "$context/state"
        go_build "$platform" "$context/app" ./artifacts/images/testapp-scratch
        setup_package "_output/${platform//\//_}/$name" "$context/app"
        ;;
    esac
}

fresh_context() {
    rm -rf "$2"
    mkdir -p "$2"
    cp "artifacts/images/$1/Dockerfile" "$2/"
}

# go_build PLATFORM OUTPUT PACKAGE: a static program, the same for the same
# sources wherever it is built; kept below _output, too.
go_build() {
    local kept=_output/${1//\//_}/${2##*/}
    CGO_ENABLED=0 GOOS=${1%/*} GOARCH=${1#*/} go build -trimpath -buildvcs=false \
        -ldflags "-s -w -X github.com/bluek8s/kubedirector/pkg/version.gitVersion=${VERSION:?is set by make}" \
        -o "$kept" "$3"
    cp "$kept" "$2"
}

# setup_package ENTRY STARTSCRIPT: ENTRY/package.yaml, with a program for a
# startscript, as an image without a shell needs it.
setup_package() {
    mkdir -p "$1/package/testsetup"
    cp "$2" "$1/package/testsetup/startscript"
    go run ./hack/setup-package "$1"
}
