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

// Package protocol is what the controller and the guest say to each other.
//
// One exec of "kdguest apply" is one step of work inside a container: the
// controller writes one Request as JSON to stdin and reads Records, one JSON
// object per line, from stdout. Any number of progress and started records
// come first; exactly one result record comes last. Once a result line is
// written the exit code is 0, whatever became of the work: a script that
// fails is an observation, not an error of the transport.
//
// A running pod keeps the guest it was born with, so every change that an
// older guest would misunderstand raises Version. A guest serves every
// version from MinVersion to Version; the golden files under testdata hold
// each version's bytes.
//
// Both sides treat what they read as untrusted: DecodeRequest and ReadResult
// bound what they take in, and CleanText bounds and cleans what a script
// printed before anybody shows it.
package protocol
