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

// Package controller is the loop that every controller here shares: events
// become keys, keys wait in a rate-limited queue, and workers reconcile one key
// at a time. The controllers themselves are in the folders below; each is a set
// of event sources and one Sync function.
//
// A Sync that fails is tried again after 1 s, 2 s, … 60 s, and never given up. One
// that met a stale cache or a conflict has not failed: it looked too early, and
// is tried again after 5 ms, 10 ms, … 1 s. A panic is a failure like another; it
// ends neither the worker nor the process.
package controller
