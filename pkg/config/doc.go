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

// Package config is the controller's own configuration: one value, read from a
// file of kind KubeDirectorConfiguration, over which command line flags are
// laid. It knows what a setting is called, its default and what is wrong with
// it; it opens no connection and reads no other file.
//
// A field exists when it works. What the file does not know is an error.
package config
