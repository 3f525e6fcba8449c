/*
Copyright The KubeDirector Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

//go:build tools

// Package hack names the code generators, so that vendor/ holds them at the version go.mod pins.
package hack

import (
	_ "k8s.io/code-generator"
)

import (
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/go-cmp/cmp/cmpopts"
	_ "github.com/spf13/pflag"
	_ "golang.org/x/crypto/x509roots/fallback"
	_ "golang.org/x/sys/unix"
	_ "k8s.io/apimachinery/pkg/util/version"
	_ "k8s.io/client-go/discovery/fake"
	_ "k8s.io/client-go/kubernetes/fake"
	_ "k8s.io/client-go/tools/clientcmd"
	_ "k8s.io/client-go/tools/leaderelection"
	_ "k8s.io/client-go/tools/remotecommand"
	_ "k8s.io/component-base/cli/flag"
	_ "k8s.io/component-base/logs"
	_ "k8s.io/component-base/metrics/legacyregistry"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/workqueue"
	_ "k8s.io/component-base/metrics/testutil"
	_ "k8s.io/component-base/version/verflag"
	_ "k8s.io/klog/v2/ktesting"
	_ "k8s.io/klog/v2/textlogger"
	_ "k8s.io/utils/ptr"
	_ "sigs.k8s.io/yaml"
)
