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

// Package archive fetches setup packages and unpacks them.
//
// A package comes from a user's web server or ConfigMap and is unpacked with
// the rights of the application, so nothing in it is believed: its size is
// bounded before and after unpacking, and no entry may be placed, or point,
// outside the directory it is unpacked to.
package archive
