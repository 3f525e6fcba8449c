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

// Package configcli is the command by which an application's scripts read the
// metadata document. It answers to the names and forms that existing packages
// use:
//
//	configcli --get node.role_id
//	configcli namespace cluster name
//	bdvcli --get distros.spark.1.roles.worker.fqdns
//	ccli macro node --get_self_id
//	configmacro nodegroup --get_all_fqdns
//
// A list and the names in an object are printed as one line, joined by
// commas, so that a shell script can split them.
package configcli
