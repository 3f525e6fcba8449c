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

# What of this machine's settings a build needs and an image must not keep: the
# proxy, the certificate authorities that the proxy shows, and where pip finds
# packages. They are handed in for the build only. Sourced.

# build_settings sets BUILD_SETTINGS, options that docker and buildah share. The
# Dockerfiles see the files, which are removed at the end, as the secrets pip.conf
# and ca.crt.
build_settings() {
    local variable authorities
    [[ -z ${SETTINGS_DIR:-} ]] || return 0
    SETTINGS_DIR=$(mktemp -d)
    BUILD_SETTINGS=()
    for variable in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
        [[ -z ${!variable:-} ]] || BUILD_SETTINGS+=(--build-arg "$variable=${!variable}")
    done
    authorities=$(host_authorities)
    pip_settings "$authorities" >"$SETTINGS_DIR/pip.conf"
    BUILD_SETTINGS+=(--secret "id=pip.conf,src=$SETTINGS_DIR/pip.conf")
    [[ -z $authorities ]] || BUILD_SETTINGS+=(--secret "id=ca.crt,src=$authorities")
}

# host_authorities is the file of certificate authorities that this machine trusts.
host_authorities() {
    local file
    for file in "${PIP_CERT:-}" "${REQUESTS_CA_BUNDLE:-}" "${SSL_CERT_FILE:-}" \
        /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
        if [[ -n $file && -f $file ]]; then
            echo "$file"
            return
        fi
    done
}

# pip_settings AUTHORITIES: this machine's pip settings that also mean something
# in a container; a later line, from the environment, wins over a file's.
pip_settings() {
    echo "[global]"
    [[ -z $1 ]] || echo "cert = /run/secrets/ca.crt"
    if command -v pip3 >/dev/null; then
        pip3 config list |
            sed -nE "s/^[^=]*\.(index-url|extra-index-url|trusted-host|default-timeout|timeout|retries|proxy)='(.*)'$/\1 = \2/p" |
            awk -F ' = ' '{ value[$1] = $2 } END { for (key in value) print key " = " value[key] }'
    fi
}
